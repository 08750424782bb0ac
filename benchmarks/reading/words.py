"""Headers of several words parted by single blanks, resolutions of all kinds, tables on their side, and the
same abscissae in every container.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from .containers import entry, group, hdf5, root, sas_entry
from .samples import Array, File, Measurement, Truth
from .units import ANGLE, CU, PER_NM, Table, text

Way = Callable[[Measurement], File]
WAVELENGTH_LINE = f"# wavelength = {CU} A\n"
#: A header, and what stands in the columns below it. Each name must be understood.
HEADERS = {
    "Q sigma Q I sigma I": "q dQ I dI",
    "Q I sigma I sigma Q": "q I dI dQ",
    "q std dev q I std dev I": "q dQ I dI",
    "q std dev I std dev": "q dQ I dI",
    "q error I error": "q dQ I dI",
    "q I error q error": "q I dI dQ",
    "Q (1/A) sigma Q (1/A) I (1/cm) sigma I (1/cm)": "q dQ I dI",
    "q delta q I delta I": "q dQ I dI",
    "q intensity standard deviation resolution": "q I dI dQ",
    "Q vector (1/nm) Intensity (1/cm) Error (1/cm)": "nm I dI",
    "q value intensity error": "q I dI",
    "q [nm^-1] I [a. u.] standard error of the mean": "nm I dI",
    "q nm^-1 I cm^-1 error cm^-1": "nm I dI",
    "q / nm^-1 I(q) / cm^-1 sigma / cm^-1": "nm I dI",
    "q (1/nm) scattered intensity uncertainty": "nm I dI",
    "scattering vector q (1/nm) intensity I(q) (1/cm) standard deviation (1/cm)": "nm I dI",
    "Scattering vector [1/nm] Scattering intensity [arb. units] Statistical error [arb. units]": "nm I dI",
    "momentum transfer (1/A) differential cross section (1/cm) uncertainty (1/cm)": "q I dI",
    "momentum transfer Q (1/nm) absolute intensity (1/cm) absolute error (1/cm)": "nm I dI",
    "wave vector transfer (1/A) d sigma/d Omega (1/cm) error": "q I dI",
    "modulus of the scattering vector (1/nm) intensity error of the intensity": "nm I dI",
    "Q (1/A) I(Q) (1/cm) std. dev. I(Q) (1/cm)": "q I dI",
    "Q (1/A) I(Q) (1/cm) std. dev. I(Q) (1/cm) sigma Q (1/A)": "q I dI dQ",
    "q background subtracted intensity error": "q I dI",
    "q buffer subtracted intensity error": "q I dI",
    "q corrected intensity corrected error": "q I dI",
    "q normalised intensity propagated error": "q I dI",
    "q mean intensity std dev number of pixels": "q I dI pixels",
    "bin center (1/nm) mean intensity standard error number of pixels": "nm I dI pixels",
    "q calculated intensity measured intensity error": "q model I dI",
    "q measured intensity calculated intensity error": "q I model dI",
    "q experimental intensity error fitted intensity": "q I dI model",
    "q I exp I calc error": "q I model dI",
    "q intensity sigma best fit normalised residuals": "q I dI model residual",
    "q (1/A) I (1/cm) relative error (%)": "q I dI/%",
    "q intensity percent error": "q I dI/%",
    "q intensity error in per cent": "q I dI/%",
    "q (1/nm) intensity rel. err. (%)": "nm I dI/%",
    "q intensity relative error": "q I dI/I",
    "q intensity fractional uncertainty": "q I dI/I",
    "q I variance of I": "q I dI^2",
    "q I error squared": "q I dI^2",
    "log q log I error log I": "lg_q lg_I dlg_I",
    "log10 q log10 I error of log10 I": "lg_q lg_I dlg_I",
    "q ln I error ln I": "q ln_I dln_I",
    "q natural logarithm of I uncertainty of ln I": "q ln_I dln_I",
    "q squared ln I": "q^2 ln_I",
    "q squared (1/A2) ln I": "q^2 ln_I",
    "Q I sigma counts": "q I dI counts",
    "I q sigma I": "I q dI",
    "q intensity sigma my own number": "q I dI residual",
    "2 theta (deg) I error": "2θ I dI",
    "two theta (deg) intensity error": "2θ I dI",
    "scattering angle 2theta (deg) I std dev": "2θ I dI",
    "2 theta I relative error (%)": "2θ I dI/%",
    "half scattering angle (deg) I error": "θ I dI",
    "theta (deg) intensity counting error": "θ I dI",
    "theta I error": "θ I dI",
    "theta(deg) I err": "θ I dI",
    "q (1/nm) I error dq (1/A)": "nm I dI dQ",
    "q (1/A) I error dq/q": "q I dI dQ/Q",
    "q (1/A) I error dq/q (%)": "q I dI dQ/%",
    "q (1/A) I error relative resolution (%)": "q I dI dQ/%",
    "q (1/A) dq/q I error": "q dQ/Q I dI",
    "Q Q resolution I I error": "q dQ I dI",
    "q net intensity my uncertainty": "q I dI",
    "q weird intensity error": "q I dI",
}
#: Headers that do not name each column clearly, or whose first column is no q.
UNCLEAR = {
    "Q sigma Q I": ("q dQ I dI", ("header",)),
    "q dq I": ("q dQ I dI", ("header",)),
    "q I relative error": ("q I dI/I dQ", ("header",)),
    "exposure time (s) I error": ("q I dI", ("exposure time",)),
    "time / s intensity error": ("q I dI", ("time",)),
    "elapsed time [min] mean intensity std dev": ("q I dI", ("elapsed time",)),
    "detector position (mm) intensity error": ("q I dI", ("detector position",)),
    "photon energy (keV) intensity error": ("q I dI", ("photon energy",)),
    "sample temperature (C) intensity error": ("q I dI", ("sample temperature",)),
    "azimuthal angle (deg) intensity error": ("q I dI", ("azimuthal angle",)),
    "particle diameter (nm) volume distribution error": ("q I dI", ("particle diameter",)),
    "frame number integrated intensity error": ("q I dI", ("frame number",)),
    "sample concentration (mg/ml) I error": ("q I dI", ("sample concentration",)),
}
#: Columns of a resolution: header with tabs, columns; each in a unit of its own.
RESOLUTIONS = {
    "q(1/nm)\tI(1/cm)\tdI(1/cm)\tdq(1/A)": "nm I dI dQ",
    "q(1/A)\tI(1/cm)\tdI(1/cm)\tdq(1/nm)": "q I dI dQ_nm",
    "Q[nm-1]\tI\terr\tsigmaQ[A-1]": "nm I dI dQ",
    "q (1/A)\tI\tdI\tFWHM q (1/nm)": "q I dI fwhm_nm",
    "q(1/A)\tI\tdI\tdQ/Q": "q I dI dQ/Q",
    "q(1/nm)\tI\tdI\tdQ/Q": "nm I dI dQ/Q",
    "q(1/A)\tI\tdI\tdQ/Q(%)": "q I dI dQ/%",
    "q(1/A)\tI\tdI\tsigma_q/q [%]": "q I dI dQ/%",
    "q(1/A)\tI\tdI\tresolution (%)": "q I dI dQ/%",
    "2theta (deg)\tI\tdI\tdq (1/A)": "2θ I dI dQ",
    "2theta (deg)\tI\tdI\tdq/q": "2θ I dI dQ/Q",
}
SECTORS = (
    ("I_0", "e_0", "I_90", "e_90"), ("I0", "err0", "I90", "err90"), ("I_0", "sigma_0", "I_1", "sigma_1"),
    ("I_0deg", "dI_0deg", "I_90deg", "dI_90deg"), ("I(0)", "dI(0)", "I(90)", "dI(90)"), ("I_0", "I_90"),
    ("Int_0", "Int_45", "Int_90"), ("I_par", "e_par", "I_perp", "e_perp"),
)  # fmt: skip
#: What an axis of an HDF5 or XML file says of its unit, and what stands in it; None must be refused.
AXES: dict[str, Callable[[Array], Array] | None] = {
    "q_A^-1": lambda q: q,
    "q_nm^-1": lambda q: 10 * q,
    "qtot_nm^-1": lambda q: 10 * q,
    "d*2_A^-2": lambda q: (q / (2 * np.pi)) ** 2,
    "d*2_nm^-2": lambda q: (10 * q / (2 * np.pi)) ** 2,
    "log10(q.m)_None": lambda q: np.log10(1e10 * q),
    "log(q.nm)_None": lambda q: np.log(10 * q),
    "log(1+q.nm)_None": lambda q: np.log1p(10 * q),
    "arcsinh(q.A)_None": np.arcsinh,
    "2th_deg": lambda q: np.degrees(2 * np.arcsin(q * CU / (4 * np.pi))),
    "2th_rad": lambda q: 2 * np.arcsin(q * CU / (4 * np.pi)),
    "deg": lambda q: np.degrees(2 * np.arcsin(q * CU / (4 * np.pi))),
    "mrad": lambda q: 2e3 * np.arcsin(q * CU / (4 * np.pi)),
    "r_m": None,
    "r_mm": None,
    "mm": None,
    "furlong": None,
}


def headed(header: str, columns: str, m: Measurement) -> File:
    """A header parted by single blanks, with the wavelength where there is an angle."""
    says = WAVELENGTH_LINE if "θ" in columns else ""
    table = Table(".dat", says + m.pick("", "# ") + header + "\n", columns, "%.9e", m.pick(" ", "  "))
    return replace(table(m), loose=True)


def unclear(header: str, columns: str, refusal: tuple[str, ...], m: Measurement) -> File:
    """A header that must be refused by name."""
    mark = m.pick("", "# ")
    return Table(".dat", f"{mark}{header}\n", columns, "%.9e", unknown=True, file={"refusal": refusal})(m)


def resolved(header: str, columns: str, m: Measurement) -> File:
    says = WAVELENGTH_LINE if "θ" in columns else ""
    return replace(Table(".dat", f"{says}{header}\n", columns, "%.9e", "\t")(m), loose=True)


def missing(mark: str, m: Measurement) -> File:
    """A resolution that some points lack: it is taken from their neighbours, which is said."""
    t = m.truth
    rows = [[f"{v:.7e}" for v in row] for row in zip(t.q, t.intensity, t.error, t.dq, strict=True)]
    for k in range(2, t.q.size - 1, 4):
        rows[k][3] = mark
    content = "q(1/A)\tI\tdI\tdq(1/A)\n" + "".join("\t".join(row) + "\n" for row in rows)
    return File(".dat", content.encode(), ((t,),), says=("neighbour",))


def in_rows(kind: str, gap: str, m: Measurement) -> File:
    """US-SOMO's tables on their side: one row a curve, its name and what it is before the values."""
    t = m.truth.pinhole_less
    second = Truth(t.q, 2.5 * m.model + t.error, 1.5 * t.error)
    curves = {"sample A": t, "sample B": second} if "two" in kind else {"lysozyme": t}
    scale, unit = (PER_NM, " (1/nm)") if "nm" in kind else (1.0, " (1/A)")
    rows = [(("Name", f"Type; q{unit}:"), scale * t.q)]
    for name, curve in curves.items():
        rows.append(((name, "I(q)"), curve.intensity))
        if "bare" not in kind:
            rows.append(((name, "I(q) sd"), np.asarray(curve.error)))
    mark = "" if gap == "\t" else '"'
    lines = [
        gap.join([*(f"{mark}{word}{mark}" for word in words), *(f"{v:.8g}" for v in values)])
        for words, values in rows
    ]
    end = gap + f"{mark}US-SOMO output{mark}" if "remark" in kind else ""
    content = "\n".join(line + end * (k == 0) for k, line in enumerate(lines)) + "\n"
    right = tuple(curve.bare if "bare" in kind else curve for curve in curves.values())
    return File(".csv", content.encode(), (right,))


def sectors(names: tuple[str, ...], m: Measurement) -> File:
    """Sectors side by side, of which one is named by 0."""
    t = m.truth.pinhole_less
    with_errors = len(names) == 4
    count = 2 if with_errors else len(names)
    curves = [Truth(t.q, (1 + k) * m.model + t.error, (1 + 0.3 * k) * t.error) for k in range(count)]
    columns = [column for c in curves for column in (c.intensity, np.asarray(c.error))[: 1 + with_errors]]
    gap = m.pick(" ", "\t", ",")
    content = gap.join(["q", *names]) + "\n" + text([t.q, *columns], m.digits(6, 8), gap)
    right = tuple(c if with_errors else c.bare for c in curves)
    return File(".dat", content.encode(), (right,), loose=True)


def contained(container: str, unit: str, wavelength: str, m: Measurement) -> File:
    """An axis of that unit in a container; wavelength: "given" on reading, "stated" in the file, or ""."""
    t, form = m.truth.pinhole_less, AXES[unit]
    x = m.rng.uniform(0.5, 2.0) * t.q if form is None else form(t.q)
    stated = wavelength == "stated"

    def write(file: Any) -> None:
        if container == "NXcanSAS":
            columns = {"Q": x, "I": t.intensity, "Idev": t.error}
            attributes = {"Q": {"units": unit}, "I": {"units": "1/cm", "uncertainties": "Idev"}}
            data = sas_entry(file, "sasentry01", columns, attributes, {})
            held = data.parent
        else:
            axis = "polar_angle" if container == "NXmonopd" else "radial_axis"
            held = group(file, "entry", "NXentry")
            held["definition"] = container
            data = group(held, "results", "NXdata", signal="data", axes=[axis])
            data["data"], data["errors"], data[axis] = t.intensity, t.error, x
            data[axis].attrs["units"] = unit
        if stated:
            beam = group(group(held, "instrument", "NXinstrument"), "monochromator", "NXmonochromator")
            beam["wavelength"] = CU
            beam["wavelength"].attrs["units"] = "angstrom"

    if container == "canSAS XML":
        points = "".join(
            f'<Idata><Q unit="{unit}">{a:.10g}</Q><I unit="1/cm">{i:.8g}</I><Idev unit="1/cm">{e:.7g}</Idev>'
            f"</Idata>\n"
            for a, i, e in zip(x, t.intensity, np.asarray(t.error), strict=True)
        )
        source = f'<SASsource><wavelength unit="nm">{CU / 10}</wavelength></SASsource>'
        more = f"<SASinstrument>{source}</SASinstrument>" if stated else ""
        suffix, content = ".xml", root(entry(points, more=more)).encode()
    else:
        suffix, content = ".h5", hdf5(write)
    is_angle = unit in ("2th_deg", "2th_rad", "deg", "mrad")
    options = (("wavelength", CU),) if wavelength == "given" else ()
    if form is None:
        return File(suffix, content, (), ("r_m", "not q", "not a known unit"))
    if is_angle and not wavelength:
        return File(suffix, content, (), ANGLE)
    return File(suffix, content, ((t,),), options=options)


def ways() -> dict[str, Way]:
    found: dict[str, Way] = {
        f"words: `{header}`": partial(headed, header, columns) for header, columns in HEADERS.items()
    }
    found |= {f"words: `{h}`, refused": partial(unclear, h, c, words) for h, (c, words) in UNCLEAR.items()}
    found |= {
        f"resolution: `{header.replace(chr(9), ' | ')}`": partial(resolved, header, columns)
        for header, columns in RESOLUTIONS.items()
    }
    found |= {f"resolution: `{mark}` at every fourth point": partial(missing, mark) for mark in ("nan", "0")}
    for kind in ("one", "one, bare", "two", "two, bare", "two, nm", "one, remark"):
        for gap, word in ((",", "commas"), ("\t", "tabs"), (";", "semicolons")):
            found[f"rows: {kind}, {word}"] = partial(in_rows, kind, gap)
    found |= {f"sectors: `{' '.join(names)}`": partial(sectors, names) for names in SECTORS}
    for container in ("NXcanSAS", "NXmonopd", "NXazint1d", "canSAS XML"):
        for unit in AXES:
            is_angle = unit in ("2th_deg", "2th_rad", "deg", "mrad")
            for wavelength in ("", "given", "stated")[: 3 if is_angle else 1]:
                more = f", wavelength {wavelength}" if wavelength else ""
                found[f"axis: {container}, `{unit}`{more}"] = partial(contained, container, unit, wavelength)
    return found
