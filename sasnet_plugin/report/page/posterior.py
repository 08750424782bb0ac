"""The posterior of a fit in its report: a corner plot, and how far to trust it."""

from __future__ import annotations

from sasnet_plugin.fitting.result.display import MARGIN, PANEL, draw_corner, drawn_names
from sasnet_plugin.fitting.result.model_fit import ModelFit

from .style import placeholder
from .svg import inline_svg, settings

#: Pixels an inch, and what `style` gives every figure at least.
_PIXELS, _NARROWEST = 120, 620


def posterior_section(fits: tuple[ModelFit, ...]) -> str:
    """A section for the best fit's posterior; empty where it has none."""
    if not fits or fits[0].posterior is None:
        return ""
    posterior = fits[0].posterior
    left_out = len(posterior.names) - len(drawn_names(fits[0]))
    more = f" {left_out} more parameters are in the table." if left_out else ""
    trust = (
        f"The chains agree (Gelman-Rubin R {posterior.gelman_rubin:.2f})."
        if posterior.converged
        else f"<strong>The chains have not converged</strong> (Gelman-Rubin R {posterior.gelman_rubin:.2f})."
    )
    return (
        "<section><h2>Posterior of the best fit</h2>"
        f'<figure style="max-width: {_width(fits[0])}px">{corner_svg(fits[0])}</figure>'
        f'<p class="small">{posterior.draws} samples by DREAM. Dashed: 95 % credible interval; contours hold'
        f" 68 and 95 % of the samples; lines cross at the best fit.{more} {trust} All this holds if the model"
        " is right and the uncertainties of the data are.</p></section>"
    )


def _width(fit: ModelFit) -> int:
    """Of the figure in the page, so that its panels have one size however many they are."""
    return max(round(_PIXELS * (MARGIN + PANEL * len(drawn_names(fit)))), _NARROWEST)


def corner_svg(fit: ModelFit) -> str:
    """An ``svg`` element with one group ``corner-panel-ROW-COLUMN`` for each pair of parameters.

    Parameters
    ----------
    fit : ModelFit
        With a posterior.
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    side = MARGIN + PANEL * len(drawn_names(fit))
    with style.context(["default", settings("corner")]):
        figure = Figure(figsize=(side, side))
        draw_corner(figure, fit, ink=placeholder("ink"), fill=placeholder("fit1"), muted=placeholder("muted"))
        for axes in figure.axes:
            axes.patch.set_visible(False)
        return inline_svg(figure, "corner", f"Posterior of the parameters of {fit.name}")
