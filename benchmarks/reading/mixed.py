"""Layouts put together at random: names, units, order, separators, remarks and line ends of all sorts.

Each recipe draws its parts anew with every seed, so that other seeds are files that nobody has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .samples import Array, File, Measurement, Truth
from .units import ASSUMED

RECIPES = 48
#: Unit and what q in Å⁻¹ is multiplied by.
UNITS = (
    ("1/nm", 10.0), ("nm^-1", 10.0), ("nm-1", 10.0), ("nm⁻¹", 10.0), ("nm^{-1}", 10.0), ("1/A", 1.0),
    ("A^-1", 1.0), ("Å⁻¹", 1.0), ("A-1", 1.0), ("1/Angstrom", 1.0), ("1/um", 1e4), ("1/m", 1e10),
)  # fmt: skip
Q, INTENSITY, ERROR = (
    ("q", "Q", "s", "h"),
    ("I", "I(q)", "Intensity", "Iexp", "I_obs"),
    ("dI", "sigma", "err", "Error"),
)
DQ, MODEL = ("dQ", "sigma_q", "Qdev", "Resolution"), ("Ifit", "model", "I_calc", "Fit", "theory")
OTHER = ("npix", "point", "Residuals", "counts")
REMARKS = (
    "wavelength 0.1542 nm", "Sample detector distance = 1.5 m", "beam 0.2 mm x 0.3 mm", "thickness: 1 mm",
    "sample: 12 nm particles in water", "energy 12.4 keV", "Temperature = 293 K", "exposure 10 x 0.5 s",
    "transmission 0.83", "normalized to absolute scale, cm^-1",
)  # fmt: skip


def columns(m: Measurement, scale: float) -> tuple[list[tuple[str, Array]], Truth]:
    """Names and numbers, and what they mean."""
    t = m.truth
    found = [(m.pick(*Q), t.q * scale), (m.pick(*INTENSITY), t.intensity)]
    error = m.rng.random() < 0.85
    dq = m.rng.random() < 0.3
    if error:
        found.append((m.pick(*ERROR), np.asarray(t.error)))
    if dq:
        found.append((m.pick(*DQ), np.asarray(t.dq) * scale))
    if m.rng.random() < 0.4:
        found.append((m.pick(*MODEL), m.model))
    if m.rng.random() < 0.25:
        name = m.pick(*OTHER)
        number = np.arange(1.0, t.q.size + 1)
        residual = (t.intensity - m.model) / np.asarray(t.error)
        found.append((name, residual if name == "Residuals" else number if name == "point" else 50 * number))
    if m.rng.random() < 0.4:
        found = [found[k] for k in m.rng.permutation(len(found))]
    return found, Truth(t.q, t.intensity, t.error if error else None, t.dq if dq else None)


def comma(line: str, sign: str) -> str:
    """A row with decimal commas; lines of text as they are."""
    number = line[:1].isdigit() or line[:1] == "-"
    return line.replace(".", ",") if number and not (sign and line.startswith(sign)) else line


def mixed(recipe: int, m: Measurement) -> File:
    m = Measurement(m.name, m.truth, m.model, np.random.default_rng([int(m.rng.integers(2**31)), recipe]))
    unit, scale = UNITS[int(m.rng.integers(len(UNITS)))]
    place = m.pick("name", "name", "name", "remark", "footer", "nowhere")
    scale = 1.0 if place == "nowhere" else scale
    found, truth = columns(m, scale)
    if place == "name":
        at = next(k for k, (name, _) in enumerate(found) if name in Q)
        bracket = m.pick("{}({})", "{}[{}]", "{}_{}" if "/" not in unit else "{}({})")
        found[at] = (bracket.format(found[at][0], unit), found[at][1])
    sign = m.pick("# ", "#", "% ", "; ", "! ", "")
    gap = m.pick("\t", ",", ";", "  ", " ")
    lines = [sign + str(one) for one in m.rng.choice(REMARKS, int(m.rng.integers(0, 4)), replace=False)]
    lines += [f"{sign}q in {unit}"] if place == "remark" else []
    lines.append(sign + gap.join(name for name, _ in found))
    form = m.digits(6, 8)
    lines += [gap.join(form % v for v in row) for row in zip(*(c for _, c in found), strict=True)]
    lines += ["", f"{sign}unit of q: {unit}"] if place == "footer" else []
    end = m.pick("\n", "\n", "\r\n")
    content = end.join(lines) + end
    if gap in ";\t" and m.rng.random() < 0.25:
        content = "".join(comma(line, sign) for line in content.splitlines(True))
    coding = m.pick("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16")
    silent = ASSUMED if place == "nowhere" else ()
    suffix = ".csv" if gap in ",;" else m.pick(".dat", ".txt", ".asc")
    return File(suffix, content.encode(coding), ((truth,),), ("unit",) if silent else (), says=silent)


def ways() -> dict[str, Callable[[Measurement], File]]:
    return {f"mixed: recipe {k}": partial(mixed, k) for k in range(1, RECIPES + 1)}
