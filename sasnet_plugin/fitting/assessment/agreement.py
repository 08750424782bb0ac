"""Where the network's first answer and the best fit differ: which of them holds, and why."""

from __future__ import annotations

from collections.abc import Sequence

from ...digits import chisq_text
from ...types import Suggestion
from ..result.model_fit import ModelFit

#: Begins the sentence on another group than the fit's, as the doubt of a verdict does.
EXPECTS = "The network expects "


def disagreement(
    classified: Suggestion, fits: Sequence[ModelFit], explained: bool, threshold: float
) -> tuple[str, ...]:
    """Sentences about a fit that is not what ``sasnet classify`` says of the same curve.

    Parameters
    ----------
    classified : Suggestion
        As ``sasnet classify`` has it, of all models.
    threshold : float
        `in_scope` below which ``sasnet classify`` says that no known model is likely.

    Returns
    -------
    tuple of str
        Empty where they agree, or where nothing explains the curve.
    """
    if not fits or not explained or not classified.groups:
        return ()
    best, group = fits[0], classified.groups[0]
    home = {member: found.name for found in classified.groups for member in found.members}
    said = []
    if classified.in_scope < threshold:
        said.append(
            f"To the network no known model is likely ({100 * classified.in_scope:.0f} %);"
            f" {best.short_name} explains the data all the same. The fit has seen how well, the network has"
            " not."
        )
    if best.model in home and home[best.model] != group.name:
        rivals = [fit for fit in fits if fit.model in group.members]
        if rivals:
            why = f"of these {rivals[0].short_name} comes nearest, with reduced χ²"
            why += f" {chisq_text(rivals[0].reduced_chisq)} against {chisq_text(best.reduced_chisq)}"
        else:
            why = "none of these was fitted, as another explains the data or their curves are far off"
        said.append(
            f"{EXPECTS}“{group.name}” ({100 * group.probability:.0f} %), the fits say"
            f" {best.short_name}: {why}."
        )
    return tuple(said)
