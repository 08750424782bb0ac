"""What is fitted on held-out curves after training: temperatures, scope, groups; and where fits start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.preprocess import Q_MAX, Q_MIN
from ..simulate.bank import build_bank
from ..simulate.examples import Examples, mixed_set
from ..simulate.library import Library
from ..simulate.shards import shard_paths
from ..types import SasnetError
from .calibrate import fit_platt, fit_temperature, scope_threshold
from .curves import allowed_table
from .groups import cut, link, mutual_confusion
from .package import Calibrated, Trained


def calibrate_curves(trained: Trained) -> Calibrated:
    """Calibrate and group; ``seeds.npz`` (where fits start) is written beside the network.

    Raises
    ------
    SasnetError
        The validation shards lack a model.
    """
    from scipy.special import expit, softmax

    settings, validation = trained.settings, trained.validation
    library = Library(validation)
    if list(library.forms) != settings["forms"]:
        raise SasnetError(
            f"{validation}: does not hold the models of {trained.run}; simulate the same list of models."
        )
    rng = np.random.default_rng(trained.seed)
    examples = mixed_set(
        library, rng, per_model=trained.per_model, stranger_share=0.1, progress=trained.progress
    )
    features, outputs = trained.answers(examples.features)
    calibration = calibrate(outputs, examples, allowed_table(library))

    known = examples.form >= 0
    probability = softmax(outputs["form"][known].astype(np.float64) / calibration["form"], axis=1)
    confusion = mutual_confusion(probability, examples.form[known])
    linkage = link(confusion)
    groups = cut(linkage, library.forms, confusion)
    bank = trained.target / "seeds.npz"
    build_bank(trained.data, bank)
    slope, offset = calibration["scope"]
    scope = expit(slope * outputs["scope"][:, 0].astype(np.float64) + offset)
    return Calibrated(
        features=features,
        outputs=outputs,
        heads=("form",),
        entries={
            "q_range": [Q_MIN, Q_MAX],
            "forms": settings["forms"],
            "structure_factors": [None, *settings["structure_factors"]],
            "allowed_structure_factors": settings["allowed"],
            "temperature": calibration,
            "groups": [{"name": name, "members": list(members)} for name, members in groups],
            "scope_threshold": scope_threshold(scope[known]),
            "parameters": parameter_ranges(trained.data, settings["forms"]),
        },
        metrics={"linkage": [[round(float(x), 5) for x in row] for row in linkage]},
        files=(bank,),
        summary=f"{len(settings['forms'])} models in {len(groups)} groups",
    )


def calibrate(
    outputs: dict[str, NDArray[np.floating]], examples: Examples, allowed: NDArray[np.float32]
) -> dict[str, Any]:
    """Temperatures of form and structure factor, slope and offset of the scope."""
    known = examples.form >= 0
    form = examples.form[known]
    factor = outputs["structure_factor"][known][np.arange(len(form)), form] + allowed[form]
    several = allowed[form][:, 1:].max(axis=1) > -1  # where there is a choice at all
    return {
        "form": fit_temperature(outputs["form"][known], form),
        "structure_factor": fit_temperature(factor[several], examples.structure_factor[known][several]),
        "scope": list(fit_platt(outputs["scope"][:, 0], examples.in_scope)),
    }


def parameter_ranges(data: Path, forms: list[str]) -> dict[str, dict[str, Any]]:
    """Unit, least and greatest value of every parameter in the shards, by model."""
    import h5py

    found: dict[str, dict[str, Any]] = {name: {} for name in forms}
    for path in shard_paths(data):
        with h5py.File(path, "r") as file:
            page = found.get(Path(str(file.attrs["model"])).stem)
            if page is None:
                continue
            table = file["parameters"]
            for key, unit, column in zip(
                table.attrs["names"], table.attrs["units"], table[()].T, strict=True
            ):
                if "_pd" in key or not np.isfinite(column).any():
                    continue
                low, high = float(np.nanmin(column)), float(np.nanmax(column))
                entry = page.setdefault(str(key), {"unit": str(unit), "range": [low, high]})
                entry["range"] = [min(low, entry["range"][0]), max(high, entry["range"][1])]
    for page in found.values():
        for entry in page.values():
            entry["range"] = [float(f"{x:.4g}") for x in entry["range"]]
    return found
