"""Functions of q, of an angle and of the intensity, and what is none of them, under all their names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .samples import Array, File, Measurement
from .units import ANGLE, ASSUMED, Table

#: Functions of q, and what stands in the column; q in Å⁻¹.
ABSCISSAE: dict[str, Callable[[Array], Array]] = {
    "sin(theta)/lambda": lambda q: q / (4 * np.pi),
    "sin(θ)/λ (1/nm)": lambda q: 10 * q / (4 * np.pi),
    "2 sin(theta)/lambda": lambda q: q / (2 * np.pi),
    "4 pi sin(theta)/lambda (1/A)": lambda q: q,
    "d*": lambda q: q / (2 * np.pi),
    "d* (1/nm)": lambda q: 10 * q / (2 * np.pi),
    "d*2_A^-2": lambda q: (q / (2 * np.pi)) ** 2,
    "d*2_nm^-2": lambda q: (10 * q / (2 * np.pi)) ** 2,
    "(d*)^2": lambda q: (q / (2 * np.pi)) ** 2,
    "1/d (1/A)": lambda q: q / (2 * np.pi),
    "q/2π": lambda q: q / (2 * np.pi),
    "q^3": lambda q: q**3,
    "q^4": lambda q: q**4,
    "log10(q.m)_None": lambda q: np.log10(1e10 * q),
    "log(q.nm)_None": lambda q: np.log(10 * q),
    "log(1+q.nm)_None": lambda q: np.log1p(10 * q),
    "log(1+q.A)_None": np.log1p,
    "log(1+q)": np.log1p,
    "log10(1+q)": lambda q: np.log10(1 + q),
    "arcsinh(q.nm)_None": lambda q: np.arcsinh(10 * q),
    "arcsinh(q.A)_None": np.arcsinh,
    "asinh(q)": np.arcsinh,
}
#: The same that a reader may refuse by one of these words.
VECTORS: dict[str, Callable[[Array], Array]] = {
    "log10(q)": np.log10, "lg q": np.log10, "ln(q)": np.log, "q^2 (A^-2)": np.square, "q2": np.square,
    "Q**2 [1/A^2]": np.square, "q² (Å⁻²)": np.square, "1/q (A)": np.reciprocal,
    "d (A)": lambda q: 2 * np.pi / q,
}  # fmt: skip
WORDS = (
    "log", "ln", "guinier", "kratky", "porod", "q²", "q^2", "q⁴", "q^4", "zimm", "inverse", "transform",
)  # fmt: skip
#: Names of the intensity's column by what stands in it.
INTENSITIES: tuple[tuple[tuple[str, ...], Callable[[Array, Array], Array]], ...] = (
    (("log10(I)", "log10 I(q)", "lg(I)", "log_I"), lambda q, i: np.log10(i)),
    (("ln(I)", "lnI", "ln[I(q)]"), lambda q, i: np.log(i)),
    (("I*q^2", "q2I", "q^2 I(q)", "I·q²", "Kratky", "I*Q**2"), lambda q, i: i * q**2),
    (("q^4*I", "Iq4", "I(q)*q⁴"), lambda q, i: i * q**4),
    (("q*I",), lambda q, i: i * q),
    (("1/I",), lambda q, i: 1 / i),
    (("sqrt(I)",), lambda q, i: np.sqrt(i)),
)
WAVELENGTH = 1.5418
#: Names of 2θ, and what degrees are multiplied by.
ANGLES = dict.fromkeys((
    "2theta", "2-Theta", "TwoTheta", "2θ", "2θ (°)", "tth", "2th_deg", "Two-Theta (deg)", "2Theta/deg",
    "Position [°2Th.]", "scattering angle (deg)", "angle_2theta[degrees]", "$2\\theta$ ($^\\circ$)",
    "2-Theta Angle (Degrees)", "Angle", "TwoTheta [°]",
), 1.0) | {"2theta (mrad)": np.pi / 0.18, "2theta [rad]": np.pi / 180}  # fmt: skip
#: How a file states the wavelength.
STATED = (
    "# wavelength = 1.5418 A\n", "# Wavelength: 0.15418 nm\n", "# lambda (Angstrom): 1.5418\n",
    "# Wavelength: 1.5418e-10 m\n", "# energy = 8.0415 keV\n", "# λ = 1.5418 Å\n",
)  # fmt: skip
#: What is no function of q.
OTHERS = (
    "frame", "Frame number", "position", "x(mm)", "x (m)", "Energy (keV)", "E(eV)", "time(s)", "channel",
    "pixel", "r_mm", "strip", "theta_in", "theta (deg)", "Temperature", "q*Rg", "wavelength", "sin(2theta)",
    "chi_deg", "radius(nm)", "gain",
)  # fmt: skip
#: Names of tables in which another quantity is measured against another.
ELSEWHERE = (
    "delta(A) P dP", "tau(s) g2 err", "tau g2 err", "f(Hz) G dG", "strain[%] stress sigma_stress",
    "hw(meV) S err", "H(T) M M_err", "depth[nm] SLD dSLD",
)  # fmt: skip
Way = Callable[[Measurement], File]


def abscissa(name: str, form: Callable[[Array], Array], gap: str) -> Table:
    """A function of q under its name, converted with a note."""
    marks, name = (("# ", ""), name.replace(" ", "")) if gap == " " else (("",), name)
    says = () if "4" in name and "sin" in name else ("converted", "calculated")
    heads = tuple(mark + gap.join([name, "I", "sigma"]) + "\n" for mark in marks)
    return Table(".dat", heads, "q I dI", "%.10e", gap, x=form, file={"says": says, "loose": True})


def vector(name: str, form: Callable[[Array], Array]) -> Table:
    """A function of q; a name without a unit says none."""
    says = () if "A" in name or "Å" in name else ASSUMED
    words = (*WORDS, "spacing", "1/q", "abscissa", "length")
    return Table(
        ".dat", f"{name}\tI\tsigma\n", "q I dI", "%.9e", "\t", x=form, file={"refusal": words, "says": says}
    )


def angle(name: str, scale: float, stated: str = "", *, given: bool = False) -> Table:
    """I and dI against 2θ; right only where the wavelength is in the file or given on reading."""
    file: dict[str, Any] = {"options": (("wavelength", WAVELENGTH),)} if given else {"refusal": ANGLE}
    return Table(
        ".dat", stated + f"{name}\tI\tsigma\n", "q I dI", "%.8e", "\t", file=file,
        x=lambda q: scale * np.degrees(2 * np.arcsin(q * WAVELENGTH / (4 * np.pi))),
        unknown=not (given or stated),
    )  # fmt: skip


def other(names: str, refusal: tuple[str, ...], gap: str, m: Measurement) -> File:
    """Another quantity under its name, with numbers that q could have."""
    factor = m.rng.uniform(0.5, 3.0)
    return Table(
        ".dat", names + "\n", "q I dI", "%.8e", gap, x=lambda q: factor * q, unknown=True,
        file={"refusal": refusal},
    )(m)  # fmt: skip


def ways() -> dict[str, Way]:
    found: dict[str, Way] = {}
    for gap, word in ((" ", "blanks"), ("\t", "tabs")):
        found |= {
            f"abscissa: `{name}`, {word}": abscissa(name, form, gap) for name, form in ABSCISSAE.items()
        }
    for name in OTHERS:
        found[f"abscissa: `{name}`"] = partial(other, f"{name}\tI\tsigma", (name.lower(),), "\t")
    for name in ELSEWHERE:
        words = ("its abscissa is", "not a known unit of q")
        found[f"abscissa: `{name}`"] = partial(other, f"# {name}", words, " ")
    for name, scale in ANGLES.items():
        found[f"angles: `{name}`"] = angle(name, scale)
        found[f"angles: `{name}`, the wavelength given"] = angle(name, scale, given=True)
    for line in STATED:
        found[f"angles: 2theta below `{line[2:].strip()}`"] = angle("2theta (deg)", 1.0, line)
    for names, transform in INTENSITIES:
        for name in names:
            found[f"transforms: I as `{name}`"] = Table(
                ".dat", f"q (1/A)\t{name}\n", "q I", "%.9e", "\t", y=transform, file={"refusal": WORDS}
            )
    return found | {f"transforms: q as `{name}`": vector(name, form) for name, form in VECTORS.items()}
