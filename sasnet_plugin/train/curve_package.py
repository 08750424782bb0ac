"""What is fitted on held-out curves after training: temperatures, scope, groups; and where fits start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from ..data.preprocess import Q_MAX, Q_MIN
from ..domains.heads import Group
from ..domains.sas1d import HEADS
from ..simulate.bank import build_bank
from ..simulate.examples import mixed_set
from ..simulate.library import Library
from ..simulate.shards import shard_paths
from ..types import SasnetError
from .groups import cut, link, mutual_confusion
from .package import Calibrated, Trained, calibrated, head_entries


def calibrate_curves(trained: Trained) -> Calibrated:
    """Calibrate and group; ``seeds.npz`` (where fits start) is written beside the network.

    Raises
    ------
    SasnetError
        The validation shards lack a model.
    """
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
    heads = heads_of(settings)
    targets = {
        "form": examples.form,
        "structure_factor": np.where(examples.form >= 0, examples.structure_factor, -1),
        "scope": examples.in_scope,
        "size": examples.log_rg[:, None],
    }
    calibration = calibrated(heads, outputs, targets)

    known = examples.form >= 0
    temperature = calibration["form"]["temperature"]
    probability = softmax(outputs["form"][known].astype(np.float64) / temperature, axis=1)
    confusion = mutual_confusion(probability, examples.form[known])
    linkage = link(confusion)
    groups = cut(linkage, library.forms, confusion)
    found = tuple(Group(name, tuple(members)) for name, members in groups)
    heads = (replace(heads[0], groups=found), *heads[1:])
    bank = trained.target / "seeds.npz"
    build_bank(trained.data, bank)
    return Calibrated(
        features=features,
        outputs=outputs,
        heads=("form",),
        entries={
            **head_entries(heads, calibration),
            "inputs": {
                "q_range": [Q_MIN, Q_MAX],
                "parameters": parameter_ranges(trained.data, settings["forms"]),
            },
        },
        metrics={"linkage": [[round(float(x), 5) for x in row] for row in linkage]},
        files=(bank,),
        summary=f"{len(settings['forms'])} models in {len(groups)} groups",
    )


def heads_of(settings: dict[str, Any]) -> tuple[Any, ...]:
    """The heads of curves with the classes of a run; the first structure factor is none."""
    form, factor, *rest = HEADS
    labels = ("", *settings["structure_factors"])
    allowed = {name: tuple(given) for name, given in settings["allowed"].items()}
    return (
        replace(form, labels=tuple(settings["forms"])),
        replace(factor, labels=labels, allowed=allowed),
        *rest,
    )


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
