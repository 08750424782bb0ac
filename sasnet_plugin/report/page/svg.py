"""A matplotlib figure as a piece of a page: inline SVG that takes the page's colours, font and width."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from .style import in_page_colours, placeholder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plain_axes(axes: Axes) -> None:
    """Two thin axes, no frame, no ground."""
    axes.patch.set_visible(False)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=placeholder("muted"), linewidth=0.8)
    axes.tick_params(
        which="both", color=placeholder("muted"), labelcolor=placeholder("ink"), labelsize=9, width=0.6
    )


def settings(name: str) -> dict[str, Any]:
    """matplotlib's settings for a figure of this name in the page."""
    # On top of matplotlib's own defaults, not of the user's. The salt makes the ids of clip paths and markers
    # repeatable; no point may be simplified away.
    return {
        "svg.fonttype": "none", "svg.hashsalt": f"sasnet-{name}", "path.simplify": False, "font.size": 10.0,
        "font.family": "sans-serif", "axes.unicode_minus": True, "text.usetex": False,
    }  # fmt: skip


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """The figure as one ``svg`` element that follows the page's width, font and colours."""
    from html import escape

    figure.patch.set_visible(False)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<style.*?</style>|<metadata.*?</metadata>", "", svg, flags=re.DOTALL)
    box = re.search(r'viewBox="[^"]*"', svg)
    assert box is not None
    svg = re.sub(
        r"<svg[^>]*>", f'<svg {box[0]} role="img" aria-label="{escape(label)}">', svg, count=1
    ).strip()
    # Several figures share the page: each keeps its ids to itself.
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"font: (\w* ?)([\d.]+)px [^;\"]*", r"font-weight: \1; font-size: \2px", svg)
    svg = svg.replace("font-weight: ; ", "").replace("xlink:href", "href")
    # A hundredth of a point is finer than any screen.
    svg = re.sub(r' (?:d|x|y|transform)="[^"]*"', lambda m: re.sub(r"(\.\d\d)\d+", r"\1", m[0]), svg)
    return in_page_colours(re.sub(r"\s*\n\s*", "\n", svg))
