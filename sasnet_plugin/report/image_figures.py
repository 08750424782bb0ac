"""What the evaluations of networks for images have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..data.images.features import CHANNELS
from ..domains.heads import outputs_of
from ..predict import Predictor
from ..predict.decoding import decode, in_scope
from ..predict.runtime import Runtime
from ..simulate.images.window import Window
from ..train.metrics import auroc
from ..types import SasnetError
from ..zoo import Manifest, ZooModel


class HeldOut(Protocol):
    """The part of a test set that says what is known to the network."""

    @property
    def in_scope(self) -> NDArray[np.float32]:
        """(n,), 1 for a known pattern."""

    @property
    def kind(self) -> NDArray[np.str_]:
        """(n,), of strangers which."""


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


def check_window(window: Window, manifest: Manifest, test: Path, what: str) -> None:
    """See that test patterns are of the window that the network sees.

    Raises
    ------
    SasnetError
        They are not.
    """
    seen = manifest.inputs["window"]
    if window.shape != (seen["rows"], seen["columns"]) or window.phi != tuple(seen["phi"]):
        raise SasnetError(
            f"{test}: holds {what} of another window than the network sees; simulate them again."
        )


def scope_figures(
    in_scope: NDArray[np.float64], held: HeldOut, threshold: float, kinds: tuple[str, ...]
) -> dict[str, Any]:
    """AUROC of in_scope by kind of stranger, and who passes the threshold.

    Returns
    -------
    dict
        ``auroc`` and ``strangers_answered``, the share that passes, by kind; ``known_refused``.
    """
    known = held.in_scope > 0
    passed = in_scope >= threshold
    return {
        "auroc": {kind: auroc(in_scope[known], in_scope[held.kind == kind]) for kind in kinds},
        "strangers_answered": {kind: float(passed[held.kind == kind].mean()) for kind in kinds},
        "known_refused": float(np.mean(~passed[known])),
    }


def scope_table(result: dict[str, Any]) -> list[str]:
    """`scope_figures` as lines of Markdown."""
    return [
        f"Known patterns refused: {100 * result['known_refused']:.1f} %.",
        "",
        "| stranger | AUROC of in_scope | answered all the same |",
        "|---|---|---|",
        *(
            f"| {kind} | {value:.3f} | {100 * result['strangers_answered'][kind]:.1f} % |"
            for kind, value in result["auroc"].items()
        ),
    ]
