"""The Python call: suggest models for a curve, or for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

from sasnet_plugin.predict.classifier import open_classifier
from sasnet_plugin.types import Curve, Suggestion


@overload
def suggest(
    curves: Curve, *, top: int = ..., models: Iterable[str] | None = ..., exclude: Iterable[str] | None = ...
) -> Suggestion: ...
@overload
def suggest(
    curves: Sequence[Curve],
    *,
    top: int = ...,
    models: Iterable[str] | None = ...,
    exclude: Iterable[str] | None = ...,
) -> list[Suggestion]: ...
def suggest(
    curves: Curve | Sequence[Curve],
    *,
    top: int = 5,
    models: Iterable[str] | None = None,
    exclude: Iterable[str] | None = None,
) -> Suggestion | list[Suggestion]:
    """Suggest the models that may explain scattering curves, with calibrated probabilities.

    Parameters
    ----------
    curves : Curve or sequence of Curve
        What was measured; many at once are run in batches.
    top : int
        How many models (and groups of models) to list.
    models, exclude : iterable of str, optional
        Form models to choose from, and to leave out, by sasmodels' name. The probabilities are then
        renormalised over the models that remain, and a note says so.

    Returns
    -------
    suggestion : Suggestion or list of Suggestion
        One for a Curve, a list in the same order for a sequence.

    Raises
    ------
    DataError
        A curve that cannot be judged, for example with too few points in the trained q range.
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
    classifier = open_classifier()
    keep = classifier.selection(models, exclude)
    if isinstance(curves, Curve):
        return classifier.suggest([curves], top=top, keep=keep)[0]
    return classifier.suggest(list(curves), top=top, keep=keep)
