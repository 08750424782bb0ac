"""Files as programs of analysis write them: data, fits beside data, and what is no data at all.

The layouts are those of the programs' manuals; a program that keeps whatever unit it was given leaves its
file silent, and the answer has to say that the unit is assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .samples import Array, File, Measurement, Truth
from .units import ANGLE, ASSUMED, PER_NM, Table, text


def extrapolated(m: Measurement) -> Array:
    """Where GNOM continues its fit towards q = 0."""
    step = m.truth.q[0] / 6
    return step * np.arange(1.0, 6.0)


def primus(m: Measurement) -> File:
    """PRIMUS and its relatives: a first line of text, three columns, keys and values below."""
    t = m.truth.pinhole_less
    head = f"Sample description: protein  c= {m.rng.uniform(1, 9):.3f} mg/ml  Code: {m.pick('lys', 'bsa')}\n"
    foot = f"\ncreator: {m.pick('datproc', 'primus', 'datop')}\ncreator-version: 3.0.{m.rng.integers(1, 9)}\n"
    foot += "angular-units: 1/nm\n" if m.pick("a", "b") == "a" else "angular-unit: nanometer\n"
    rows = text([t.q * PER_NM, t.intensity, t.error], "%.6E", "  ")
    return File(".dat", (head + rows + foot).encode(), ((t,),))


def fir_long(m: Measurement) -> File:
    """The same below lines of keys and values, as DAMMIF's."""
    t = m.truth.pinhole_less
    head = f" Constant adjusted ...................................... : {m.rng.uniform(0, 1):.4f}\n"
    head += " Discrepancy ............................................ : 1.234\n"
    head += "    sExp  |  iExp |  Err | iFit(+Const) | Chi^2=   ***\n"
    return File(
        ".fir",
        (head + text([t.q, t.intensity, t.error, m.model], "%.6E", "  ")).encode(),
        ((t,),),
        says=ASSUMED,
    )


def monsa(m: Measurement) -> File:
    """MONSA's .fit: several data sets with their fits, one below the other."""
    t = m.truth.pinhole_less
    second = Truth(t.q, 2.2 * m.model + t.error, 1.3 * t.error)
    rows = text([second.q, second.intensity, second.error, 2.2 * m.model], "%.6E", "  ")
    head = " MONSA fit\n File a_mer.dat   Chi:   1.470 Weight: 1.000 RelSca: 0.396\n"
    middle = " File b_mer.dat   Chi:   1.120 Weight: 1.000 RelSca: 0.512\n"
    content = (head + text([t.q, t.intensity, t.error, m.model], "%.6E", "  ") + middle + rows).encode()
    return File(".fit", content, ((t, second),), ("table", "data set", "sample"), says=ASSUMED)


def gnom(version: int, m: Measurement) -> File:
    """GNOM's .out: the fit alone towards q = 0, five columns, then p(r)."""
    t = m.truth.pinhole_less
    r = np.linspace(0, 140, 61)
    p = r**2 * np.clip(1 - r / 140, 0, None) ** 2
    if version == 4:
        head = "\n           ####    G N O M   ---   Version 4.6                       ####\n\n"
        head += f"  Number of points omitted at the beginning:     {m.rng.integers(1, 30)}\n"
        head += f"  Angular   range    :     from {t.q[0]:9.4f}   to {t.q[-1]:9.4f}\n"
        head += "  Real space range   :     from      0.00   to    140.00\n\n"
    else:
        head = "           ####      G N O M     Version 5.0 (r10552)          ####\n\n"
        head += "           ####      Results                                   ####\n\n"
        head += f"  Angular range:        {t.q[0]:.4f} to {t.q[-1]:.4f}\n  Real space Rg:  0.4650E+02\n\n"
        head += "           ####      Experimental Data and Fit                 ####\n\n"
    low = extrapolated(m)
    lead = "".join(
        f"{s:12.4E}{' ' * 36}{i:12.4E}\n" for s, i in zip(low, np.full(5, m.model[0]), strict=True)
    )
    body = text([t.q, t.intensity, t.error, m.model, m.model], "%14.6E", "")
    tail = "\n           Distance distribution  function of particle\n\n       R          P(R)      ERROR\n\n"
    tail += text([r, p, 0.01 * p], "%12.4E", "")
    names = "\n      S          J EXP       ERROR       J REG       I REG\n\n"
    return File(".out", (head + names + lead + body + tail).encode(), ((t,),), says=ASSUMED)


def crysol_int(m: Measurement) -> File:
    """CRYSOL's .int: s, intensity in solution, and its parts."""
    t = m.truth
    head = "  6lyz.pdb  s, I(s) in solution, atomic, excluded volume, hydration shell\n"
    rows = text([t.q, m.model, 2.1 * m.model, 1.4 * m.model + 0.1, 0.02 * m.model], "%.6E", "  ")
    truth = Truth(t.q, m.model)
    return File(".int", (head + rows).encode(), ((truth,),), ("theor", "calculated", "column"), loose=True)


def foxs_profile(m: Measurement) -> File:
    """FoXS alone: q, calculated, an error that it makes up."""
    t = m.truth
    head = f"# SAXS profile: number of points = {t.q.size}, q_min = 0, q_max = 0.5, delta_q = 0.001\n"
    head += "#    q    intensity   error\n"
    error = 0.03 * m.model
    rows = text([t.q, m.model, error], m.digits(6, 8), "    ")
    return File(".dat", (head + rows).encode(), ((Truth(t.q, m.model, error),),), loose=True)


def raw(m: Measurement) -> File:
    """BioXTAS RAW: three columns between comments, a JSON header above or below."""
    t = m.truth.pinhole_less
    header = '### HEADER:\n#\n# {\n#     "filename": "S_A_001.dat",\n#     "config": {"wavelength": 0.1234,'
    header += ' "q_scale": "A^-1"}\n# }\n'
    data = f"### DATA:\n#\n# {t.q.size}\n#        Q             I(Q)           Error\n"
    rows = text([t.q, t.intensity, t.error], "%.8E", "  ")
    parts = (header, data + rows) if m.pick("above", "below") == "above" else (data + rows, "\n" + header)
    return File(".dat", "".join(parts).encode(), ((t,),))


def rkh_block(t: Truth) -> str:
    """One workspace."""
    n = t.q.size
    head = " SANS2D Fri 18-APR-2008 15:17 Workspace: 54435rear_1D_2.2_10.0\n 1 mg/ml protein in D2O\n"
    head += f"{n:5d}    0    0    0    1{n:5d}    0\n         0         0         0         0\n"
    head += " 3 (F12.5,2E16.6)\n"
    columns = [c for c in (t.intensity, t.error, t.dq) if c is not None]
    return head + "".join(
        f"{q:12.5f}" + "".join(f"{v:16.6E}" for v in row) + "\n"
        for q, *row in zip(t.q, *columns, strict=True)
    )


def rkh(kind: str, m: Measurement) -> File:
    """Mantid's SaveRKH, once COLETTE's: its resolution fourth, a second workspace appended to the file."""
    t = m.truth if kind == "dx" else m.truth.pinhole_less
    if kind != "two":
        return File(".txt", rkh_block(t).encode(), ((t,),), loose=True)
    second = Truth(t.q, 2.2 * m.model + t.error, 1.3 * t.error)
    content = (rkh_block(t) + rkh_block(second)).encode()
    return File(".Q", content, ((t, second),), ("table", "data set", "sample"), loose=True)


def raw_bare(m: Measurement) -> File:
    """BioXTAS RAW for years: a JSON header, names and the number of points without a comment sign."""
    t = m.truth.pinhole_less
    header = '### HEADER:\n\n{\n    "filename": "S_A_001.dat",'
    header += '\n    "normalizations": {"Sample_Detector_Distance": 1500.0},'
    header += '\n    "counters": {"I0": 0.98, "time": 10}\n}\n\n'
    data = f"### DATA:\n\n         Q               I              Error\n{t.q.size}\n"
    rows = text([t.q, t.intensity, t.error], "%.8E") + "\n"
    parts = (header, data, rows) if m.pick("above", "below") == "above" else (data, rows, header)
    return File(".dat", "".join(parts).encode(), ((t,),), says=ASSUMED)


def pyfai(unit: str, columns: str, m: Measurement) -> File:
    """PyFAI's text: the geometry above, with metres, pixels and degrees; the unit in the name of the column.

    Its version of 2026 writes the source of its format instead of names and unit where there are
    uncertainties: ``columns`` is then "nameless".
    """
    t = m.truth.pinhole_less if columns != "bare" else m.truth.bare
    wavelength = 1.0332e-10
    head = "# == pyFAI calibration ==\n# Distance Sample to Detector: 1.5 m\n# PONI: 1.2e-02, 4.4e-02 m\n"
    head += "# Rotations: 0.000000 0.000000 0.000000 rad\n# \n# == Fit2d calibration ==\n"
    head += "# Distance Sample-beamCenter: 1500.000 mm\n# Center: x=256.200, y=74.100 pix\n"
    head += "# Tilt: 0.000 deg  TiltPlanRot: 0.000 deg\n# \n# Detector Pilatus 1M\t PixelSize= 172um, 172um\n"
    head += f"# Wavelength: {wavelength} m\n# Mask applied: provided\n# Polarization factor: 0.99\n"
    names = f"#{unit:14s} {'I':14s}" + f" {'sigma':14s}" * (columns == "named")
    if columns == "nameless":
        names = "#{str(dim1_unit):14s}  {'I':14s}  {'sigma':14s}"
    x = {
        "q_nm^-1": t.q * PER_NM,
        "q_A^-1": t.q,
        "2th_deg": np.degrees(2 * np.arcsin(t.q * wavelength * 1e10 / (4 * np.pi))),
        "2th_rad": 2 * np.arcsin(t.q * wavelength * 1e10 / (4 * np.pi)),
    }[unit]
    rows = text([x, t.intensity] + [t.error] * (columns != "bare"), "%14.6e", "  ")
    content = (head + f"# --> sample.dat\n{names}\n" + rows).encode()
    asked = ("angle", "2θ", "wavelength") if unit.startswith("2th") else ()
    silent = ASSUMED if columns == "nameless" else ()
    return File(".dat", content, ((t,),), asked or silent, says=silent, said=silent)


def chi(label: str, scale: float, m: Measurement) -> File:
    """FIT2D's and pyFAI's .chi: title, label of x, label of y, number of points."""
    t = m.truth.bare
    q = t.q * scale if scale else np.degrees(2 * np.arcsin(t.q * 1.5406 / (4 * np.pi)))
    head = f"{m.pick('sample_A_0001.gfrm', 'im_01.edf: azimuth')}\n{label}\nIntensity\n{t.q.size:9d}\n"
    content = (head + text([q, t.intensity], "%.7E", "  ")).encode()
    return File(".chi", content, ((t,),)) if scale else File(".chi", content, (), ANGLE)


def given_wavelength(m: Measurement) -> File:
    """The same against 2θ, the wavelength given on reading."""
    t = m.truth.bare
    file = chi("2-Theta Angle (Degrees)", 0.0, m)
    return File(file.suffix, file.content, ((t,),), options=(("wavelength", 1.5406),))


def given_unit(unit: str, scale: float, m: Measurement) -> File:
    """No header; the unit given on reading."""
    t = m.truth.pinhole_less
    rows = text([t.q * scale, t.intensity, t.error], m.digits(6, 8))
    return File(".dat", rows.encode(), ((t,),), options=(("q_unit", unit),))


#: Columns below a head, and nothing else.
FIT, SILENT, LOOSE = "q I dI model", {"says": ASSUMED}, {"loose": True}
TABLES = {
    "ATSAS DAMMIN .fir": Table(
        ".fir", "   sExp  |  iExp |  Err | iFit(+Const) | Chi^2=   1.01\n", FIT, "%.6E", "  ", file=SILENT
    ),
    "ATSAS CRYSOL .fit, four columns": Table(
        ".fit",
        tuple(
            f" {name}  Dro:0.075  Ra:1.400  RGT:28.10  Vol: 86422.  Chi^2:******\n"
            for name in ("6lyz.pdb", "4mld.pdb")
        ),
        FIT, "%.6E", "  ", file=SILENT,
    ),
    "ATSAS CRYSOL .fit, three columns": Table(
        ".fit", "  6lyz.pdb             Dro:0.030 Vol:  17000.  Chi: 1.120\n", "q I model", "%.6E", "  ",
        file=SILENT,
    ),
    "ATSAS CRYSOL .abs": Table(
        ".abs", "  6lyz.pdb  theoretical intensity on absolute scale, cm^-1, 1 mg/ml\n", "q model", "%.6E",
        "  ", file=SILENT,
    ),
    "ATSAS angular scale 4": Table(
        ".dat", "Angular scale: 4 (2*sin(theta)/lambda [1/nm])\n", "s I dI", "%.7E"
    ),
    "FoXS beside data .dat": Table(
        ".dat",
        "# SAXS profile: number of points = {n}, q_min = {low:.5f}, q_max = {high:.5f}\n"
        "# offset = 0, scaling c = 1.2, Chi^2 = 1.1\n#  q       exp_intensity   model_intensity error\n",
        "q I model dI", gap="    ", file=LOOSE,
    ),
    "MultiFoXS .fit": Table(
        ".fit", "# chi = 1.05 c1 = 1.02 c2 = 0.5\n# q Iexp Imodel sigma\n", "q I model dI", file=LOOSE
    ),
    "Pepsi-SAXS .fit": Table(
        ".fit", "#  q(A^-1)        Iexp            sigma(Iexp)      Ifit\n", FIT, "%.6E", "  "
    ),
    "SASfit export": Table(
        ".csv", '"Q / nm^-1";"I(Q)";"Delta I(Q)";"I_th(Q)";"residuals"\n', "nm I dI model residual", gap=";"
    ),
    "Irena export of data": Table(
        ".dat",
        "# Data exported from Irena\n# IrenaWaveNote=Wavelength=0.59;Thickness=1 mm\n"
        "#   Q [1/A]\tIntensity [1/cm]\tUncertainty\tQ resolution\n",
        "q I dI dQ", gap="\t",
    ),
    "Irena export of a fit": Table(
        ".txt", "#Q_vec[1/A] Intensity Error UnifiedFitIntensity\n", FIT, "%.6E", "  "
    ),
    "Nika": Table(
        ".dat",
        "# Nika processed, calibrated data\n# Sample detector distance = 1200 mm\n"
        "# Wavelength = 0.1542 nm\n# q[A^-1]\tIntensity\tError\tdQ\n",
        "q I dI dQ", gap="\t",
    ),
    "SasView saved text": Table(".txt", "<X>\t<Y>\t<dY>\t<dX>\n", "q I dI dQ", "%.10g", "\t", file=LOOSE),
    "BioXTAS RAW .rad": Table(
        ".rad",
        "   Exposure Time (sec): 1\n       Q             I                   Error           DeltaQ\n"
        "    {n}\n",
        "q I dI 0", "%.8E", "  ",
        foot="\n\nq_cal: 1\nwavelength: 1.2523\nnormalizefactor: 1.0\n", file=SILENT,
    ),
    "Scåtter, BIOISIS": Table(
        ".dat",
        "# REMARK 265 EXPERIMENTAL DETAILS\n# REMARK 265 Rg = 46.5\n# REMARK 265 q(A^-1)  I(q)  sigma\n",
        gap="\t",
    ),
    "Mantid SaveAscii": Table(".csv", "# X , Y , E\n1\n", "q I dI", "%.12g", ",", file=SILENT),
    "Mantid SaveAscii with DX": Table(
        ".txt", "# X , Y , E , DX\n1\n", "q I dI dQ", "%.12g", ",", file=SILENT
    ),
    "Dioptas .xy": Table(
        ".xy", "#\n# Dioptas\n# Wavelength: 3.344e-11 m\n#\n# q_A^-1\t I\n", "q I", gap="\t"
    ),
    "no header, `q_unit` nm given": Table(".dat", "", "nm I dI", file={"options": (("q_unit", "nm"),)}),
}  # fmt: skip


def ways() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {
        "ATSAS PRIMUS .dat, unit in the footer": primus, "ATSAS DAMMIF .fir, long header": fir_long,
        "ATSAS MONSA .fit, two data sets": monsa, "ATSAS GNOM 4 .out": partial(gnom, 4),
        "ATSAS GNOM 5 .out": partial(gnom, 5), "ATSAS CRYSOL .int": crysol_int,
        "FoXS profile .dat": foxs_profile, "BioXTAS RAW .dat": raw, "BioXTAS RAW .dat of before": raw_bare,
        "Mantid SaveRKH": partial(rkh, "one"), "Mantid SaveRKH with its resolution": partial(rkh, "dx"),
        "Mantid SaveRKH, a second workspace appended": partial(rkh, "two"),
        "pyFAI q_nm^-1": partial(pyfai, "q_nm^-1", "named"),
        "pyFAI q_nm^-1, no uncertainties": partial(pyfai, "q_nm^-1", "bare"),
        "pyFAI of 2026, names and unit lost": partial(pyfai, "q_nm^-1", "nameless"),
        "pyFAI q_A^-1": partial(pyfai, "q_A^-1", "named"),
        "pyFAI 2th_deg, wavelength in the header": partial(pyfai, "2th_deg", "named"),
        "pyFAI 2th_rad, wavelength in the header": partial(pyfai, "2th_rad", "named"),
        "FIT2D .chi, Inverse Nanometres": partial(chi, "Q Space (Inverse Nanometres)", PER_NM),
        "FIT2D .chi, q_nm^-1": partial(chi, "q_nm^-1", PER_NM),
        "FIT2D .chi, Q (A^-1)": partial(chi, "Q (A^-1)", 1.0),
        "FIT2D .chi, 2-Theta": partial(chi, "2-Theta Angle (Degrees)", 0.0),
        "FIT2D .chi, Scattering Angle": partial(chi, "Scattering Angle (degrees)", 0.0),
        "2θ, `wavelength` given": given_wavelength,
        "no header, `q_unit` 1/um given": partial(given_unit, "1/um", 1e4),
    }  # fmt: skip
    return {f"program: {title}": way for title, way in (found | TABLES).items()}
