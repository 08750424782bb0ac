"""Curves as the fits and the Python interface see them: `suggest` models, with their structure factors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, overload

from ..data.given import Given, curve_of, curves_of, sentences_in_python
from ..domains.heads import Classes
from ..types import Curve, GroupGuess, ModelGuess, Suggestion
from .class_prior import COMMON
from .classes import ClassesFinding
from .described import SizeFinding
from .findings import Answer
from .predictor import Predictor, open_predictor
from .tags import probability_of_two

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..zoo import Manifest


@dataclass(frozen=True)
class Classifier:
    """The network for curves, with its answers as `Suggestion`."""

    predictor: Predictor

    @property
    def manifest(self) -> Manifest:
        """Form models, groups and calibration."""
        return self.predictor.manifest

    @property
    def structure_factors(self) -> tuple[str, ...]:
        """Structure factors that the network knows, without none."""
        heads = self.manifest.heads
        return next(h.labels[1:] for h in heads if isinstance(h, Classes) and h.given)

    def selection(
        self, models: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> NDArray[np.bool_] | None:
        """Turn names into a mask over form models (F,); None for no restriction. Raises UnknownModelError
        with the nearest name, or if none is left.
        """
        return self.predictor.choice(1, models, exclude).keep

    def suggest(
        self,
        curves: Sequence[Curve],
        *,
        top: int = 5,
        keep: NDArray[np.bool_] | None = None,
        prior: str = COMMON,
    ) -> list[Suggestion]:
        """Suggest `top` models for each curve, in order; `keep` (F,) from `selection`, `prior` "common" (in
        practice) or "uniform". Raises DataError that names the file of an unusable curve.
        """
        choice = replace(self.predictor.choice(top, prior=prior), keep=keep)
        return [suggestion_of(answer) for answer in self.predictor.answers(curves, choice)]

    def glance(self, curves: Sequence[Curve], *, top: int = 5) -> list[tuple[tuple[GroupGuess, ...], float]]:
        """Groups of models, and the probability of any known model: the same numbers as of `suggest`."""
        # Nothing is checked or noted: for copies of a curve that `suggest` was asked about.
        (answers,) = self.predictor.answers_to(curves, [self.predictor.choice(top)], bare=True)
        class_findings = [answer.finding(ClassesFinding) for answer in answers]
        return [
            (class_finding.groups if class_finding else (), answer.in_scope)
            for class_finding, answer in zip(class_findings, answers, strict=True)
        ]

    def suggest_under(
        self, curve: Curve, priors: Sequence[str], keep: NDArray[np.bool_] | None = None
    ) -> list[Suggestion]:
        """Suggest all models under each of these priors, asking the network once; else as `suggest`."""
        top = len(self.manifest.labels)
        choices = [replace(self.predictor.choice(top, prior=prior), keep=keep) for prior in priors]
        return [suggestion_of(answer) for (answer,) in self.predictor.answers_to([curve], choices)]


def open_classifier() -> Classifier:
    """Open the network for curves, once per process. Raises ModelZooError if it is unusable."""
    return Classifier(open_predictor())


def suggestion_of(answer: Answer) -> Suggestion:
    classes = answer.finding(ClassesFinding)
    size = answer.finding(SizeFinding)
    assert classes is not None
    models = []
    for class_found in classes.classes:
        ((factor, probability),) = class_found.given.values()
        models.append(
            ModelGuess(
                class_found.name,
                factor or None,
                class_found.probability,
                class_found.group,
                probability,
                class_found.uniform,
            )
        )
    network = size.network if size else None
    return Suggestion(
        answer.file,
        answer.entry,
        tuple(models),
        classes.groups,
        answer.in_scope,
        answer.notes,
        network.value if network else None,
        size.curve if size else None,
        probability_of_two(answer),
    )


@overload
def suggest(  # type: ignore[overload-overlap]  # a str is a sequence of str, too
    curves: Given,
    *,
    top: int = ...,
    models: Iterable[str] | None = ...,
    exclude: Iterable[str] | None = ...,
    prior: str = ...,
) -> Suggestion: ...
@overload
def suggest(
    curves: Sequence[Given],
    *,
    top: int = ...,
    models: Iterable[str] | None = ...,
    exclude: Iterable[str] | None = ...,
    prior: str = ...,
) -> list[Suggestion]: ...
def suggest(
    curves: Given | Sequence[Given],
    *,
    top: int = 5,
    models: Iterable[str] | None = None,
    exclude: Iterable[str] | None = None,
    prior: str = COMMON,
) -> Suggestion | list[Suggestion]:
    """Suggest the models that may explain scattering curves, with calibrated probabilities.

    Parameters
    ----------
    curves : Curve, path, or sequence of these
        What was measured, or the name of a file of one curve; many at once are run in batches.
    top : int
        How many models (and groups of models) to list.
    models, exclude : iterable of str, optional
        Form models to choose from, and to leave out, by sasmodels' name. The probabilities are then
        renormalised over the models that remain, and a note says so.
    prior : str
        "common" weights models with how common they are in practice, "uniform" takes all for alike.

    Returns
    -------
    suggestion : Suggestion or list of Suggestion
        One for a Curve or path, a list in the same order for a sequence.

    Raises
    ------
    DataError
        A file that cannot be read, or a curve that cannot be assessed, for example with too few points in the
        trained q range.
    ModelZooError
        The trained model is missing or damaged.
    SasnetError
        An unknown model's name.

    Examples
    --------
    >>> from sasnet_plugin import load, suggest
    >>> suggest(load("sphere.dat")[0], top=3, exclude=["fuzzy_sphere"])    # doctest: +SKIP
    """
    if top < 1:
        raise ValueError(f"top must be at least 1, not {top}")
    if isinstance(models, str) or isinstance(exclude, str):
        raise TypeError('models and exclude are lists of names, such as ["sphere", "cylinder"]')
    with sentences_in_python():
        classifier = open_classifier()
        keep = classifier.selection(models, exclude)
        if isinstance(curves, (Curve, str, PathLike)):
            return classifier.suggest([curve_of(curves)], top=top, keep=keep, prior=prior)[0]
        return classifier.suggest(curves_of(curves), top=top, keep=keep, prior=prior)
