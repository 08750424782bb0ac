"""Tables of a fit report: ranking, parameters, and what made the page."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from ...digits import chisq_text, format_with_error, interval, significant, unit_text
from ...domains.heads import Classes
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit, Parameter, drop_unused
from ...fitting.verdict.sentences import NAMES
from ...zoo import Manifest
from ..sample_rows import distribution_of
from .document import DASHES, FITS

#: Programs whose versions decide what comes out.
_PROGRAMS = ("sasmodels", "bumps", "sasdata", "onnxruntime", "numpy", "scipy")
#: Where each model's equations and the papers behind them are.
_MODEL_PAGE = "https://www.sasview.org/docs/user/models/{}.html"


def key(fits: Sequence[ModelFit]) -> str:
    """Which line is which model."""
    items = "".join(
        f'<span>{swatch(i)}<span class="name">{escape(fit.short_name)}</span></span>'
        for i, fit in enumerate(fits[: len(FITS)])
    )
    return f'<div class="key">{items}</div>' if items else ""


def swatch(index: int) -> str:
    """A short piece of a fit's line; nothing for a fit that is not drawn."""
    if index >= len(FITS):
        return ""
    dashes = f' stroke-dasharray="{" ".join(f"{1.4 * d:g}" for d in DASHES[index])}"' if DASHES[index] else ""
    return (
        '<svg class="swatch" viewBox="0 0 30 8" aria-hidden="true">'
        f'<line x1="0" x2="30" y1="4" y2="4" style="stroke: var(--{FITS[index]})"{dashes}/></svg>'
    )


def ranking(fits: Sequence[ModelFit]) -> str:
    """One row for each fit, its warnings below it; empty where there is no fit."""
    if not fits:
        return ""
    lowest = min(fit.bic for fit in fits)
    head = "".join(
        f'<th scope="col" class="{style}">{name}</th>'
        for name, style in (
            ("", "number"), ("Model", ""), ("S(q)", ""), ("Weight", ""), ("Reduced χ²", "number"),
            ("BIC", "number"), ("ΔBIC", "number"), ("Fitted parameters", "number"),
            ("Network", "number"),
        )
    )  # fmt: skip
    rows = "".join(_rank_row(number, fit, lowest) for number, fit in enumerate(fits, start=1))
    return (
        f'<section><h2>Ranking</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        '<p class="small">Weight: share among these fits of the marginal likelihood times how common the'
        " model is; where no model fits the curve, times what the network gave its group (last column:"
        " the model). BIC = χ² + k ln n for k parameters fitted to n points is there for comparison with"
        " other programs and decides nothing.</p></section>"
    )


def _rank_row(number: int, fit: ModelFit, lowest: float) -> str:
    factor = f'<span class="name">{escape(fit.structure_factor)}</span>' if fit.structure_factor else "none"
    share = 100 * min(max(fit.weight, 0.0), 1.0)
    bar = f'<span class="share"><i style="width:{share:.1f}%"></i></span>'
    name = f'{swatch(number - 1)}<a href="#parameters-{number}" class="name">{escape(fit.short_model)}</a>'
    figures = (
        chisq_text(fit.reduced_chisq), f"{fit.bic:.1f}", f"{fit.bic - lowest:.1f}", str(len(fit.free)),
        _fraction(fit.probability),
    )  # fmt: skip
    cells = "".join(f'<td class="number">{figure}</td>' for figure in figures)
    row = (
        f'<tr{" class=warned" if fit.warnings else ""}><td class="number">{number}</td><td>{name}</td>'
        f"<td>{factor}</td><td>{bar}{_fraction(fit.weight)}</td>{cells}</tr>"
    )
    if fit.warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in fit.warnings)
        row += f'<tr class="warning"><td colspan="9"><ul>{items}</ul></td></tr>'
    return row


def _fraction(value: float) -> str:
    return "&lt; 0.001" if 0 <= value < 0.0005 else f"{value:.3f}"


def parameter_tables(fits: Sequence[ModelFit]) -> str:
    """Parameters of each fit; the best one's are open, the others' behind their names."""
    if not fits:
        return ""
    tables = []
    # The id is inside: a browser opens what it must to show the target of a link.
    for number, fit in enumerate(fits, start=1):
        head = _parameter_head(fit)
        rows = "".join(_parameter_row(name, p, fit) for name, p in drop_unused(fit.parameters).items())
        tables.append(
            f"<details{' open' if number == 1 else ''}>"
            f'<summary>{number} {swatch(number - 1)}<span class="name">{escape(fit.short_name)}</span>'
            "</summary>"
            f'<div class="wide" id="parameters-{number}"><table class="parameters">'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{_describe_fitter(fit)}</details>"
        )
    return (
        f"<section><h2>Parameters</h2>{''.join(tables)}"
        f'<p class="small">{NAMES}</p>'
        '<p class="small">± is one standard deviation, from the curvature of χ² at the best fit, with two'
        " significant digits (JCGM 100:2008, 7.2.6). It holds if the model is right and the uncertainties of"
        " the data are; of the first fit also whatever width, exponent or resolution is not known. Fixed"
        " parameters were not fitted: they were given, or the data do not determine them.</p>"
        "</section>"
    )


def _describe_fitter(fit: ModelFit) -> str:
    return f'<p class="small">Fitted by {escape(fit.fitter)}.</p>' if fit.fitter else ""


def _parameter_head(fit: ModelFit) -> str:
    names = [("Parameter", ""), ("Value", "number"), ("Unit", ""), ("Fitted within", "")]
    if fit.posterior is not None:
        names.insert(2, ("95 % interval", "number"))
    return "".join(f'<th scope="col" class="{style}">{name}</th>' for name, style in names)


def _parameter_row(name: str, p: Parameter, fit: ModelFit) -> str:
    label = f'<span class="name">{escape(name)}</span>'
    if kind := distribution_of(fit, name, ""):
        label += f' <span class="small">relative width, {escape(kind)}</span>'
    value = escape(format_with_error(p.value, None if p.fixed else p.error))
    if p.fixed:
        within = '<span class="tag">fixed</span>'
    else:
        within = f'<span class="small">{_range(p.low, p.high)}</span>'
        if p.error is None:
            value += ' <span class="small">± unknown</span>'
    return (
        f"<tr{' class=fixed' if p.fixed else ''}><td>{label}</td>"
        f'<td class="number">{value}</td>{_interval(name, fit)}'
        f"<td>{escape(unit_text(p.unit))}</td><td>{within}</td></tr>"
    )


def _interval(name: str, fit: ModelFit) -> str:
    """The cell of the credible interval, empty where it was not fitted; no cell without a posterior."""
    if fit.posterior is None:
        return ""
    if name not in fit.posterior.names:
        return '<td class="number"></td>'
    low, high = fit.posterior.interval95[name]
    return f'<td class="number">{interval(low, high)}</td>'


def _range(low: float, high: float) -> str:
    if not math.isfinite(low):
        return "no limit" if not math.isfinite(high) else f"at most {significant(high, 4)}"
    if not math.isfinite(high):
        return f"at least {significant(low, 4)}"
    return f"{significant(low, 4)} to {significant(high, 4)}"


def _digest(result: FitResult) -> str:
    digest = hashlib.sha256()
    for column in (result.curve.q, result.curve.intensity, result.dintensity):
        digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
    return digest.hexdigest()


def _select_documented(result: FitResult, groups: Manifest) -> list[str]:
    """Forms and structure factors of the fits that the network knows: sasmodels' own."""
    known_names = {label for head in groups.heads if isinstance(head, Classes) for label in head.labels}
    names = [str(name) for fit in result.fits for name in (fit.model, fit.structure_factor)]
    return list(filter(known_names.__contains__, dict.fromkeys(names)))


def make_footer(result: FitResult, groups: Manifest, origin: str = "") -> str:
    """How to cite, which versions made the page, when and by which command, and from which numbers."""
    from ... import __version__

    origin_text = f"{escape(origin)}. " if origin else ""
    versions = {"sasnet_plugin": __version__} | {name: _version(name) for name in _PROGRAMS}
    listed = ", ".join(f"{name} {number}" for name, number in versions.items())
    sentence = (
        f"Models were suggested, fitted and ranked with sasnet_plugin {__version__} (a neural network trained"
        f" on simulated curves of {len(groups.labels)} models), sasmodels {versions['sasmodels']} and"
        f" bumps {versions['bumps']}."
    )
    pages = ", ".join(
        f'<a href="{_MODEL_PAGE.format(name)}">{escape(name)}</a>'
        for name in _select_documented(result, groups)
    )
    models = f"<p>The papers behind each model are named on its page: {pages}.</p>" if pages else ""
    return (
        "<footer><h2>How to cite</h2>"
        f"<p>“{escape(sentence)}”</p>{models}"
        '<p>How sasmodels and bumps wish to be cited: <a href="https://www.sasview.org">sasview.org</a>,'
        ' <a href="https://bumps.readthedocs.io">bumps.readthedocs.io</a>.</p>'
        f'<p class="small">{origin_text}Data: sha256 of q, I and its error {_digest(result)[:16]}; I in the'
        " unit"
        f" of the file. Made with {escape(listed)}. Network {escape(groups.name)}, training data"
        f" {escape(groups.data_hash[:16])}.</p></footer>"
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
