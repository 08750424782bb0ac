"""An opened network with its manifest: many curves in, a suggestion for each out."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sasnet_plugin.data.preprocess import features
from sasnet_plugin.predict.decode import decode
from sasnet_plugin.predict.notes import (
    OUT_OF_SCOPE,
    curve_notes,
    group_sentence,
    is_decided,
    restriction_note,
)
from sasnet_plugin.predict.opened import opened
from sasnet_plugin.predict.outcomes import UnknownModelError, one_by_one
from sasnet_plugin.predict.runtime import Outputs, Runtime
from sasnet_plugin.types import Curve, DataError, GroupGuess, ModelGuess, Suggestion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sasnet_plugin.predict.decode import Decoded
    from sasnet_plugin.zoo import Manifest

CHUNK = 512  # curves whose features are held at once, 4 MiB
RG_SPREAD = 0.3  # beyond a factor of two (one standard deviation) a radius of gyration is no help to a fit


@dataclass(frozen=True)
class Classifier:
    """A verified network, ready to run.

    Parameters
    ----------
    manifest : Manifest
        Class order, groups and calibration.
    runtime : Runtime
        The session.
    """

    manifest: Manifest
    runtime: Runtime

    def selection(
        self, models: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> NDArray[np.bool_] | None:
        """Turn names into a mask over the form models, (F,); None where nothing is restricted.

        Raises
        ------
        UnknownModelError
            A name that is not one of the form models (with the nearest one), or no model is left.
        """
        if models is None and exclude is None:
            return None
        forms = self.manifest.forms
        wanted = set(forms if models is None else self._known(models)) - set(self._known(exclude or ()))
        if not wanted:
            raise UnknownModelError("No model is left to choose from; name more models or exclude fewer.")
        return np.array([form in wanted for form in forms])

    def suggest(
        self, curves: Sequence[Curve], *, top: int = 5, keep: NDArray[np.bool_] | None = None
    ) -> list[Suggestion]:
        """Suggest models for each curve, in their order.

        Parameters
        ----------
        curves : sequence of Curve
            What was measured; run in batches.
        top : int
            How many models and groups to list, at least 1.
        keep : (F,) bool array, optional
            From `selection`.

        Raises
        ------
        DataError
            A curve that cannot be judged; the sentence names its file.
        """
        found: list[Suggestion] = []
        for start in range(0, len(curves), CHUNK):
            chunk = curves[start : start + CHUNK]
            for curve in chunk:
                _check(curve)
            answers = decode(self.runtime.run(features(chunk)), self.manifest, keep)
            _check_finite(answers, chunk)
            found.extend(self._describe(curve, answers, row, top, keep) for row, curve in enumerate(chunk))
        return found

    def outcomes(
        self, curves: Sequence[Curve], *, top: int = 5, keep: NDArray[np.bool_] | None = None
    ) -> list[Suggestion | Exception]:
        """Like `suggest`, but a curve that fails yields its exception and the others their suggestion."""
        return one_by_one(lambda some: self.suggest(some, top=top, keep=keep), curves)

    def _known(self, names: Iterable[str]) -> list[str]:
        names = list(names)
        for name in names:
            if name not in self.manifest.forms:
                near = difflib.get_close_matches(name, self.manifest.forms, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else "give sasmodels' name of a form model."
                raise UnknownModelError(f"{name}: the network knows no such model; {hint}")
        return names

    def _describe(
        self, curve: Curve, answers: Decoded, row: int, top: int, keep: NDArray[np.bool_] | None
    ) -> Suggestion:
        manifest = self.manifest
        kept = manifest.forms if keep is None else tuple(np.asarray(manifest.forms)[keep].tolist())
        groups = [
            GroupGuess(group.name, members, float(answers.group[row, index]))
            for index in np.argsort(-answers.group[row], kind="stable").tolist()
            for group in (manifest.groups[index],)
            if (members := tuple(member for member in group.members if member in kept))
        ][:top]
        models = [
            _guess(manifest, answers, row, index)
            for index in np.argsort(-answers.form[row], kind="stable")[: min(top, len(kept))].tolist()
        ]
        in_scope = float(answers.in_scope[row])
        notes = curve_notes(curve, manifest.q_range)
        if keep is not None and len(kept) < len(manifest.forms):
            notes.append(restriction_note(kept, len(manifest.forms)))
        if in_scope < manifest.scope_threshold:
            notes.append(OUT_OF_SCOPE)
        if not is_decided(models, groups):
            notes.append(group_sentence(models, groups))
        rg = float(answers.rg[row]) if answers.rg_spread[row] <= RG_SPREAD else None
        return Suggestion(curve.file, curve.entry, tuple(models), tuple(groups), in_scope, rg, tuple(notes))


def judge(
    *, top: int, models: list[str] | None, exclude: list[str] | None
) -> Callable[[Sequence[Curve]], list[Suggestion | Exception]]:
    """What judges curves, with as many answers and of the models that the user wants.

    Raises
    ------
    UnknownModelError
        A model's name that the network does not know.
    """
    classifier = open_classifier()
    keep = classifier.selection(models, exclude)
    return lambda curves: classifier.outcomes(curves, top=top, keep=keep)


def open_classifier(name: str = "sas1d") -> Classifier:
    """Open a model of the zoo, once per process.

    Raises
    ------
    ModelZooError
        It is missing, damaged or made for another version.
    """
    return opened(name, Classifier, Outputs)


def _guess(manifest: Manifest, answers: Decoded, row: int, index: int) -> ModelGuess:
    form = manifest.forms[index]
    factors = answers.structure_factor[row, index]
    best = int(factors.argmax())
    group = next(group.name for group in manifest.groups if form in group.members)
    return ModelGuess(
        form, manifest.structure_factors[best], float(answers.form[row, index]), group, float(factors[best])
    )


def _check_finite(answers: Decoded, curves: Sequence[Curve]) -> None:
    bad = ~(np.isfinite(answers.form).all(axis=1) & np.isfinite(answers.in_scope))
    if bad.any():
        raise DataError(
            f"{curves[int(bad.argmax())].file or 'the curve'}: these numbers lead to no finite answer;"
            " check that the intensities are of a sensible size."
        )


def _check(curve: Curve) -> None:
    # Files are tidied on reading; arrays come as they are, and the grid needs ascending, finite points.
    ascending = curve.q.size > 0 and curve.q[0] > 0 and bool(np.all(np.diff(curve.q) >= 0))
    if not ascending or not np.isfinite(curve.q[-1]) or not np.all(np.isfinite(curve.intensity)):
        raise DataError(
            f"{curve.file or 'the curve'}: q must be positive and ascending, and q and intensity finite;"
            " sort the points and drop the others."
        )
    if curve.dintensity is not None and not np.all(curve.dintensity >= 0):
        raise DataError(
            f"{curve.file or 'the curve'}: dintensity must be a number, not negative, at each point;"
            " drop the others, or leave dintensity out to have it estimated."
        )
