"""Logarithms, Guinier's, Kratky's and Porod's forms, under every name that they have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .samples import Array, File, Measurement
from .units import ASSUMED, text

WORDS = (
    "log", "ln", "guinier", "kratky", "porod", "q²", "q^2", "q⁴", "q^4", "zimm", "inverse", "transform",
)  # fmt: skip
#: Names of the intensity's column, and what stands in it.
INTENSITIES: tuple[tuple[str, Callable[[Array, Array], Array]], ...] = (
    ("log10(I)", lambda q, i: np.log10(i)),
    ("log10 I(q)", lambda q, i: np.log10(i)),
    ("lg(I)", lambda q, i: np.log10(i)),
    ("log_I", lambda q, i: np.log10(i)),
    ("ln(I)", lambda q, i: np.log(i)),
    ("lnI", lambda q, i: np.log(i)),
    ("ln[I(q)]", lambda q, i: np.log(i)),
    ("I*q^2", lambda q, i: i * q**2),
    ("q2I", lambda q, i: i * q**2),
    ("q^2 I(q)", lambda q, i: i * q**2),
    ("I·q²", lambda q, i: i * q**2),
    ("Kratky", lambda q, i: i * q**2),
    ("I*Q**2", lambda q, i: i * q**2),
    ("q^4*I", lambda q, i: i * q**4),
    ("Iq4", lambda q, i: i * q**4),
    ("I(q)*q⁴", lambda q, i: i * q**4),
    ("q*I", lambda q, i: i * q),
    ("1/I", lambda q, i: 1 / i),
    ("sqrt(I)", lambda q, i: np.sqrt(i)),
)
#: Names of the first column, and what stands in it; q itself in Å⁻¹.
VECTORS: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("log10(q)", np.log10),
    ("lg q", np.log10),
    ("ln(q)", np.log),
    ("q^2 (A^-2)", np.square),
    ("q2", np.square),
    ("Q**2 [1/A^2]", np.square),
    ("q² (Å⁻²)", np.square),
    ("1/q (A)", np.reciprocal),
    ("d (A)", lambda q: 2 * np.pi / q),
)


def intensity(name: str, form: Callable[[Array, Array], Array], m: Measurement) -> File:
    """q, and a function of the intensity."""
    t = m.truth.bare
    rows = text([t.q, form(t.q, t.intensity)], "%.9e", "\t")
    return File(".dat", (f"q (1/A)\t{name}\n" + rows).encode(), ((t,),), WORDS)


def vector(name: str, form: Callable[[Array], Array], m: Measurement) -> File:
    """A function of q, and the intensity."""
    t = m.truth.pinhole_less
    rows = text([form(t.q), t.intensity, t.error], "%.9e", "\t")
    words = (*WORDS, "spacing", "1/q", "first column", "length")
    # A name without a unit says none.
    says = () if "A" in name or "Å" in name else ASSUMED
    return File(".dat", (f"{name}\tI\tsigma\n" + rows).encode(), ((t,),), words, says=says)


def ways() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {
        f"I as `{name}`": partial(intensity, name, form) for name, form in INTENSITIES
    }
    found |= {f"q as `{name}`": partial(vector, name, form) for name, form in VECTORS}
    return {f"transforms: {title}": way for title, way in found.items()}
