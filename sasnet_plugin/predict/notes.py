"""What is said in words about a suggestion, and never more than the network knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sasnet_plugin.data.uninformative import is_uninformative

if TYPE_CHECKING:
    from sasnet_plugin.types import Curve, GroupGuess, ModelGuess

OUT_OF_SCOPE = (
    "No single known model explains this curve well; it may be a mixture of two, a powder pattern"
    " or not scattering from particles."
)
FEATURELESS = (
    "A power law plus a constant explains this curve within its uncertainties; models are hardly told apart"
    " by such data, whatever the probabilities say."
)
_THIN = 1000  # points that the test for features looks at
DECISIVE = 0.8  # from this probability on an answer is given without "undecided"
FEW_POINTS = 25


def percent(probability: float) -> str:
    """Whole percents, and never certainty: ">99 %" and "<1 %" at the ends."""
    if probability > 0.99:
        return ">99 %"
    if probability < 0.01:
        return "<1 %"
    return f"{100 * probability:.0f} %"


def group_sentence(models: Sequence[ModelGuess], groups: Sequence[GroupGuess]) -> str:
    """Say how far the answer goes: to a model, to a group, or to neither.

    Parameters
    ----------
    models, groups : sequences
        By falling probability, neither empty.
    """
    group, model = groups[0], models[0]
    if group.probability < DECISIVE:
        listed = ", ".join(f"{g.name} {percent(g.probability)}" for g in groups[:3])
        return f"No group of models is decisive: {listed}."
    if len(group.members) == 1:
        return f"{group.name} {percent(group.probability)}."
    if model.group == group.name and model.probability >= DECISIVE:
        likeliest = f"{model.name} ({percent(model.probability)})"
        return f"{group.name} {percent(group.probability)}, most likely {likeliest}."
    # A shorter list of candidates than the group's members where the network has narrowed it down.
    likely = [m.name for m in models if m.group == group.name and m.probability >= 0.05]
    which = f"which one of {', '.join(likely)} is" if len(likely) > 1 else "which model of the group is"
    return f"{group.name} {percent(group.probability)}, {which} undecided."


def is_decided(models: Sequence[ModelGuess], groups: Sequence[GroupGuess]) -> bool:
    """Whether both the group and the model within it are given without "undecided"."""
    return groups[0].probability >= DECISIVE and models[0].probability >= DECISIVE


def curve_notes(curve: Curve, q_range: tuple[float, float]) -> list[str]:
    """Sentences about the data: points outside the trained range, few points, estimated uncertainties.

    Parameters
    ----------
    curve : Curve
        As given to the network.
    q_range : (float, float)
        Trained q range, Å⁻¹.
    """
    notes = list(curve.notes)
    total = len(curve)
    inside = int(np.count_nonzero((curve.q >= q_range[0]) & (curve.q <= q_range[1])))
    if inside < total:
        notes.append(
            f"{total - inside} of {total} points lie outside the trained q range"
            f" ({q_range[0]:g} to {q_range[1]:g} Å⁻¹) and were not used."
        )
    if inside < FEW_POINTS:
        notes.append(f"Only {inside} points were used; the probabilities rest on little data.")
    if curve.dintensity is None and not any("estimated" in note for note in curve.notes):
        notes.append("No uncertainties were given; they were estimated from the scatter of the points.")
    if _featureless(curve, q_range):
        notes.append(FEATURELESS)
    return notes


def _featureless(curve: Curve, q_range: tuple[float, float]) -> bool:
    """Whether the curve is of the kind that training left out, as no model can be told from it."""
    if curve.dintensity is None:
        return False
    used = np.flatnonzero((curve.q >= q_range[0]) & (curve.q <= q_range[1]) & (curve.dintensity > 0))
    used = used[:: max(1, used.size // _THIN)]
    if used.size < 4:
        return False
    return bool(is_uninformative(curve.q[used], curve.intensity[used][None], curve.dintensity[used][None])[0])


def restriction_note(kept: Sequence[str], total: int) -> str:
    """Say that the probabilities are over fewer models than the network knows."""
    if len(kept) == 1:
        return f"Only {kept[0]} was considered, so its probability is 1 whatever the data."
    named = f" ({', '.join(kept)})" if len(kept) <= 5 else ""
    return f"Probabilities are renormalised over the {len(kept)} models considered{named} of {total}."
