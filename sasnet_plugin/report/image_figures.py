"""What the evaluations of networks for images have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..data.images.features import CHANNELS, mirrored
from ..domains import resolve
from ..predict.runtime import Runtime
from ..simulate.images.window import Window
from ..train.metrics import auroc
from ..types import SasnetError
from ..zoo import ZooModel


class HeldOut(Protocol):
    """The part of a test set that says what is known to the network."""

    @property
    def in_scope(self) -> NDArray[np.float32]:
        """(n,), 1 for a known pattern."""

    @property
    def kind(self) -> NDArray[np.str_]:
        """(n,), of strangers which."""


def runtime_of(model: ZooModel) -> Runtime:
    """The exported network of a model of the zoo."""
    return Runtime(model.onnx, outputs=resolve(model.domain.outputs))


def answer(runtime: Runtime, features: NDArray[np.float32], model: ZooModel) -> Any:
    """Calibrated answers of the exported network, as its domain decodes them."""
    levels = features[:, 0, 0, CHANNELS.index("level")]
    decode = resolve(model.domain.decode)
    return decode(runtime.run(features), runtime.run(mirrored(features)), levels, model.manifest)


def check_window(window: Window, manifest: Any, test: Path, what: str) -> None:
    """See that test patterns are of the window that the network sees.

    Raises
    ------
    SasnetError
        They are not.
    """
    if window.shape != manifest.shape or window.phi != manifest.phi:
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
