"""What stands in which column: named and nameless, in all orders that people and programs write.

Each function writes one measurement in one layout and says what is right. A column that is neither
q nor intensity nor their uncertainties must never become one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from .samples import Array, File, Measurement, Truth
from .units import ASSUMED, PER_NM, Table, text

UNIT = "# q in 1/A\n"


def basic(m: Measurement) -> list[Array]:
    """q, I, dI."""
    return [m.truth.q, m.truth.intensity, m.truth.error]


def subtracted(m: Measurement) -> File:
    t = m.truth.pinhole_less
    buffer = np.full(t.q.size, 0.3 * t.intensity.max()) + 0.2 * t.error
    sample = t.intensity + buffer
    head = "q(1/A),I_sample,I_buffer,I_subtracted,sigma_subtracted\n"
    rows = text([t.q, sample, buffer, t.intensity, t.error], m.digits(), ",")
    three = (Truth(t.q, sample), Truth(t.q, buffer), t)
    return File(".csv", (head + rows).encode(), ((t,), three), ("sample", "column", "data set"))


def frames(m: Measurement) -> File:
    t = m.truth
    series = [t.intensity * (1 + 0.01 * k) for k in range(8)]
    head = "# q[1/nm]\t" + "\t".join(f"frame_{k:03d}" for k in range(8)) + "\n"
    rows = text([t.q * PER_NM, *series], m.digits(), "\t")
    right = tuple(Truth(t.q, one) for one in series)
    return File(".dat", (head + rows).encode(), (right,), ("frame", "column", "data set", "sample"))


def transposed(m: Measurement) -> File:
    """One row of q, one of I, one of dI."""
    t = m.truth.pinhole_less
    lines = [
        name + "," + ",".join(f"{v:.7g}" for v in values)
        for name, values in zip(("q (1/A)", "I", "dI"), basic(m), strict=True)
    ]
    return File(".csv", ("\n".join(lines) + "\n").encode(), ((t,),), ("",))


def descending(m: Measurement) -> File:
    rows = text([c[::-1] for c in basic(m)], m.digits())
    return File(".dat", (UNIT + "q I dI\n" + rows).encode(), ((m.truth.pinhole_less,),))


def negative_half(m: Measurement) -> File:
    """A line cut through the beam: q below zero as well."""
    t = m.truth.pinhole_less
    q = np.r_[-t.q[::-1], t.q]
    rows = text([q, np.r_[t.intensity[::-1], t.intensity], np.r_[t.error[::-1], t.error]], m.digits(6, 8))
    mean = replace(t, error=t.error / np.sqrt(2))
    return File(".dat", ("# q(1/A) I dI\n" + rows).encode(), ((t,), (mean,)), ("negative", "below zero"))


def marked(mark: tuple[str, str], m: Measurement) -> File:
    """Rows that the beamstop masks are marked by what stands for I and dI."""
    t = m.truth.pinhole_less
    masked = np.arange(t.q.size) < int(m.rng.integers(4, 12))
    masked |= (t.q > 0.6 * t.q.max()) & (t.q < 0.64 * t.q.max())
    rows = "".join(
        f"{q:.7g} {mark[0]} {mark[1]}\n" if gone else f"{q:.7g} {i:.7g} {e:.6g}\n"
        for q, i, e, gone in zip(t.q, t.intensity, t.error, masked, strict=True)
    )
    return File(".dat", ("# q (1/A) I dI\n" + rows).encode(), ((t.rows(~masked),),))


def trailing(m: Measurement) -> File:
    """Statistics below the table."""
    t = m.truth.pinhole_less
    foot = f"\nNumber of points: {t.q.size}\nMean I: {t.intensity.mean():.4g}\n"
    foot += f"Sum {t.q.sum():.5g} {t.intensity.sum():.5g} {t.error.sum():.5g}\n"
    return File(".txt", ("q/1/A I dI\n" + text(basic(m), m.digits()) + foot).encode(), ((t,),))


def two_tables(m: Measurement) -> File:
    """Two samples one below the other."""
    t = m.truth.pinhole_less
    second = Truth(t.q[::2], 3.1 * m.model[::2] + t.error[::2], 1.5 * t.error[::2])
    one = "# sample: A\n# q(1/nm) I dI\n" + text([t.q * PER_NM, t.intensity, t.error], m.digits())
    two = text([second.q * PER_NM, second.intensity, second.error], m.digits())
    content = (one + "\n\n# sample: B\n# q(1/nm) I dI\n" + two).encode()
    return File(".dat", content, ((t, second),), ("table", "data set"))


def origin(m: Measurement) -> File:
    """Origin's export: long names, units and comments above the numbers."""
    head = "q\tI\tdI\nnm\\+(-1)\tcm\\+(-1)\tcm\\+(-1)\nscattering vector\tsample 3\t\n"
    t = m.truth.pinhole_less
    rows = text([t.q * PER_NM, t.intensity, t.error], m.digits(), "\t")
    return File(".txt", (head + rows).encode(), ((t,),))


def spreadsheet(m: Measurement) -> File:
    """A sheet saved as CSV: a title, empty columns, empty lines at the end."""
    t = m.truth.pinhole_less
    rows = text([t.q * PER_NM, t.intensity, t.error], m.digits(), ",", ",,\n")
    head = "My sample 12,,,,\n,,,,\nq / nm^-1,I(q),sigma,,\n"
    return File(".csv", (head + rows + ",,,,\n,,,,\n").encode(), ((t,),))


def merged(m: Measurement) -> File:
    """Three detectors joined, which one in the last column."""
    t = m.truth.pinhole_less
    detector = 1 + np.digitize(np.arange(t.q.size), [t.q.size // 3, 2 * t.q.size // 3])
    names = m.pick("# q(1/A) I dI detector", "# q(1/A) I dI flag", "# q(1/A) I dI det_no")
    return File(".dat", (names + "\n" + text([*basic(m), detector], m.digits())).encode(), ((t,),))


def log_i(names: str, columns: str) -> Table:
    """A logarithm of the intensity alone."""
    return Table(".dat", names + "\n", columns, "%.9f", "\t", file={"refusal": ("log", "ln")})


def transformed(names: str, power: int, words: tuple[str, ...], m: Measurement) -> File:
    """Kratky's and Porod's: q^n I."""
    t = m.truth.pinhole_less
    rows = text([t.q, t.intensity * t.q**power, t.error * t.q**power], m.digits(6, 8))
    return File(".dat", (names + "\n" + rows).encode(), ((t,), (t.bare,)), words)


def distances(m: Measurement) -> File:
    """p(r), which is no scattering curve."""
    r = np.linspace(0, 130, 80)
    p = r**2 * np.clip(1 - r / 130, 0, None) ** 2
    rows = text([r, p, 0.01 * p + 1e-3], "%.5e")
    return File(".dat", ("# R (A)   P(R)   ERROR\n" + rows).encode(), (), ("distance", "p(r)", "scattering"))


def two_dimensional(m: Measurement) -> File:
    """Qx, Qy, I."""
    side = np.linspace(-0.2, 0.2, 24)
    x, y = (one.ravel() for one in np.meshgrid(side, side))
    i = np.interp(np.hypot(x, y), m.truth.q, m.model)
    head = "Data columns are Qx - Qy - I(Qx,Qy) - err(I)\n\nASCII data created Fri, Jul 5, 2024\n\n"
    return File(
        ".dat", (head + text([x, y, i, 0.02 * i], "%.6e")).encode(), (), ("2d", "two-dim", "image", "qy")
    )


def overlapping(m: Measurement) -> File:
    """Two detectors one after the other, their ranges overlap: one curve."""
    t = m.truth.pinhole_less
    half, lap = t.q.size // 2, t.q.size // 8
    far = [
        np.r_[c[: half + lap], c[half - lap :] * f] for c, f in zip(basic(m), (1.0003, 1.0, 1.0), strict=True)
    ]
    order = np.argsort(far[0], kind="stable")
    truth = Truth(*(c[order] for c in far))
    return File(
        ".dat", ("# q(1/A) I dI\n" + text(far, m.digits(7, 9))).encode(), ((truth,),), ("twice", "overlap")
    )


def two_settings(m: Measurement) -> File:
    """The same sample in two settings, each with a header of its own."""
    t = m.truth.pinhole_less
    half = np.arange(t.q.size) < t.q.size // 2
    blocks = [t.rows(half), t.rows(~half)]
    content = "".join(
        f"# sample 5, {d} m\n# q(1/A) I dI\n" + text([b.q, b.intensity, b.error], m.digits()) + "\n"
        for d, b in zip((8, 2), blocks, strict=True)
    )
    return File(".dat", content.encode(), ((t,), tuple(blocks)), ("table", "data set"))


def tidy(m: Measurement) -> File:
    """The sample's name in every row, as statisticians write tables."""
    t = m.truth.pinhole_less
    second = Truth(t.q, 3.1 * m.model + t.error, 1.5 * t.error)
    rows = "".join(
        f"{name},{q:.7g},{i:.7g},{e:.6g}\n"
        for name, one in (("A", t), ("B", second))
        for q, i, e in zip(one.q, one.intensity, one.error, strict=True)
    )
    head = "sample,q (1/A),I,sigma\n"
    return File(".csv", (head + rows).encode(), ((t, second),), ("sample", "column", "data set", "table"))


def q_last(remark: str, unit: str, m: Measurement) -> File:
    """The scattering vector last, below a remark whose unit is not its own."""
    t = m.truth.pinhole_less
    scale = PER_NM if "nm" in unit else 1.0
    rows = text([t.intensity, t.error, t.q * scale], m.digits(6, 8), "\t")
    lines = remark + (f"# q in {unit}\n" if unit else "") + "# Iexp\tError\tq\n"
    return File(".dat", (lines + rows).encode(), ((t,),), says=() if unit else ASSUMED)


def buffer_nameless(m: Measurement) -> File:
    """q, sample and a second, larger curve, without names."""
    t = m.truth.bare
    second = Truth(t.q, 1.7 * m.model + 0.4 * m.truth.error)
    rows = text([t.q, t.intensity, second.intensity], m.digits())
    return File(".dat", (UNIT + rows).encode(), ((t,), (t, second)), ("column", "sample"))


#: Names above the numbers, and what stands in the columns.
NAMED = {
    "q I sigma model residual": "q I dI model residual", "Q Iobs Icalc dI": "q I model dI",
    "q,I_fit,I_exp,err": "q model I dI", "q I error(%)": "q I dI/%", "q I dI/I": "q I dI/I",
    "q I rel_err": "q I dI/I", "q I variance": "q I dI^2", "q I weight": "q I 1/dI^2",
    "q I counts": "q I counts", "q I sigma npix": "q I dI pixels", "q I sigma Trans": "q I dI 0.83",
    "I q dI": "I q dI", "dI I q": "dI I q", "point q I dI": "point q I dI", "Q I dI dQ": "q I dI dQ",
    "Q dQ I dI": "q dQ I dI", "q I dq`, no uncertainty": "q I dQ", "2theta q I dI": "tth q I dI",
}  # fmt: skip
NAMELESS = (
    "q I dI dQ", "q I dI", "q I", "q I model", "q I I", "q I dI model", "q I model dI", "q I dI 1",
    "q I dI residual", "q I dI pixels",
)  # fmt: skip


def ways() -> dict[str, Callable[[Measurement], File]]:
    rest: dict[str, Callable[[Measurement], File]] = {
        "sample, buffer and subtracted": subtracted,
        "eight frames side by side": frames,
        "rows instead of columns": transposed,
        "q descending": descending,
        "q below zero too": negative_half,
        "masked rows NaN": partial(marked, ("NaN", "NaN")),
        "masked rows 0 0": partial(marked, ("0", "0")),
        "masked rows 0 -1": partial(marked, ("0", "-1")),
        "masked rows -1 -1": partial(marked, ("-1", "-1")),
        "masked rows `--`": partial(marked, ("--", "--")),
        "statistics below": trailing,
        "two tables in one file": two_tables,
        "two detectors that overlap, one below the other": overlapping,
        "two settings, one below the other": two_settings,
        "the sample's name in every row": tidy,
        "q last below `thickness: 1 mm`, silent": partial(q_last, "# thickness: 1 mm\n", ""),
        "q last below `absolute scale, cm^-1`, silent": partial(q_last, "# absolute scale, cm^-1\n", ""),
        "q last below `sample: 12 nm particles`, silent": partial(q_last, "# sample: 12 nm particles\n", ""),
        "q last below `absolute scale, cm^-1`, in nm⁻¹": partial(q_last, "# absolute scale, cm^-1\n", "nm⁻¹"),
        "q last below `wavelength 0.1542 nm`, in 1/A": partial(q_last, "# wavelength 0.1542 nm\n", "1/A"),
        "Origin: names, units, comments": origin,
        "a sheet as CSV with empty columns": spreadsheet,
        "three detectors joined, flagged": merged,
        "log10 q, log10 I": Table(
            ".dat", ("log10(q [1/A]) log10(I)\n", "# log10(q)/A^-1  log10(I)\n", "log(q/A-1)\tlog(I)\n"),
            "lg_q lg_I", "%.8f", file={"refusal": ("log",)},
        ),
        "q, ln I": log_i("q (1/A)\tln(I)", "q ln_I"),
        "q, log10 I": log_i("# q[A-1]\tlog10(I)", "q lg_I"),
        "q, lg I nameless but for a comment": log_i("# q in A^-1, log10 of the intensity", "q lg_I"),
        "q², ln I (Guinier)": Table(
            ".dat", ("q^2 (1/A^2)\tln(I)\n", "# Q2(A-2) lnI\n", "q² [Å⁻²] ln I\n"), "q^2 ln_I", "%.9e", "\t",
            file={"refusal": ("guinier", "logarithm", "ln", "q²", "q^2")},
        ),
        "q, q²I, q²dI (Kratky)": partial(transformed, "q(1/A) q^2*I q^2*dI", 2, ("kratky", "q²", "q^2")),
        "q, q⁴I, q⁴dI (Porod)": partial(transformed, "q(1/A) I*q^4 dI*q^4", 4, ("porod", "q⁴", "q^4")),
        "d = 2π/q": Table(".dat", "# d-spacing (A)  I  dI\n", "d I dI", file={"refusal": ("spacing",)}),
        "p(r)": distances,
        "Qx, Qy, I": two_dimensional,
        "nameless second, larger curve": buffer_nameless,
    }  # fmt: skip
    found: dict[str, Callable[[Measurement], File]] = {}
    for names, columns in NAMED.items():
        head = UNIT + names.partition("`")[0].replace(",", "\t") + "\n"
        title = f"named `{names}" + "`" * ("`" not in names)
        found[title] = Table(".dat", head, columns, gap=(" ", "\t"))
    for columns in NAMELESS:
        table = Table(".dat", "", columns, gap=(" ", "\t", ", "), file={"says": ASSUMED})
        found[f"nameless {columns.replace('dQ', 'dq')}"] = table
    return {f"columns: {title}": way for title, way in (found | rest).items()}
