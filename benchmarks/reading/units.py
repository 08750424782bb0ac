"""Where and how a file says what its q is: one table of numbers under many wordings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from .samples import KINDS, Array, File, Measurement, Truth, measured

#: What a note must say where the file is silent of its unit.
ASSUMED = ("assum", "names no unit", "no unit")
PER_NM, PER_UM, PER_CM, PER_M, PER_PM = 10.0, 1e4, 1e8, 1e10, 0.01
S_PER_NM, S_PER_A = 10.0 / (2 * np.pi), 1.0 / (2 * np.pi)
#: Words of the refusal of a unit that nobody knows.
UNKNOWN = ("unit", "furlong")
#: What a refusal of angles names.
ANGLE = ("angle", "2θ", "wavelength")


def text(columns: list[np.ndarray], form: str = "%.6e", gap: str = " ", end: str = "\n") -> str:
    return "".join(gap.join(form % value for value in row) + end for row in zip(*columns, strict=True))


#: Cu Kα₁, Å, and what stands in a column by its name.
CU = 1.540593
COLUMNS: dict[str, Callable[[Measurement], np.ndarray]] = {
    "q": lambda m: m.truth.q,
    "nm": lambda m: m.truth.q * PER_NM,
    "s": lambda m: m.truth.q * S_PER_NM,
    "milli": lambda m: m.truth.q * 1e3,
    "d": lambda m: 2 * np.pi / m.truth.q,
    "lg_q": lambda m: np.log10(m.truth.q),
    "q^2": lambda m: m.truth.q**2,
    "2θ": lambda m: np.degrees(2 * np.arcsin(m.truth.q * CU / (4 * np.pi))),
    "tth": lambda m: np.degrees(2 * np.arcsin(m.truth.q * 1.5406 / (4 * np.pi))),
    "θ": lambda m: np.degrees(np.arcsin(m.truth.q * CU / (4 * np.pi))),
    "I": lambda m: m.truth.intensity,
    "lg_I": lambda m: np.log10(m.truth.intensity),
    "ln_I": lambda m: np.log(m.truth.intensity),
    "dI": lambda m: m.truth.error,
    "dI/%": lambda m: 100 * m.truth.error / m.truth.intensity,
    "dI/I": lambda m: m.truth.error / m.truth.intensity,
    "dI^2": lambda m: m.truth.error**2,
    "1/dI^2": lambda m: 1 / m.truth.error**2,
    "dlg_I": lambda m: m.truth.error / (m.truth.intensity * np.log(10)),
    "dln_I": lambda m: m.truth.error / m.truth.intensity,
    "dQ": lambda m: m.truth.dq,
    "dQ_nm": lambda m: m.truth.dq * PER_NM,
    "dQ/Q": lambda m: m.truth.dq / m.truth.q,
    "dQ/%": lambda m: 100 * m.truth.dq / m.truth.q,
    "fwhm": lambda m: m.truth.dq * 2.3548,
    "fwhm_nm": lambda m: m.truth.dq * 2.3548 * PER_NM,
    "model": lambda m: m.model,
    "residual": lambda m: (m.truth.intensity - m.model) / m.truth.error,
    "cells": lambda m: np.round(30 + 2000 * m.truth.q),
    "pixels": lambda m: np.round(40 + 3000 * m.truth.q),
    "counts": lambda m: np.round((m.truth.intensity / m.truth.error) ** 2 + 50),
    "point": lambda m: np.arange(1.0, m.truth.q.size + 1),
    "0": lambda m: 0 * m.truth.q,
    "1": lambda m: 0 * m.truth.q + 1.0,
    "0.83": lambda m: 0 * m.truth.q + 0.83,
}


@dataclass(frozen=True)
class Table:
    """Names of columns below a head; what is right follows from them."""

    suffix: str
    head: str | tuple[str, ...]  #: Or one of several wordings; {n} points from {low} to {high}.
    columns: str = "q I dI"
    form: str = ""  #: Of a number; drawn where there is none.
    gap: str | tuple[str, ...] = " "
    end: str = "\n"
    foot: str = ""
    file: dict[str, Any] = field(default_factory=dict)  #: More of the `File`.
    #: x, y: functions of q, and of q and the intensity, that stand in the first two columns.
    x: Callable[[Array], Array] | None = None
    y: Callable[[Array, Array], Array] | None = None
    unknown: bool = False  #: Whether nobody can know q, so that only a refusal is right.

    def __call__(self, m: Measurement) -> File:
        t, names = m.truth, self.columns.split()
        head = self.head if isinstance(self.head, str) else m.pick(*self.head)
        form = self.form or m.digits(6, 8)
        gap = self.gap if isinstance(self.gap, str) else m.pick(*self.gap)
        columns = [COLUMNS[name](m) for name in names]
        columns[0] = self.x(t.q) if self.x else columns[0]
        columns[1] = self.y(t.q, t.intensity) if self.y else columns[1]
        rows = text(columns, form, gap, self.end)
        error = (
            t.error if any(name.startswith("dI") or name in ("dlg_I", "dln_I") for name in names) else None
        )
        dq = t.dq if any(name.startswith(("dQ", "fwhm")) for name in names) else None
        is_model = "model" in names and "I" not in names
        right = [(Truth(t.q, m.model if is_model else t.intensity, error, dq),)]
        right += [(t.pinhole_less,)] if "1/dI^2" in names else []  # a weight is understood, or left
        content = (head.format(n=t.q.size, low=t.q[0], high=t.q[-1]) + rows + self.foot).encode()
        return File(self.suffix, content, **({"right": () if self.unknown else tuple(right)} | self.file))


@dataclass(frozen=True)
class Unit:
    """A wording."""

    title: str
    scale: float  #: What q in Å⁻¹ is multiplied by on writing.
    #: above, below, within: lines before, after and in the middle of the numbers.
    above: str = ""
    below: str = ""
    within: str = ""
    suffix: str = ".dat"
    refused: bool = False  #: Whether it must be refused, or said.
    silent: bool = False  #: Whether the file says nothing, so that a note must.


def write(unit: Unit, m: Measurement) -> File:
    """Three columns, q in that unit."""
    t = m.truth.pinhole_less
    rows = text([t.q * unit.scale, t.intensity, t.error], m.digits(), m.pick(" ", "\t", "  ")).splitlines(
        True
    )
    half = len(rows) // 2
    body = "".join(rows[:half]) + unit.within + "".join(rows[half:])
    content = (unit.above + body + unit.below).encode()
    if unit.refused:
        # Read in whatever unit, its numbers are nobody's; a note that names the unit is honest.
        return File(unit.suffix, content, (), UNKNOWN, said=UNKNOWN[1:])
    if unit.silent:
        return File(unit.suffix, content, ((t,),), ("unit",), says=ASSUMED, said=ASSUMED)
    return File(unit.suffix, content, ((t,),))


UNITS = (
    Unit("header, `# q (1/nm)`", PER_NM, "# q (1/nm)  I (a.u.)  sigma\n"),
    Unit("header without comment sign, `q[nm-1]`", PER_NM, "q[nm-1] I[cm-1] dI[cm-1]\n"),
    Unit("header, `Q_nm-1`", PER_NM, "Q_nm-1\tI_q\tErr\n"),
    Unit("header, `nm⁻¹` in Unicode", PER_NM, "# q / nm⁻¹    I / cm⁻¹    ΔI / cm⁻¹\n"),
    Unit("header, `Å⁻¹` in Unicode", 1.0, "# q / Å⁻¹    I / cm⁻¹    σ / cm⁻¹\n"),
    Unit("header, `A^{-1}`", 1.0, "# q [A^{-1}]  I  err\n"),
    Unit("header, `nm^{-1}`", PER_NM, "# $q$ [nm$^{-1}$]  $I(q)$  $\\sigma$\n"),
    Unit("header, `\\AA^{-1}`", 1.0, "# $q\\;(\\mathrm{\\AA}^{-1})$, I, dI\n"),
    Unit("header, `1/um`", PER_UM, "# q(1/um) I(q) err\n"),
    Unit("header, `µm⁻¹`", PER_UM, "# q (µm⁻¹) I(q) err\n"),
    Unit("header, `pm^-1`", PER_PM, "# q (pm^-1) I(q) err\n"),
    Unit("header, `m^-1`", PER_M, "# q (m^-1) I(q) (cm^-1) err\n"),
    Unit("header, `cm^-1` of q", PER_CM, "# q (cm^-1), I (cm^-1), err (cm^-1)\n"),
    Unit("header, `1/m`", PER_M, "q,1/m  I,1/m  dI,1/m\n"),
    Unit("words, `inverse nanometres`", PER_NM, "# momentum transfer in inverse nanometres\n# q I dI\n"),
    Unit("words, `reciprocal angstroms`", 1.0, "# q in reciprocal angstroms; I in 1/cm; uncertainty\n"),
    Unit("words, `angular-unit: nanometer`", PER_NM, "", "\ncreator: datcmp\nangular-unit: nanometer\n"),
    Unit("words, `Angular units: 1/nm` above", PER_NM, "Sample: lysozyme\nAngular units: 1/nm\n"),
    Unit("footer, `Q in 1/nm`", PER_NM, "Sample A\n", "# Q in 1/nm, I in 1/cm\n"),
    Unit("footer, JSON", PER_NM, "", '# {"q_unit": "1/nm", "sample": "A"}\n'),
    Unit("a comment in the middle", PER_NM, "# sample A\n", within="# detector 2, q in nm^-1\n"),
    Unit("key and value, `QUnit = nm^-1`", PER_NM, "# Sample = A\n# QUnit = nm^-1\n# IUnit = cm^-1\n"),
    Unit("`s = 2 sin(theta)/lambda` in 1/nm", S_PER_NM, "# s = 2 sin(theta)/lambda [1/nm]   I(s)   error\n"),
    Unit("`S=2*SIN(THETA)/LAMBDA` in 1/A", S_PER_A, "# S=2*SIN(THETA)/LAMBDA [1/A], INTENSITY, ERROR\n"),
    Unit("`4 pi sin(theta)/lambda` in 1/nm", PER_NM, "# s = 4*pi*sin(theta)/lambda [1/nm], I(s), error\n"),
    Unit("header, `Q(nm)`: sloppy, meant inverse", PER_NM, "Q(nm)\tI\tdI\n"),
    Unit("header, `q (1/Ang)`", 1.0, "# q (1/Ang)   I   error\n"),
    Unit("header, `q (nm**-1)`", PER_NM, "# q (nm**-1)   I   error\n"),
    Unit("header, `q, rad/nm`", PER_NM, "# q, rad/nm\tI, 1/cm\terror, 1/cm\n"),
    Unit("a row of units below the names", PER_NM, "q\tI\tsigma\nnm^-1\tcm^-1\tcm^-1\n"),
    Unit("`# unit of q: 1/nm` above, names apart", PER_NM, "# unit of q: 1/nm\n# sample A\nq I dI\n"),
    Unit("words, `Streuvektor q in nm^-1`", PER_NM, "# Streuvektor q in nm^-1, Intensität, Fehler\n"),
    Unit("long names", PER_NM, "Scattering vector q [1/nm]\tScattered intensity\tStandard deviation\n"),
    Unit("footer, `Q units: nm^{-1}`", PER_NM, "Q I dI\n", "Q units: nm^{-1}\nI units: cm^{-1}\n"),
    Unit(
        "a wavelength in nm, q silent", 1.0, "# wavelength 0.1542 nm, 12 nm particles\nq I dI\n", silent=True
    ),
    Unit("a remark, `q in 1/m`", PER_M, "# q in 1/m\n# Q  I  dI\n"),
    Unit("footer, `unit of q: 1/m`", PER_M, "# Q  I  dI\n", "# unit of q: 1/m\n"),
    Unit("header, `q_nm^{-1}`", PER_NM, "# q_nm^{-1}  I  dI\n"),
    Unit("header, `h_nm^{-1}`, tabs", PER_NM, "h_nm^{-1}\tIexp\tsigma\n"),
    Unit("a wavelength in nm, q in Å⁻¹", 1.0, "# wavelength 0.1542 nm\n# q (A^-1)  I  dI\n"),
    Unit("a distance in m, q in nm⁻¹", PER_NM, "# distance 2.0 m, beam 1 mm, 0.1 nm\n# q (nm^-1)  I  dI\n"),
    Unit("a unit that nobody knows, furlong", 3.0, "# q (1/furlong)  I  dI\n", refused=True),
    Unit("no header at all, in Å⁻¹", 1.0, silent=True),
    Unit("names without a unit, in Å⁻¹", 1.0, "Q I dI\n", silent=True),
    Unit("no header at all, in nm⁻¹", PER_NM, silent=True),
    Unit("a unit of I only, q silent", 1.0, "# q, I (1/cm), dI (1/cm)\n", silent=True),
)


#: q from and to, Å⁻¹: what looks like nm⁻¹ at one end is none.
WINDOWS = (
    ("SAXS and WAXS joined, silent", 0.004, 2.2),
    ("USAXS to WAXS joined, silent", 1.2e-4, 1.6),
    ("USAXS alone, silent", 2e-5, 0.01),
    ("SANS to 0.7 Å⁻¹, silent", 0.004, 0.7),
)


def ranged(low: float, high: float, m: Measurement) -> File:
    """Nothing said of a unit, in Å⁻¹, over another range: assumed, and not doubted."""
    kind = [name for name, *_ in KINDS].index(m.name)
    t = measured(kind, int(m.rng.integers(2**31)), window=(low, high)).truth.pinhole_less
    rows = text([t.q, t.intensity, t.error], m.digits(6, 8))
    return File(".dat", ("q I dI\n" + rows).encode(), ((t,),), says=ASSUMED, said=ASSUMED)


EUROPEAN = str.maketrans({"\t": ";", ".": ","})


def body(columns: list[Array], form: str, gap: str = "\t") -> str:
    return "# q (1/nm)\tI\tdI\n" + text(columns, form, gap)


def quoted(columns: list[Array], form: str, point: str = ".") -> str:
    rows = (",".join(f'"{form % v}"'.replace(".", point) for v in row) for row in zip(*columns, strict=True))
    return '"q (1/nm)","I","dI"\n' + "\n".join(rows) + "\n"


def ragged(columns: list[Array], form: str) -> str:
    lines = enumerate(body(columns, form).splitlines())
    return "".join(" " * (k % 3) + line.replace("\t", "  \t") + " \t\n" for k, line in lines)


def encoded(suffix: str, write: Callable[[list[Array], str], str | bytes], m: Measurement) -> File:
    """One table as other machines and languages write text."""
    t = m.truth.pinhole_less
    content = write([t.q * PER_NM, t.intensity, t.error], m.digits(5, 8))
    return File(suffix, content.encode() if isinstance(content, str) else content, ((t,),))


def stuck(m: Measurement) -> File:
    """Below zero in places, so that the sign of one number sticks to the number before it."""
    t = m.truth.pinhole_less
    lower = t.intensity - np.where(np.arange(t.q.size) > 0.9 * t.q.size, 1.02 * t.intensity, 0.0)
    rows = zip(t.q * PER_NM, lower, np.asarray(t.error), strict=True)
    lines = "".join(f"{q:11.4E}{i:12.5E}{e:12.5E}\n" for q, i, e in rows)
    return File(".txt", f"# q (1/nm) I dI\n{lines}".encode(), ((Truth(t.q, lower, t.error),),))


#: How a table is written, its suffix, and its text or bytes from columns and a form.
ENCODINGS: tuple[tuple[str, str, Callable[[list[Array], str], str | bytes]], ...] = (
    ("Windows' line ends", ".txt", lambda c, f: body(c, f).replace("\n", "\r\n")),
    ("old Macintosh's line ends", ".txt", lambda c, f: body(c, f).replace("\n", "\r")),
    ("Excel's CSV with a byte-order mark", ".csv", lambda c, f: "\ufeff" + body(c, f).replace("\t", ",")),
    ("UTF-16 with a byte-order mark", ".txt", lambda c, f: body(c, f).encode("utf-16")),
    ("Latin-1 with µ", ".txt", lambda c, f: ("# 5 µm pinhole, 20 °C\n" + body(c, f)).encode("latin-1")),
    ("European CSV: decimal comma and `;`", ".csv", lambda c, f: body(c, f).translate(EUROPEAN)),
    ("CSV, decimal commas in quotes", ".csv", lambda c, f: quoted(c, f, ",")),
    ("UTF-16 without a byte-order mark", ".txt", lambda c, f: body(c, f).encode("utf-16-le")),
    ("spaces and tabs before, between and after", ".txt", ragged),
    ("decimal comma and tabs", ".txt", lambda c, f: body(c, f).replace(".", ",")),
    ("Fortran's `1.0D-03`", ".txt", lambda c, f: body(c, f).replace("e", "D")),
    ("CSV, every number in quotes", ".csv", quoted),
    ("Fortran's fixed width, numbers just apart", ".txt", lambda c, f: body(c, "%12.5E", "")),
)


def ways() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {f"unit: {u.title}": partial(write, u) for u in UNITS}
    found |= {f"unit: {title}": partial(ranged, low, high) for title, low, high in WINDOWS}
    return (
        found
        | {f"text: {title}": partial(encoded, suffix, write) for title, suffix, write in ENCODINGS}
        | {"text: Fortran's fixed width, a minus stuck to the number before": stuck}
    )
