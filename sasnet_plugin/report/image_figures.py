"""What the evaluations of networks for images have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.images.features import CHANNELS
from ..domains import resolve
from ..domains.heads import outputs_of
from ..predict import Predictor
from ..predict.decoding import decode, in_scope
from ..predict.runtime import Runtime
from ..simulate.dataset import Dataset
from ..simulate.stream import HeldOut
from ..train.metrics import auroc
from ..types import SasnetError
from ..zoo import ZooModel


def answered(predictor: Predictor, features: NDArray[np.float32]) -> tuple[list[Any], NDArray[np.float64]]:
    """Findings of each pattern, and in_scope (n,), of features as `features_of` makes them."""
    inputs = {"features": features, "level": features[:, 0, 0, CHANNELS.index("level")]}
    outputs, manifest = predictor.outputs(inputs), predictor.manifest
    assert manifest.scope is not None
    inside = in_scope(manifest.scope, outputs, manifest.calibration[manifest.scope.name])
    return decode(manifest.heads, outputs, manifest.calibration), inside


def predictor_of(model: ZooModel) -> Predictor:
    """A model of the zoo, ready to run."""
    names = tuple(outputs_of(model.manifest.heads))
    return Predictor(model.domain, model.manifest, Runtime(model.onnx, outputs=names))


def test_set(model: ZooModel, folder: Path) -> Dataset:
    """Shards that a model is evaluated on.

    Raises
    ------
    SasnetError
        They are of another window than the network sees.
    """
    data = Dataset(folder, resolve(model.domain.simulator))
    window, seen = data.simulator.window, model.manifest.inputs["window"]
    if window.shape != (seen["rows"], seen["columns"]) or window.phi != tuple(seen["phi"]):
        raise SasnetError(
            f"{folder}: holds patterns of another window than the network sees; simulate them again."
        )
    return data


def scope_figures(in_scope: NDArray[np.float64], held: HeldOut, threshold: float) -> dict[str, Any]:
    """AUROC of in_scope by out-of-distribution kind, and who passes the threshold.

    Returns
    -------
    dict
        ``auroc`` and ``others_answered``, the share that passes, by kind; ``known_refused``.
    """
    kinds, passed = held.about["kind"], in_scope >= threshold
    known = np.arange(len(kinds)) < held.known
    others = {str(kind): ~known & (kinds == kind) for kind in dict.fromkeys(kinds[held.known :])}
    return {
        "auroc": {kind: auroc(in_scope[known], in_scope[rows]) for kind, rows in others.items()},
        "others_answered": {kind: float(passed[rows].mean()) for kind, rows in others.items()},
        "known_refused": float(np.mean(~passed[known])),
    }


def scope_table(result: dict[str, Any]) -> list[str]:
    """`scope_figures` as lines of Markdown."""
    return [
        f"Known patterns refused: {100 * result['known_refused']:.1f} %.",
        "",
        "| out-of-distribution kind | AUROC of in_scope | answered all the same |",
        "|---|---|---|",
        *(
            f"| {kind} | {value:.3f} | {100 * result['others_answered'][kind]:.1f} % |"
            for kind, value in result["auroc"].items()
        ),
    ]
