"""The overview of many data sets: thumbnails in a table to sort and to filter, and the same as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...files import put_whole, read_text
from ...types import Curve, make_shown_name, printable
from . import document

#: The page's name, and the head of the CSV, by which sasnet knows its own file.
INDEX, HEAD = (
    "index.html",
    "file,entry,answer,model,structure_factor,probability,group,in_scope,reduced_chisq,rg,rg_error,rg_network,note"
    ",q_unit",
)
#: Pixels of a thumbnail, and points at most.
_WIDTH, _HEIGHT, _POINTS = 120, 48, 80
#: A network's share of a model, and that of a fit, which is no probability.
_SHARE, _WEIGHT = "Probability", "Weight"
_SORTED = ("Data set", "Answer", "Model", _SHARE, "Reduced χ²")


@dataclass(frozen=True)
class Row:
    """One data set."""

    file: str
    entry: str
    answer: str  #: The headline, or why there is none.
    model: str = ""
    structure_factor: str = ""
    group: str = ""
    probability: float | None = None
    in_scope: float | None = None
    reduced_chisq: float | None = None
    level: str = ""  #: Empty where the answer can be relied on, ``doubt``, or ``wrong``.
    note: str = ""
    page: str = ""  #: Name of its own page in the same folder; empty where it has none.
    thumbnail: str = ""
    q_unit: str = ""  #: Of a curve: the unit that q was read in, and whether that was assumed.
    #: rg, rg_error, rg_network: radius of gyration by Guinier's law, else the network's, Å, and the error of
    #: the former.
    rg: float | None = None
    rg_error: float | None = None
    rg_network: float | None = None
    weight: float | None = None  #: Of a fit: its share of the evidence among those that were fitted.


def thumbnail(measurement: Any, theory: NDArray[np.float64] | None = None) -> str:
    """Draw log I against log q small, with a fit (n,) through it; empty for an image."""
    if not isinstance(measurement, Curve):
        return ""
    q, intensity = measurement.q, measurement.intensity
    good = intensity > 0
    if np.count_nonzero(good) < 2:
        return ""
    low, high = (float(v) for v in np.log(np.percentile(intensity[good], [1, 100])))
    low_end, right = float(np.log(q[0])), float(np.log(q[-1]))

    def points(y: NDArray[np.float64]) -> list[tuple[float, float]]:
        indices = np.flatnonzero(np.isfinite(y) & (y > 0))
        indices = indices[:: max(1, indices.size // _POINTS)]
        across = 2 + (_WIDTH - 4) * (np.log(q[indices]) - low_end) / max(right - low_end, 1e-9)
        up = (_HEIGHT - 4) * (np.log(y[indices]) - low) / max(high - low, 1e-9)
        return list(zip(across.tolist(), (_HEIGHT - 2 - np.clip(up, -2, _HEIGHT)).tolist(), strict=True))

    dots = "".join(f"M{x:.1f} {y:.1f}h.1" for x, y in points(intensity))
    line = "" if theory is None else " ".join(f"{x:.1f},{y:.1f}" for x, y in points(theory))
    style = "fill:none;stroke:var(--fit1);stroke-width:1.4"
    line_mark = f'<polyline points="{line}" style="{style}"/>' if line else ""
    return (
        f'<svg class="thumb" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">'
        f'<path d="{dots}"'
        f' style="stroke:var(--data);stroke-width:2.2;stroke-linecap:round"/>{line_mark}</svg>'
    )


_STYLE = "\n" + read_text(__file__, "overview.css")


def write_overview(rows: Sequence[Row], folder: Path, title: str) -> Path:
    """Write ``index.html`` over the data sets of a folder. Raises SasnetError on failure."""
    fitted = any(row.reduced_chisq is not None for row in rows)
    names = (_WEIGHT if fitted and name == _SHARE else name for name in _SORTED)
    first, *other_buttons = (f"<button type=button>{name}</button>" for name in names)
    columns = [first, "Curve", *other_buttons][: 6 if fitted else 5]
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    failed = sum(not row.model for row in rows)
    sets = f"{len(rows)} data sets" if rows[1:] else "1 data set"
    failed_text = f", {failed} without an answer" if failed else ""
    body = f"""<header><p class="eyebrow">Small-angle scattering · read by sasnet</p>
<h1><bdi>{escape(title)}</bdi></h1><p class="source">{sets}{failed_text}</p></header>
<input type="search" placeholder="Show those with …" aria-label="Show the rows that hold these words">
<div class="wide"><table{' class="fits"' if fitted else ""}><thead><tr>{head}</tr></thead>
{_bodies(rows, len(columns))}</table></div>"""
    text = document.document(f"{title} · sasnet", body, scripts=[_script()], style=_STYLE)
    return document.write_page(folder / INDEX, text)


@cache
def _script() -> str:
    return read_text(__file__, "overview.js")


def _bodies(rows: Sequence[Row], columns: int) -> str:
    """A body of the table for each file, the entries of one with several below its name."""
    files: dict[str, list[Row]] = {}
    for row in rows:
        files.setdefault(row.file, []).append(row)
    bodies = []
    for of_one in files.values():
        lines = "".join(_html(row, columns, is_single=len(of_one) == 1) for row in of_one)
        bodies.append(f"<tbody>{_file(of_one, columns)}{lines}</tbody>\n")
    return "".join(bodies)


def _file(rows: Sequence[Row], columns: int) -> str:
    """The line above the entries of a file: how many there are, and of which models; empty above one."""
    if len(rows) == 1:
        return ""
    models = Counter(filter(None, (row.model for row in rows)))
    listed = ", ".join(f"{model} {count}" for model, count in models.most_common(3))
    more_text = f" and {len(models) - 3} more models" if len(models) > 3 else ""
    text = f"{len(rows)} entries{': ' if listed else ''}{listed}{more_text}"
    name = escape(printable(Path(rows[0].file).name))
    return (
        f'<tr class="file"><td colspan="{columns}"><button type="button" aria-expanded="true">{name}</button>'
        f' <span class="small">{escape(text)}</span></td></tr>\n'
    )


def _html(row: Row, columns: int, *, is_single: bool = True) -> str:
    """A row; `is_single`: its file has no other."""
    name = printable(
        make_shown_name(row.file, row.entry) if is_single else row.entry or make_shown_name(row.file, "")
    )
    link = f'<a href="{escape(row.page)}">{escape(name)}</a>' if row.page else escape(name)
    model = f"{row.model}@{row.structure_factor}" if row.structure_factor else row.model
    note = f'<span class="small" title="{escape(row.note)}">{escape(row.note)}</span>' if row.note else ""
    part = row.probability if row.weight is None else row.weight
    share = "" if part is None else f"{100 * part:.0f} %"
    cells = (
        (name, link, ""),
        ("", row.thumbnail, ""),
        (row.answer, f"{escape(row.answer).replace(' %', '&nbsp;%')}{note}", f"answer {row.level}".strip()),
        (model, f'<span class="name">{allow_breaks(model)}</span>', ""),
        (_plain(part), share, "number"),
        (_plain(row.reduced_chisq), _plain(row.reduced_chisq), "number"),
    )
    made_cells = (
        f'<td class="{style}" data-value="{escape(value)}">{html}</td>'
        for value, html, style in cells[:columns]
    )
    kind = "" if is_single else ' class="entry"'
    return f"<tr{kind}>{''.join(made_cells)}</tr>\n"


def allow_breaks(name: str) -> str:
    """A model's name, escaped, that a browser may break where its words end."""
    return re.sub("([_@])", r"\1<wbr>", escape(name))


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def write_csv(rows: Sequence[Row], path: Path) -> Path:
    """Write one line for each data set. Raises SasnetError if that fails."""
    text = io.StringIO()
    text.write(f"{HEAD},weight\n")
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(
            [printable(row.file), row.entry, row.answer, row.model, row.structure_factor,
             _plain(row.probability), row.group, _plain(row.in_scope), _plain(row.reduced_chisq),
             _plain(row.rg), _plain(row.rg_error), _plain(row.rg_network), row.note, row.q_unit,
             _plain(row.weight)]
        )  # fmt: skip
    put_whole(path, text.getvalue().encode("utf-8", "replace"), "table")
    return path
