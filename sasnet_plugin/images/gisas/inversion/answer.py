"""The inversion as `sasnet classify --verify` asks for it: nothing is fitted to patterns of another kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ....digits import NORMAL_90, significant
from ....predict import Answer
from ....predict.findings import DistributionFinding, QuantitiesFinding, Value, finite
from ....types import Image
from .invert import OrientationResult, invert
from .parameters import OrientationGuess

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: `in_scope` below which a pattern is more likely of another kind.
EVEN = 0.5
NOT_FITTED = "Nothing was fitted, because a fit of ordered spheres gives an orientation for any pattern."


@dataclass(frozen=True)
class Comparison:
    """The pattern simulated again from the answer, compared with the measured one."""

    result: OrientationResult
    title = "Simulated again"

    def as_dict(self) -> dict[str, Any]:
        return {"deviance": finite(self.result.deviance)}

    def rows(self) -> tuple[tuple[str, ...], ...]:
        return ()

    def sentences(self) -> tuple[str, ...]:
        """How far the pattern is from the measured one, and from what it would be were the model right."""
        result = self.result
        return (
            f"Simulated again: Poisson deviance {significant(result.deviance, 4)} over {result.dof} pixels; a"
            f" correct model would give {significant(result.expected_deviance, 4)} ±"
            f" {significant(result.deviance_sd, 2)}.",
        )

    def notes(self) -> tuple[str, ...]:
        return ()

    def draw(self, axes: Axes) -> None:
        """The residuals, in standard deviations."""
        artist = axes.imshow(
            self.result.residual, origin="lower", aspect="auto", vmin=-5, vmax=5, cmap="RdBu_r"
        )
        axes.figure.colorbar(artist, ax=axes, label="standard deviations")
        axes.set(xlabel="column", ylabel="row")

    def silence(self) -> Comparison:
        return self


def refine_answer(
    image: Image, answer: Answer, seconds: float = 30.0, report: Callable[[str], None] | None = None
) -> Answer:
    """Refine an answer by physics, simulate it again and compare; out of scope it stays."""
    # Patterns that are more likely known than not are fitted too, and the simulation decides.
    if answer.known:
        return insert_result(answer, invert(image, guess_of(answer), report=report))
    if why := why_not_fitted(image, answer):
        return replace(answer, notes=(*answer.notes, why))
    begin = _as_if_known(answer)
    result = invert(image, guess_of(begin), report=report)
    if result.in_scope < EVEN:
        return replace(answer, in_scope=result.in_scope, notes=(*answer.notes, *result.notes[-1:]))
    return replace(insert_result(begin, result), known=True)


def why_not_fitted(image: Image, answer: Answer) -> str:
    """Why a pattern is not fitted, a sentence; empty where it is."""
    return NOT_FITTED if not answer.known and answer.in_scope < EVEN else ""


def _as_if_known(answer: Answer) -> Answer:
    """Return the answer as if the pattern were surely known, so that the counts decide."""
    notes = tuple(note for note in answer.notes if note != answer.scope.outside)
    return replace(answer, findings=answer.unsaid or answer.findings, notes=notes)


def insert_result(answer: Answer, result: OrientationResult) -> Answer:
    """A network's answer with what the inversion found in its place."""
    distribution = answer.finding(DistributionFinding)
    quantities = answer.finding(QuantitiesFinding)
    assert distribution is not None
    assert quantities is not None
    found_distribution = replace(
        distribution,
        p=result.p,
        p_low=result.p_low,
        p_high=result.p_high,
        uniform_p_value=result.uniform_p_value,
        mirror=None if result.mirror_resolved else result.mirror,
    )
    values = {
        name: Value(value, error, value - NORMAL_90 * error, value + NORMAL_90 * error, unit)
        for name, (value, error, unit) in result.geometry.items()
        if name not in result.ends
    }
    findings = (found_distribution, QuantitiesFinding(quantities.head, values), Comparison(result))
    return replace(answer, in_scope=result.in_scope, findings=findings, notes=result.notes)


def guess_of(answer: Answer) -> OrientationGuess:
    """What a network says of a pattern, as a fit can start from it."""
    distribution = answer.finding(DistributionFinding)
    quantities = answer.finding(QuantitiesFinding)
    assert distribution is not None
    assert quantities is not None
    return OrientationGuess(
        xi=distribution.grid,
        p=distribution.p,
        p_low=distribution.p_low,
        p_high=distribution.p_high,
        geometry={name: (value.value, value.error) for name, value in quantities.present_values.items()},
        in_scope=answer.in_scope,
        file=answer.file,
        notes=answer.notes,
        uniform_p_value=distribution.uniform_p_value,
    )
