"""How people and programs name columns: q, uncertainty, resolution, a model, and what is none of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .samples import File, Measurement, Truth
from .units import PER_NM, text

#: Of q in nm⁻¹: every letter that the field writes for the scattering vector.
Q_NAMES = (
    "h (nm^-1)",
    "k [1/nm]",
    "Q_vec(nm^-1)",
    "|q| (nm^-1)",
    "scattering_vector_(1/nm)",
    "momentum_transfer[nm^-1]",
    "q_[nm−1]",
    "q_(nm–1)",
    "q_(nm<sup>-1</sup>)",
)
#: Of q in Å⁻¹: the letter Å in its three codings, and without its ring.
ANGSTROM_NAMES = (
    "q_(\u212b^-1)",
    "q_(A\u030a^-1)",
    "q_(&Aring;^-1)",
    "q(Angstrom-1)",
    "q[Ang-1]",
    "q_(invA)",
)
ERROR_NAMES = (
    "STD", "I_std", "esd", "ΔI", "yerr", "+/-", "Error_bar", "eI", "stdev", "I_error", "sig", "Unc.", "SEM",
    "Sig(q)", "e.s.d.",
)  # fmt: skip
MODEL_NAMES = (
    "I_model",
    "Icalc",
    "fit",
    "theory",
    "Y_fit",
    "simulated",
    "I(q)_fit",
    "BestFit",
    "IFT",
    "smoothed",
)
DQ_NAMES = ("sigmaQ", "Q_res", "resolution", "Qdev", "dQ", "Sigma_Q", "delta_q")
#: A fourth column that is neither uncertainty nor resolution.
OTHER_NAMES = ("counts", "npix", "weight", "chi", "residuals", "background", "transmission", "mask", "I*q^2")


def q_named(name: str, scale: float, m: Measurement) -> File:
    """The name of q holds its unit."""
    t = m.truth.pinhole_less
    rows = text([t.q * scale, t.intensity, t.error], m.digits(6, 8), "\t")
    return File(".dat", (f"{name}\tI\tsigma\n" + rows).encode(), ((t,),))


def third(name: str, kind: str, m: Measurement) -> File:
    """Three columns, the third under that name."""
    t = m.truth
    column = {"error": t.error, "model": m.model, "dq": t.dq}[kind]
    right = {"error": t.pinhole_less, "model": t.bare, "dq": Truth(t.q, t.intensity, None, t.dq)}[kind]
    rows = text([t.q, t.intensity, column], m.digits(6, 8), "\t")
    return File(".dat", (f"q(1/A)\tI(q)\t{name}\n" + rows).encode(), ((right,),))


def fourth(name: str, m: Measurement) -> File:
    """Four columns, the fourth none of what a curve has."""
    t = m.truth
    column = {
        "counts": np.round((t.intensity / t.error) ** 2),
        "npix": np.round(20 + 2000 * t.q),
        "weight": 1 / t.error**2,
        "chi": np.full(t.q.size, 90.0),
        "residuals": (t.intensity - m.model) / t.error,
        "background": np.full(t.q.size, 0.02) + 0.001 * t.q,
        "transmission": np.full(t.q.size, 0.83),
        "mask": np.zeros(t.q.size),
        "I*q^2": t.intensity * t.q**2,
    }[name]
    rows = text([t.q, t.intensity, t.error, column], m.digits(6, 8), "\t")
    return File(".dat", (f"q(1/A)\tI(q)\tsigma\t{name}\n" + rows).encode(), ((t.pinhole_less,),))


def few_names(m: Measurement) -> File:
    """Two names above three columns."""
    t = m.truth.pinhole_less
    rows = text([t.q, t.intensity, t.error], m.digits(6, 8))
    return File(".dat", ("# q(1/A) I(q)\n" + rows).encode(), ((t,),))


def not_q(head: str, words: tuple[str, ...], m: Measurement) -> File:
    """The first column is no scattering vector."""
    t = m.truth.pinhole_less
    x = {
        "θ": np.degrees(np.arcsin(t.q * 1.5406 / (4 * np.pi))),
        "pixel": np.arange(10.0, 10.0 + t.q.size),
        "mm": 1500 * np.tan(2 * np.arcsin(t.q * 1.5406 / (4 * np.pi))),
        "qrg": t.q * 46.5,
    }[words[0]]
    rows = text([x, t.intensity, t.error], m.digits(6, 8))
    return File(".dat", (head + rows).encode(), (), words)


def ten_to(m: Measurement) -> File:
    """A power of ten in the unit."""
    t = m.truth.pinhole_less
    names = m.pick("q (10^-3 A^-1)", "q [10^-3 1/A]", "q / 10^-3 Å^-1")
    rows = text([t.q * 1e3, t.intensity, t.error], m.digits(6, 8), "\t")
    return File(".dat", (f"{names}\tI\tsigma\n" + rows).encode(), ((t,),), ("unit", "10"))


def ways() -> dict[str, Callable[[Measurement], File]]:
    """Title to writer."""
    found: dict[str, Callable[[Measurement], File]] = {}
    found |= {f"q as `{name}`": partial(q_named, name, PER_NM) for name in Q_NAMES}
    for name in ANGSTROM_NAMES:
        codes = name.encode("ascii", "backslashreplace").decode()
        found[f"q as `{codes}`"] = partial(q_named, name, 1.0)
    for kind, names in (("error", ERROR_NAMES), ("model", MODEL_NAMES), ("dq", DQ_NAMES)):
        found |= {f"{kind} as `{name}`": partial(third, name, kind) for name in names}
    found |= {f"fourth column `{name}`": partial(fourth, name) for name in OTHER_NAMES}
    return {f"names: {title}": way for title, way in found.items()} | {
        "names: two above three columns": few_names,
        "names: `10^-3 A^-1`": ten_to,
        "names: `theta (deg)`": partial(not_q, "# theta (deg)  I  dI\n", ("θ", "angle", "theta")),
        "names: `pixel`": partial(not_q, "pixel counts error\n", ("pixel", "channel", "first column")),
        "names: `r_mm`": partial(not_q, "# r_mm   I   sigma\n", ("mm", "distance", "unit")),
        "names: `q*Rg`": partial(not_q, "q*Rg\tI/I0\terr\n", ("qrg", "q*rg", "dimensionless", "kratky")),
    }
