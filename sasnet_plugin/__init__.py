"""From a scattering curve to a ranked list of models that one can trust.

The public names are imported when first used, so ``import sasnet_plugin`` costs next to nothing.

Examples
--------
>>> import sasnet_plugin
>>> curve = sasnet_plugin.load("apoferritin.txt")[0]      # doctest: +SKIP
>>> sasnet_plugin.suggest(curve, top=5).in_scope          # doctest: +SKIP
0.6
>>> sasnet_plugin.fit(curve).best.name                    # doctest: +SKIP
'vesicle@stickyhardsphere'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .data.clean import cut_to_q_range as cut_to_q_range
    from .data.load import load
    from .fitting.api import fit, fit_together
    from .fitting.result.fit_result import FitResult
    from .fitting.result.sample_result import SampleResult
    from .images.sans.fitting import cut_sectors, fit_image
    from .planning.next_measurement import next_measurement
    from .predict import suggest
    from .report.notebook import frame_of as frame_of
    from .report.notebook import html_of as html_of
    from .report.notebook import lines_of as lines_of
    from .report.notebook import plot_of as plot_of
    from .report.notebook import ranking_of as ranking_of
    from .report.plot import corner_of as corner_of
    from .types import Curve, SasnetError, Suggestion
    from .web.explore import explore

__version__ = "0.1.0"
__all__ = [
    "Curve",
    "FitResult",
    "SampleResult",
    "SasnetError",
    "Suggestion",
    "__version__",
    "cut_sectors",
    "explore",
    "fit",
    "fit_image",
    "fit_together",
    "load",
    "next_measurement",
    "suggest",
]

# Where each public name lives, "module:attribute".
_HOMES = {
    "Curve": "sasnet_plugin.types:Curve",
    "SasnetError": "sasnet_plugin.types:SasnetError",
    "Suggestion": "sasnet_plugin.types:Suggestion",
    "load": "sasnet_plugin.data:load",
    "next_measurement": "sasnet_plugin.planning.next_measurement:next_measurement",
    "suggest": "sasnet_plugin.predict:suggest",
    "explore": "sasnet_plugin.web.explore:explore",
    "cut_sectors": "sasnet_plugin.images.sans.fitting:cut_sectors",
    "fit": "sasnet_plugin.fitting.api:fit",
    "fit_image": "sasnet_plugin.images.sans.fitting:fit_image",
    "fit_together": "sasnet_plugin.fitting.api:fit_together",
    "FitResult": "sasnet_plugin.fitting.result.fit_result:FitResult",
    "SampleResult": "sasnet_plugin.fitting.result.sample_result:SampleResult",
    # What the nouns' methods ask for; drawing lies far above them, so they go through this door.
    "corner_of": "sasnet_plugin.report.plot:corner_of",
    "frame_of": "sasnet_plugin.report.notebook:frame_of",
    "html_of": "sasnet_plugin.report.notebook:html_of",
    "lines_of": "sasnet_plugin.report.notebook:lines_of",
    "plot_of": "sasnet_plugin.report.notebook:plot_of",
    "ranking_of": "sasnet_plugin.report.notebook:ranking_of",
    "cut_to_q_range": "sasnet_plugin.data.clean:cut_to_q_range",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sasnet_plugin' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
