"""Names of pages and exports: those of file and entry, and a number where other data have them already.

Figures are drawn in placeholder colours that nothing else uses; in the page each of them becomes a CSS
variable, so that a figure follows the reader's light or dark mode without being drawn twice.
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...files import MARK, put_whole, read_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# --- Names of pages and exports: those of file and entry, and a number where other data have them
# --- already.

#: Letters of the file's name and of the entry's title that a page's name takes over.
_NAME_LENGTH = 60
#: Whose a page is, in its head.
OWN = '<meta name="sasnet-data" content="{}">'
#: The overview's name, and those that Windows has for devices.
_TAKEN = re.compile(r"index|con|prn|aux|nul|(?:com|lpt)\d", re.IGNORECASE)


def identity(file: str, entry: str, *columns: ArrayLike) -> str:
    """Sixteen digits by which a page knows whose it is: of the names and of what was measured."""
    # Not of the folder that the file was named with: the same data are the same from wherever they are named.
    digest = hashlib.sha256(f"{Path(file).name}\0{entry}\0".encode("utf-8", "surrogatepass"))
    for column in columns:
        digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
    return digest.hexdigest()[:16]


def stem(file: str, entry: str, default: str) -> str:
    """The file's and the entry's name in plain letters, `default` where they have none."""
    words = [plain(Path(file).stem), plain(entry)]
    return "-".join([word for word in dict.fromkeys(words) if word] or [default])


def free_name(folder: Path, start: str, ending: str, mark: str, own_identity: str) -> str:
    """Return a name in a folder without a file of other data, numbered only if needed."""
    # `mark` is in every such file of sasnet; a file without it keeps its name, so that `files.check_output`
    # refuses. `own` is in files of these data.
    for number in count(1):
        if number == 1 and _TAKEN.fullmatch(start):
            continue
        name = f"{start}{'' if number == 1 else f'-{number}'}{ending}"
        try:
            text = (Path(folder) / name).read_text(encoding="utf-8", errors="replace")
        except OSError:  # none, or one that whoever writes it will name
            return name
        if mark not in text or own_identity in text:
            return name
    raise AssertionError


def page_name(folder: Path, file: str, entry: str, own_identity: str, *, default: str) -> str:
    """Name a measurement's page: the same data get the same name, others never; `own_identity` of `identity`,
    `default` for names without plain letters.
    """
    return free_name(folder, stem(file, entry, default), ".html", MARK, OWN.format(own_identity))


def plain(text: str) -> str:
    """Letters, digits and underscores of ASCII; what lies between them becomes one hyphen."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", ascii_only).strip("-")[:_NAME_LENGTH].strip("-")


# --- The frame of every page of a report: one file that loads nothing, one set of colours by day,
# --- one by night.

#: Colour by role, (light, dark). The fits' colours differ in lightness as well as in hue (after Okabe & Ito,
#: https://jfly.uni-koeln.de/color), and their lines in dashes, so that no reader depends on hue.
COLOURS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "page": ("#ffffff", "#14181d"), "panel": ("#f5f7f9", "#1c2229"), "ink": ("#1a2129", "#e4e9ee"),
    "muted": ("#5a6672", "#9aa7b4"), "line": ("#d5dce3", "#343d47"), "data": ("#7b8794", "#8b98a5"),
    "good": ("#11734b", "#5fd3a0"), "warn": ("#93520a", "#f2b35e"), "bad": ("#a8242a", "#ff8a80"),
    "fit1": ("#0b5fa8", "#6db6ff"), "fit2": ("#c4500a", "#ff9d57"), "fit3": ("#127a5a", "#4fd0a3"),
    "fit4": ("#9a3f87", "#e796d4"),
})  # fmt: skip
#: Colours of the fits that are drawn, best first, and their dashes (SVG's ``stroke-dasharray``, in points).
FITS = ("fit1", "fit2", "fit3", "fit4")
DASHES: tuple[tuple[float, ...], ...] = ((), (7, 2.5), (2, 2), (8, 2, 1.5, 2))


def placeholder(role: str) -> str:
    """The colour that stands for a role while a figure is drawn, ``#fe01xx``."""
    return f"#fe01{list(COLOURS).index(role):02x}"


def use_page_colours(svg: str) -> str:
    """Replace each placeholder by its CSS variable."""
    for role in COLOURS:
        svg = svg.replace(placeholder(role), f"var(--{role})")
    return svg


def _variables(index: int) -> str:
    return "".join(f"--{role}:{pair[index]};" for role, pair in COLOURS.items())


#: Colours by day, by night and on paper, then the style sheet.
CSS = f"""
:root {{ color-scheme: light dark; {_variables(0)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_variables(1)} }} }}
@media print {{ :root {{ color-scheme: light; {_variables(0)} }} section {{ break-inside: avoid-page; }} }}
{read_text(__file__, "document.css")}"""


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


def inline_svg(figure: Figure, name: str, label: str, *, whole: bool = False) -> str:
    """The figure as one ``svg`` element that follows the page's width, font and colours."""
    # `whole`: as narrow as a phone, with larger letters there; else it is moved sideways there.

    figure.patch.set_visible(False)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<style.*?</style>|<metadata.*?</metadata>", "", svg, flags=re.DOTALL)
    box = re.search(r'viewBox="[^"]*"', svg)
    assert box is not None
    svg = re.sub(
        r"<svg[^>]*>",
        f'<svg {box[0]} role="img" aria-label="{escape(label)}"{" class=whole" if whole else ""}>',
        svg,
        count=1,
    ).strip()
    # Several figures share the page: each keeps its ids to itself.
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"font: (\w* ?)([\d.]+)px [^;\"]*", r"font-weight: \1; font-size: \2px", svg)
    svg = svg.replace("font-weight: ; ", "").replace("xlink:href", "href")
    # A hundredth of a point is finer than any screen.
    svg = re.sub(r' (?:d|x|y|transform)="[^"]*"', lambda m: re.sub(r"(\.\d\d)\d+", r"\1", m[0]), svg)
    svg = re.sub(r"\s*\n\s*", "\n", svg)
    # Markers of one style have it from their group.
    same = r'<use [^>]*?( style="[^"]*")/>(?:\n<use [^>]*?\1/>)+'
    return use_page_colours(re.sub(same, lambda m: f"<g{m[1]}>{m[0].replace(m[1], '')}</g>", svg))


def policy(scripts: Sequence[str], *, pictures: bool) -> str:
    """Nothing is loaded, and nothing runs but these scripts, even if some text escaped its escaping."""
    digests = (b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    run = f" script-src {allowed};" if allowed else ""
    image_policy = "; img-src data:" if pictures else ""
    return (
        f"default-src 'none';{run} style-src 'unsafe-inline'; base-uri 'none'; form-action"
        f" 'none'{image_policy}"
    )


def document(
    title: str,
    body: str,
    *,
    pictures: bool = False,
    identity: str = "",
    scripts: Sequence[str] = (),
    style: str = "",
) -> str:
    """Return a whole page as text."""
    # `title` is escaped here; `pictures`: it holds pixel images; `own` identifies its data (`identity`); only
    # `scripts` run; `style` is added CSS.
    run = "".join(f"<script>{script}</script>\n" for script in scripts)
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(scripts, pictures=pictures)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="{MARK}">
{OWN.format(identity) if identity else ""}
<title>{escape(title)}</title>
<style>{CSS}{style}</style>
</head>
<body>
<main>
{body}
</main>
{run}</body>
</html>
"""
    # A title may hold what no HTML in UTF-8 can: control characters and halves of surrogate pairs.
    text = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\ufffd", text)
    return text.encode("utf-8", "replace").decode("utf-8")


def verdict(first: str, second: str = "", *, level: str = "") -> str:
    """Return the box with the answer, HTML; `level` is empty, ``doubt`` or ``wrong``."""
    paragraph = f"<p>{second}</p>" if second else ""
    return f'<div class="verdict{f" {level}" if level else ""}"><p>{first}</p>{paragraph}</div>'


def facts(values: Mapping[str, str]) -> str:
    """A row of facts under their names, escaped here; empty where there are none."""
    cells = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in values.items())
    return f'<dl class="facts">{cells}</dl>' if cells else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts, escaped here, that scrolls sideways on a narrow screen."""
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    top = f"<thead><tr>{cells}</tr></thead>" if head else ""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table>{top}<tbody>{body}</tbody></table></div>'


def notes(sentences: Iterable[str]) -> str:
    """A section of sentences, escaped here, each said once; empty where there are none."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in dict.fromkeys(sentences))
    return f'<section><h2>Notes</h2><ul class="notes">{items}</ul></section>' if items else ""


def write_page(path: Path, text: str) -> Path:
    """Write a page in one step, with its folder. Raises SasnetError if that fails."""
    put_whole(path, text.encode("utf-8"), "report", make_folder=True)
    return path
