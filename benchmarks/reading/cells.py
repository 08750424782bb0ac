"""What may stand where a number is expected, and around the numbers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial

import numpy as np

from .samples import File, Measurement
from .units import PER_NM

HEAD = "q (1/nm),I,sigma\n"


def some(m: Measurement) -> np.ndarray:
    """Rows without a value: some in the middle, some alone."""
    n = m.truth.q.size
    gone = np.zeros(n, bool)
    gone[n // 3 : n // 3 + 3] = gone[n // 2] = True
    return gone


def holes(cell: str, m: Measurement) -> File:
    """Cells without a value."""
    t, gone = m.truth.pinhole_less, some(m)
    rows = "".join(
        f"{10 * q:.7g},{cell if out else f'{i:.7g}'},{cell if out else f'{e:.6g}'}\n"
        for q, i, e, out in zip(t.q, t.intensity, t.error, gone, strict=True)
    )
    return File(".csv", (HEAD + rows).encode(), ((t.rows(~gone),),))


def written(
    form: str, head: str, m: Measurement, *, refusal: tuple[str, ...] = (), suffix: str = ".txt"
) -> File:
    """Every row by one form of q, I and dI."""
    t = m.truth.pinhole_less
    rows = "".join(
        form.format(q=10 * q, i=i, e=e) + "\n" for q, i, e in zip(t.q, t.intensity, t.error, strict=True)
    )
    return File(suffix, (head.replace("{n}", str(t.q.size)) + rows).encode(), ((t,),), refusal)


def minus(sign: str, m: Measurement) -> File:
    """Exponents that no language reads."""
    t = m.truth.pinhole_less
    body = "".join(
        f"{10 * q:.6e} {i:.6e} {e:.6e}\n" for q, i, e in zip(t.q, t.intensity, t.error, strict=True)
    )
    body = body.replace("e", sign).replace("+", "") if len(sign) > 1 else body.replace("-", sign)
    return File(".txt", ("# q (1/nm) I sigma\n" + body).encode(), ((t,),), ("",))


def brackets(m: Measurement) -> File:
    """Uncertainties of the last digits in brackets, as crystallographers write: 1.2345(67)."""
    t = m.truth.pinhole_less
    scale = 10 ** (np.floor(np.log10(t.error.min())) - 2)
    places = int(max(-np.log10(scale), 0))
    rows = "".join(
        f"{10 * q:.7f}  {i:.{places}f}({round(e / scale)})\n"
        for q, i, e in zip(t.q, t.intensity, t.error, strict=True)
    )
    return File(".txt", ("# q (1/nm)  I(q)\n" + rows).encode(), ((t,), (t.bare,)), ("",))


def as_json(m: Measurement) -> File:
    t = m.truth.pinhole_less
    held = {"q": list(10 * t.q), "I": list(t.intensity), "sigma": list(t.error), "q_unit": "1/nm"}
    return File(".json", json.dumps(held).encode(), ((t,),), ("",))


def as_numpy(m: Measurement) -> File:
    t, held = m.truth.pinhole_less, io.BytesIO()
    np.save(held, np.array([PER_NM * t.q, t.intensity, t.error]))
    return File(".npy", held.getvalue(), (), ("",))


HEADER, PLAIN = "# q (1/nm) I sigma\n", "{q:.7g} {i:.7g} {e:.6g}"
#: Title, form of a row, lines above, and whether to say that it is no table of numbers is right as well.
FORMS = (
    ("`1.23 ± 0.04`", "{q:.7g}  {i:.7g} ± {e:.6g}", "# q (1/nm)  I(q)\n", True),
    ("`1.23 +/- 0.04`", "{q:.7g}\t{i:.7g} +/- {e:.6g}", "# q (1/nm)\tI(q)\n", True),
    ("a table of Markdown", "|{q:.7g}|{i:.7g}|{e:.6g}|", "|q (1/nm)|I|sigma|\n|---|---|---|\n", True),
    ("a table of LaTeX", "{q:.7g} & {i:.7g} & {e:.6g} \\\\", "q (1/nm) & I & $\\sigma$ \\\\\n", True),
    (
        "a table of HTML",
        "<tr><td>{q:.7g}</td><td>{i:.7g}</td><td>{e:.6g}</td></tr>",
        "<table><tr><th>q (1/nm)</th><th>I</th><th>sigma</th></tr>\n",
        True,
    ),
    ("signs before every number", "{q:+.7e} {i:+.7e} {e:+.6e}", HEADER, False),
    ("a remark behind every row", "{q:.7g} {i:.7g} {e:.6g} # ok", HEADER, False),
    ("a letter behind every row", "{q:.7g} {i:.7g} {e:.6g} A", "# q (1/nm) I sigma flag\n", False),
    ("a time before every row", "12:30:01 {q:.7g} {i:.7g} {e:.6g}", "# time q (1/nm) I sigma\n", False),
    (
        "spaces that do not break",
        "{q:.7g}\u00a0{i:.7g}\u00a0{e:.6g}",
        "# q (1/nm)\u00a0I\u00a0sigma\n",
        False,
    ),
)


def ways() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {
        title: partial(written, form, head, refusal=("table",) if exotic else ())
        for title, form, head, exotic in FORMS
    }
    found |= {
        "empty": partial(holes, ""),
        "`#N/A`": partial(holes, "#N/A"),
        "`#DIV/0!`": partial(holes, "#DIV/0!"),
        "`inf`": partial(holes, "inf"),
        "`*****`": partial(holes, "*****"),
        "`1.234(56)`": brackets,
        "the typographer's minus": partial(minus, "\u2212"),
        "`1.2×10^-3`": partial(minus, "×10^"),
        "lines of constants above": partial(
            written, PLAIN, "sample 7, q (1/nm), I, dI\n1.5418 1200 {n}\n0.85 1.0\n",
            refusal=("line", "row", "column"), suffix=".dat",
        ),
        "lines of text that begin with a number": partial(
            written, PLAIN, "2024-05-01 12:00:33\n5 mg/ml BSA, 20 C\n12 frames of 0.5 s\nq(1/nm) I dI\n",
            suffix=".dat",
        ),
        "JSON": as_json,
        "numpy's .npy": as_numpy,
    }  # fmt: skip
    return {f"cells: {title}": way for title, way in found.items()}
