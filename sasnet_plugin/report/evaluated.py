"""What `sasnet evaluate` gives, whatever the kind of measurement; and how curves are evaluated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..simulate.examples import mixed_set
from ..simulate.library import Library
from ..types import SasnetError
from ..zoo import ZooModel
from .card import model_card
from .evaluation import draw, evaluate, markdown, predict

if TYPE_CHECKING:
    from .images.page import Section


@dataclass(frozen=True)
class Evaluated:
    """Figures of merit of a model on a test set.

    Parameters
    ----------
    result : dict
        All figures, as plain data.
    table : str
        The same as Markdown.
    draw : callable
        (file) draws them.
    card : callable
        () to the text of the model card.
    sections : callable or None
        () to parts of a page that says why, `report.images.page.Section`.
    """

    result: dict[str, Any]
    table: str
    draw: Callable[[Path], None]
    card: Callable[[], str]
    sections: Callable[[], Sequence[Section]] | None = None


def curves(
    model: ZooModel,
    test: Path,
    *,
    per_model: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluated:
    """Accuracy and calibration under the frozen realistic protocol.

    Parameters
    ----------
    model : ZooModel
    test : Path
        Shards of a seed that training never saw.
    per_model : int
        Test curves of each model.
    seed : int
        Of the measurement.
    progress : callable, optional
        Called with how many models are done, and of how many.

    Raises
    ------
    SasnetError
        The shards hold other models.
    """
    library = Library(test)
    if library.forms != model.manifest.labels:
        raise SasnetError(
            f"{test}: holds other models than the network knows; simulate those of the network."
        )
    examples = mixed_set(
        library,
        np.random.default_rng(seed),
        per_model=per_model,
        other_share=0.125,
        progress=None if progress is None else lambda done: progress(done, len(library)),
    )
    answers = predict(examples, model.onnx, model.manifest)
    result = evaluate(answers, examples, model.manifest)
    table = markdown(result, model.manifest)
    return Evaluated(
        result,
        table,
        lambda path: draw(result, path),
        lambda: model_card(model.domain, model.manifest, table),
    )
