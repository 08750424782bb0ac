"""One HTML page for a fitted data set: self-contained, in light and dark, safe whatever a title says."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from html import escape
from pathlib import Path

import numpy as np

from sasnet_plugin.fitting.result.fit_result import FitResult

from ...types import Curve, ModelZooError
from ...zoo import Manifest, open_model
from .document import document, put
from .figures import MAX_DRAWN, fit_figure, tree_figure
from .posterior import posterior_section
from .tables import key, made_with, parameter_tables, ranking, reduced_chisq

#: Letters of the file's name and of the entry's title that the page's name takes over.
_NAME_LENGTH = 60


def write_report(result: FitResult, folder: Path, *, groups: Manifest | None = None) -> Path:
    """Write the page of one data set.

    Parameters
    ----------
    result : FitResult
    folder : Path
        Made where it does not exist.
    groups : Manifest, optional
        Of the network whose groups of models are drawn; default: the one that comes with sasnet.

    Returns
    -------
    Path
        The page. The same data set gets the same name again, two data sets never share one.

    Raises
    ------
    SasnetError
        The folder or the page cannot be written.
    ModelZooError
        The network that comes with sasnet is missing or damaged.
    """
    text = page(result, open_model("sas1d").manifest if groups is None else groups)
    path = Path(folder) / page_name(result.curve)
    put(text, path)
    return path


def page_name(curve: Curve) -> str:
    """Name of a curve's page: the file's and the entry's in plain letters, and eight digits of a hash.

    The hash is over the whole names and the data, for titles that differ in other signs only, and for entries
    of one title. No name depends on what else lies in the folder.
    """
    digest = hashlib.sha256(f"{curve.file}\0{curve.entry}\0".encode("utf-8", "surrogatepass"))
    for column in (curve.q, curve.intensity):
        digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
    words = [plain(Path(curve.file).stem), plain(curve.entry)]
    parts = [word for word in dict.fromkeys(words) if word] or ["curve"]
    return "-".join((*parts, digest.hexdigest()[:8])) + ".html"


def plain(text: str) -> str:
    """Letters, digits and underscores of ASCII; what lies between them becomes one hyphen."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", ascii_only).strip("-")[:_NAME_LENGTH].strip("-")


def page(result: FitResult, groups: Manifest) -> str:
    """The whole page as text."""
    curve = result.curve
    file = Path(curve.file).name
    title = curve.entry or file or "Curve"
    source = f'<p class="source"><bdi>{escape(file)}</bdi></p>' if file and file != title else ""
    body = f"""<header>
<p class="eyebrow">Small-angle scattering · models fitted by sasnet</p>
<h1><bdi>{escape(title)}</bdi></h1>
{source}
{_verdict(result)}
{_facts(result)}
</header>
{_notes(result)}
<section>
<h2>Data and fits</h2>
{key(result.fits)}
<figure>{fit_figure(result)}</figure>
<p class="small">Error bars are one standard deviation. Shaded: residuals within 2 σ.{_caption(result)}</p>
</section>
{ranking(result.fits)}
{parameter_tables(result.fits)}
{posterior_section(result.fits)}
{_groups(result, groups)}
{made_with(result, groups)}"""
    return document(f"{title} · fits by sasnet", body)


def _verdict(result: FitResult) -> str:
    best = result.best
    if best is None:
        return '<div class="verdict doubt"><p>No model could be fitted to these data.</p></div>'
    name = f'<span class="name">{escape(best.short_name)}</span>'
    if result.verified:
        first = f"{name} explains the data best."
        second = "Verified: the measurement looks like a simulation of this fit with the same noise."
    else:
        first = f"None of the models tried explains the data; {name} comes closest."
        second = (
            "Not verified: a simulation of this fit with the same noise looks different from the measurement."
        )
    if result.verification is not None:
        second += f" {escape(result.verification.in_words())}"
    fits = "1 fit" if len(result.fits) == 1 else f"{len(result.fits)} fits"
    figures = f"Reduced χ² {reduced_chisq(best.reduced_chisq)}; weight {best.weight:.2f} among {fits}."
    style = "verdict" if result.verified else "verdict doubt"
    return f'<div class="{style}"><p>{first}</p><p>{figures} {second}</p></div>'


def _facts(result: FitResult) -> str:
    curve = result.curve
    facts = [("Points", str(len(curve)))]
    if len(curve):
        facts.append(("q range", f"{curve.q[0]:.3g} to {curve.q[-1]:.3g} Å⁻¹"))
    facts.append(("Resolution", _resolution(curve)))
    facts.append(("Uncertainties", "estimated" if curve.dintensity is None else "as measured"))
    cells = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return f'<dl class="facts">{cells}</dl>'


def _resolution(curve: Curve) -> str:
    if curve.dxl is not None or curve.dxw is not None:
        return "slit"
    if curve.dq is None or not np.any(curve.dq > 0):
        return "not given"
    return f"pinhole, median Δq/q {100 * float(np.median(curve.dq / curve.q)):.2g} %"


def _notes(result: FitResult) -> str:
    notes = dict.fromkeys((*result.curve.notes, *result.notes))
    if not notes:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<section><h2>Notes</h2><ul class="notes">{items}</ul></section>'


def _caption(result: FitResult) -> str:
    count = int(np.sum(result.curve.intensity <= 0))
    left_out = f" The best {MAX_DRAWN} fits are drawn." if len(result.fits) > MAX_DRAWN else ""
    if count == 0 or count == len(result.curve):
        return left_out
    what = "1 point with I ≤ 0 is" if count == 1 else f"{count} points with I ≤ 0 are"
    return f" {what} marked by triangles on the lower edge; the fits use them.{left_out}"


def _groups(result: FitResult, groups: Manifest) -> str:
    if not result.fits:
        return ""
    own: dict[str, list[str]] = {}
    for model in dict.fromkeys(fit.short_model for fit in result.fits):
        home = next((g.name for g in groups.groups if model in g.members), "")
        own.setdefault(home, []).append(model)
    sizes = {g.name: len(g.members) for g in groups.groups}
    items = []
    for home, models in own.items():
        names = ", ".join(f'<span class="name">{escape(m)}</span>' for m in models)
        if not home:
            items.append(f"<li>{names}: not among the models that the network knows.</li>")
        elif sizes[home] == 1:
            items.append(f"<li>{names}: alone.</li>")
        else:
            items.append(f"<li>{names}: in the group “{escape(home)}” of {sizes[home]} models.</li>")
    try:
        tree = f"<figure>{tree_figure(groups, result)}</figure>"
    except ModelZooError:  # a network without a tree still has groups
        tree = ""
    return (
        "<section><h2>Which models are rarely told apart</h2>"
        "<p>Models of one group give curves so alike that data of this kind seldom decide between them: "
        "where one fits, consider the others of its group.</p>"
        f'<ul class="notes">{"".join(items)}</ul>{tree}'
        + (
            '<p class="small">Branches that meet right of the dotted line are one group. Marked ◂: the models'
            " of this answer with their rank.</p>"
            if tree
            else ""
        )
        + "</section>"
    )
