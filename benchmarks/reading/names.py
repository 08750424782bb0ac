"""How people and programs name columns: q, uncertainty, resolution, a model, and what is none of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .samples import File, Measurement
from .units import Table, text

#: Of q in nm⁻¹: every letter that the field writes for the scattering vector.
Q_NAMES = (
    "h (nm^-1)", "k [1/nm]", "Q_vec(nm^-1)", "|q| (nm^-1)", "scattering_vector_(1/nm)",
    "momentum_transfer[nm^-1]", "q_[nm−1]", "q_(nm–1)", "q_(nm<sup>-1</sup>)",
)  # fmt: skip
#: Of q in Å⁻¹: the letter Å in its three codings, and without its ring.
ANGSTROM_NAMES = (
    "q_(\u212b^-1)", "q_(A\u030a^-1)", "q_(&Aring;^-1)", "q(Angstrom-1)", "q[Ang-1]", "q_(invA)",
)  # fmt: skip
ERROR_NAMES = (
    "STD", "I_std", "esd", "ΔI", "yerr", "+/-", "Error_bar", "eI", "stdev", "I_error", "sig", "Unc.", "SEM",
    "Sig(q)", "e.s.d.",
)  # fmt: skip
MODEL_NAMES = (
    "I_model", "Icalc", "fit", "theory", "Y_fit", "simulated", "I(q)_fit", "BestFit", "IFT", "smoothed",
)  # fmt: skip
DQ_NAMES = ("sigmaQ", "Q_res", "resolution", "Qdev", "dQ", "Sigma_Q", "delta_q")
#: A fourth column that is neither uncertainty nor resolution.
OTHER_NAMES = ("counts", "npix", "weight", "chi", "residuals", "background", "transmission", "mask", "I*q^2")


def fourth(name: str, m: Measurement) -> File:
    """Four columns, the fourth none of what a curve has."""
    t = m.truth
    column = {
        "counts": np.round((t.intensity / t.error) ** 2), "npix": np.round(20 + 2000 * t.q),
        "weight": 1 / t.error**2, "chi": np.full(t.q.size, 90.0),
        "residuals": (t.intensity - m.model) / t.error, "background": np.full(t.q.size, 0.02) + 0.001 * t.q,
        "transmission": np.full(t.q.size, 0.83), "mask": np.zeros(t.q.size), "I*q^2": t.intensity * t.q**2,
    }[name]  # fmt: skip
    rows = text([t.q, t.intensity, t.error, column], m.digits(6, 8), "\t")
    return File(".dat", (f"q(1/A)\tI(q)\tsigma\t{name}\n" + rows).encode(), ((t.pinhole_less,),))


def under(name: str, columns: str) -> Table:
    """The name of q holds its unit."""
    return Table(".dat", f"{name}\tI\tsigma\n", columns, gap="\t")


def ways() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {}
    found |= {f"q as `{name}`": under(name, "nm I dI") for name in Q_NAMES}
    for name in ANGSTROM_NAMES:
        codes = name.encode("ascii", "backslashreplace").decode()
        found[f"q as `{codes}`"] = under(name, "q I dI")
    for kind, column, names in (
        ("error", "dI", ERROR_NAMES), ("model", "model", MODEL_NAMES), ("dq", "dQ", DQ_NAMES),
    ):  # fmt: skip
        for name in names:
            head = f"q(1/A)\tI(q)\t{name}\n"
            found[f"{kind} as `{name}`"] = Table(".dat", head, f"q I {column}", gap="\t")
    found |= {f"fourth column `{name}`": partial(fourth, name) for name in OTHER_NAMES}
    return {f"names: {title}": way for title, way in found.items()} | {
        "names: two above three columns": Table(".dat", "# q(1/A) I(q)\n"),
        "names: `10^-3 A^-1`": Table(
            ".dat",
            tuple(f"{name}\tI\tsigma\n" for name in ("q (10^-3 A^-1)", "q [10^-3 1/A]", "q / 10^-3 Å^-1")),
            "milli I dI",
            gap="\t",
            file={"refusal": ("unit", "10")},
        ),
    }
