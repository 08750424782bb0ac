"""Files as instruments' own software writes them: beamlines, neutron sources, laboratory cameras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from .samples import File, Measurement, Truth
from .units import ASSUMED, PER_NM, text

#: What a refusal of angles names.
ANGLE = ("angle", "2θ", "wavelength")
CU = 1.540593


def two_theta(t: Truth, wavelength: float = CU) -> np.ndarray:
    """Degrees."""
    return np.asarray(np.degrees(2 * np.arcsin(t.q * wavelength / (4 * np.pi))))


def nist_abs(m: Measurement) -> File:
    """NIST's six columns: q, I, sigma of I, sigma of q, mean q, shadow."""
    t = m.truth
    shadow = np.ones(t.q.size)
    head = f"FILE: {m.pick('SILIC010', 'MAR16246')}.SA3   CREATED: 10-MAR-2005 08:46:33\r\n"
    head += "LABEL: sample  4m  LAMBDA 6 A\r\n"
    head += "MON CNT   LAMBDA (A)  DET_OFF(cm)   DET_DIST(m)   TRANS   THICK(cm)\r\n"
    head += (
        "1.0e+08  6.0  0.0  4.0  0.75  0.1\r\nBCENT(X,Y)  A1(mm)  A2(mm)  A1A2DIST(m)  DL/L  BSTOP(mm)\r\n"
    )
    head += "64.2 64.8 50.0 12.7 9.2 0.12 50.8\r\n"
    head += "The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) "
    head += "| sigmaQ | meanQ | ShadowFactor|\r\n"
    rows = text([t.q, t.intensity, t.error, t.dq, t.q * 1.0005, shadow], "%15.6g", " ", "\r\n")
    return File(".ABS", (head + rows).encode(), ((t,),))


def nist_three(m: Measurement) -> File:
    """NIST's NSORT of three columns."""
    t = m.truth.pinhole_less
    head = "NSORT-ed   A.ABS \t  +  B.ABS\r\nnormalized to   B.ABS\r\nmultiplicative factor 1-2 = 1.02\r\n"
    head += "The 3 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) |\r\n"
    rows = text([t.q, t.intensity, t.error], "%15.6g", " ", "\r\n")
    return File(".txt", (head + rows).encode(), ((t,),))


def usans(m: Measurement) -> File:
    """NIST's slit-smeared USANS: minus the slit's half height in the place of sigma of q."""
    t = m.truth.pinhole_less
    slit = np.full(t.q.size, -0.117)
    head = "USANS DATA: sample.cor\r\nEMP LEVEL: 1.2 ; BKG LEVEL: 0.6\r\n"
    head += "The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) | -dQv | -dQv | -dQv |\r\n"
    rows = text([t.q, t.intensity, t.error, slit, slit, slit], "%15.6g", " ", "\r\n")
    return File(".cor", (head + rows).encode(), ((replace(t, slit=0.117),),))


def usans_desmeared(m: Measurement) -> File:
    """NIST's desmeared USANS: three columns, keys above."""
    t = m.truth.pinhole_less
    head = "# desmeared with 10 iterations\r\n# Q (1/A)  I (1/cm)  dI (1/cm)\r\n"
    rows = text([t.q, t.intensity, t.error], "%15.6g", " ", "\r\n")
    return File(".dsm", (head + rows).encode(), ((t,),))


def grasp(width: str, m: Measurement) -> File:
    """GRASP: q, I, its error, and the resolution as sigma or as full width at half maximum."""
    t = m.truth
    head = "# GRASP V.10.23 reduced data\n# sample: micelles D22 8 m 6 A\n"
    head += f"# q(A-1)\tI(cm-1)\terr_I(cm-1)\t{width}\n"
    dq = t.dq * (2.3548 if "FWHM" in width else 1.0)
    return File(
        ".dat", (head + text([t.q, t.intensity, t.error, dq], m.digits(6, 8), "\t")).encode(), ((t,),)
    )


def lamp(m: Measurement) -> File:
    """LAMP's columns."""
    t = m.truth.pinhole_less
    head = f"TITLE: D11 sample, 6.0 Angstroms\n\n#   Q(A-1)    I(Q)  Error\n#  {t.q.size} points\n"
    return File(".dat", (head + text([t.q, t.intensity, t.error], m.digits(6, 8), "   ")).encode(), ((t,),))


def bersans(m: Measurement) -> File:
    """BerSANS' radial average: Q in nm⁻¹, I, error, cells."""
    t = m.truth.pinhole_less
    cells = np.round(30 + 2000 * t.q)
    head = "% BerSANS radial average\n% Sample=D0012345  Wavelength[nm]=0.6\n"
    head += "%  Q[nm-1]   I[cm-1]   dI[cm-1]   NCells\n"
    rows = text([t.q * PER_NM, t.intensity, t.error, cells], m.digits(6, 8), "  ")
    return File(".dat", (head + rows).encode(), ((t,),))


def sinq(m: Measurement) -> File:
    """SINQ's ascii: a few lines of text, then Q in nm⁻¹, I, error."""
    t = m.truth.pinhole_less
    head = f"SANS-I at SINQ\n01-May-2012 12:00\n{t.q.size}\nQ[1/nm] I[1/cm] Error\n"
    return File(".asc", (head + text([t.q * PER_NM, t.intensity, t.error], m.digits(6, 8))).encode(), ((t,),))


def kws(m: Measurement) -> File:
    """QtiKWS' tables: Q, I, dI, sigma of Q with their units."""
    t = m.truth
    head = "### QtiKWS: KWS-2 radial average\nQ[1/A]\tI[1/cm]\tdI[1/cm]\tSigma[1/A]\n"
    rows = text([t.q, t.intensity, t.error, t.dq], m.digits(6, 8), "\t")
    return File(".DAT", (head + rows).encode(), ((t,),))


def drtsans(m: Measurement) -> File:
    """Oak Ridge's drtsans: a line of names with (1/A)."""
    t = m.truth
    head = "# I(Q) from GPSANS\n#Q (1/A)        I (1/cm)        dI (1/cm)       dQ (1/A)\n"
    return File(".txt", (head + text([t.q, t.intensity, t.error, t.dq], "%.6E", "\t")).encode(), ((t,),))


def id02(m: Measurement) -> File:
    """ESRF ID02's ascii: a long header, q in nm⁻¹."""
    t = m.truth.pinhole_less
    head = "# Title = sample 3\n# WaveLength = 9.9519e-11 m\n# SampleDistance = 2.0 m\n"
    head += "# ExposureTime = 0.1 s\n# AxisType_1 = 'wavenumber'\n# Columns: q_nm-1 I(1/mm) sigma\n"
    return File(".dat", (head + text([t.q * PER_NM, t.intensity, t.error], m.digits(6, 8))).encode(), ((t,),))


def bm29(m: Measurement) -> File:
    """ESRF BM29's, as freesas extracts it: q in nm⁻¹, which a comment gives as ``q*nm``."""
    t = m.truth.pinhole_less
    head = "# protein in buffer\n# Sample c= 4.500 mg/ml\n#\n# Sample environment:\n# Detector = Pilatus 2M\n"
    head += "# SampleDistance = 2.83\n# WaveLength = 9.919e-11\n#\n# N 3\n# L q*nm  I_protein  stddev\n#\n"
    head += (
        "# Sample Information:\n# Storage Temperature (degrees C): 20\n# Concentration: 4.5\n# Code: bsa\n"
    )
    return File(".dat", (head + text([t.q * PER_NM, t.intensity, t.error], "%.7e", "\t")).encode(), ((t,),))


def p12(m: Measurement) -> File:
    """DESY P12's: a line of text, three columns, keys and values below."""
    t = m.truth.pinhole_less
    head = "Sample:  lysozyme   c=   5.000 mg/ml  Code:   lys\n"
    foot = "\ncreator: sasflow\nbeamline: P12\nangular-axis-unit: 1/nm\nwavelength: 0.124 nm\n"
    rows = text([t.q * PER_NM, t.intensity, t.error], "%.6E", "  ")
    return File(".dat", (head + rows + foot).encode(), ((t,),))


def sasbdb(m: Measurement) -> File:
    """A curve of SASBDB: text above, its unit nowhere in the file."""
    t = m.truth.pinhole_less
    rows = text([t.q * PER_NM, t.intensity, t.error], "%.6E", "   ")
    head = f"Sample description: {m.pick('BSA', 'lysozyme')} in 50 mM HEPES\n"
    return File(".dat", (head + rows).encode(), ((t,),), ("unit",), says=ASSUMED, said=ASSUMED)


def dawn(m: Measurement) -> File:
    """Diamond's DAWN ascii: names of data sets with their unit."""
    t = m.truth.pinhole_less
    head = "# File saved by DAWN\n# /processed/result/data\n# q (1/Angstrom)\tdata\terrors\n"
    return File(".dat", (head + text([t.q, t.intensity, t.error], m.digits(6, 8), "\t")).encode(), ((t,),))


def swing(m: Measurement) -> File:
    """SOLEIL SWING's Foxtrot: q in Å⁻¹, keys above."""
    t = m.truth.pinhole_less
    head = "# Foxtrot\n# distance=2000.0 mm\n# wavelength=1.033 A\n# q(A-1);I;sigma\n"
    return File(".dat", (head + text([t.q, t.intensity, t.error], m.digits(6, 8), ";")).encode(), ((t,),))


def ssrl(m: Measurement) -> File:
    """SSRL's SasTool: the unit in a comment."""
    t = m.truth.pinhole_less
    head = "# SasTool\n# Q in inverse Angstroms\n#  Q   I   sigma   \n"
    return File(".dat", (head + text([t.q, t.intensity, t.error], "%.6e", "  ")).encode(), ((t,),))


def aps12id(m: Measurement) -> File:
    """APS 12-ID's: a line of names."""
    t = m.truth.pinhole_less
    head = "% q(A^-1)  I(q)  error\n"
    return File(".dat", (head + text([t.q, t.intensity, t.error], "%.8g", "\t")).encode(), ((t,),))


def anstosaxs(m: Measurement) -> File:
    """The Australian Synchrotron's scatterBrain."""
    t = m.truth.pinhole_less
    head = "# scatterBrain\n# Wavelength 1.0332 A\n# Q (A^-1), Intensity, Error\n"
    return File(".dat", (head + text([t.q, t.intensity, t.error], m.digits(6, 8), "  ")).encode(), ((t,),))


def xsact(m: Measurement) -> File:
    """Xenocs' XSACT: keys in SI units, then quoted names."""
    t = m.truth.pinhole_less
    head = "# WaveLength 1.54189e-10 m\n# SampleDistance 1.2 m\n# PSize_1 7.5e-05 m\n# Thickness 1e-3 m\n"
    head += '"q(A-1)"\t"I(q)"\t"Sig(q)"\n'
    return File(".dat", (head + text([t.q, t.intensity, t.error], m.digits(6, 8), "\t")).encode(), ((t,),))


def pdh(m: Measurement) -> File:
    """Anton Paar's .pdh: five lines of constants, q in nm⁻¹."""
    t = m.truth.pinhole_less
    head = "SAXSess sample 12\nSAXS BOX\n"
    head += "".join(f"{n:9d} " for n in (t.q.size, 0, 0, 0, 0, 0, 0, 0)) + "\n"
    head += "".join(f"{v:14.6E} " for v in (0.0, 264.5, 0.0, 1.0, 0.1542)) + "\n"
    head += "".join(f"{v:14.6E} " for v in (0.0,) * 5) + "\n"
    content = head + text([t.q * PER_NM, t.intensity, t.error], "%14.6E", " ")
    return File(".pdh", content.encode(), ((t,),), ("unit",), said=ASSUMED, loose=True)


def rigaku_ras(m: Measurement) -> File:
    """Rigaku's .ras: 2θ, counts, attenuator; the wavelength stands above."""
    t = m.truth.bare
    head = "*RAS_DATA_START\r\n*RAS_HEADER_START\r\n"
    head += f'*HW_XG_WAVE_LENGTH_ALPHA1 "{CU}"\r\n*MEAS_SCAN_AXIS_X "TwoTheta"\r\n'
    head += '*MEAS_SCAN_UNIT_X "deg"\r\n*MEAS_SCAN_UNIT_Y "counts"\r\n*RAS_HEADER_END\r\n*RAS_INT_START\r\n'
    rows = text([two_theta(t), t.intensity, 0 * t.q + 1.0], "%.7f", " ", "\r\n")
    tail = "*RAS_INT_END\r\n*RAS_DATA_END\r\n*DSC_DATA_END\r\n"
    return File(".ras", (head + rows + tail).encode(), ((t,),), ANGLE)


def rigaku_txt(m: Measurement) -> File:
    """Rigaku's text."""
    t = m.truth.bare
    head = f";KAlpha1 = {CU}\r\n;ScanMode = 2theta\r\n;X unit = deg\r\n"
    return File(
        ".txt", (head + text([two_theta(t), t.intensity], "%.7f", "\t", "\r\n")).encode(), ((t,),), ANGLE
    )


def panalytical(m: Measurement) -> File:
    """PANalytical's CSV: conditions, then angle and intensity."""
    t = m.truth.bare
    head = "[Measurement conditions]\nSample identification,X12\nScan axis,2Theta\n"
    head += f"K-Alpha1 wavelength,{CU}\n[Scan points]\nAngle,Intensity\n"
    return File(".csv", (head + text([two_theta(t), t.intensity], "%.7f", ",")).encode(), ((t,),), ANGLE)


def bruker_xy(m: Measurement) -> File:
    """Bruker's .xy: a quoted line, then 2θ."""
    t = m.truth.bare
    head = '\'Id: "sample" Comment: "" Operator: "x" Anode: "Cu" Scantype: "Coupled TwoTheta/Theta"\n'
    return File(".xy", (head + text([two_theta(t), t.intensity], "%.7f")).encode(), (), ANGLE)


def nameless_angles(m: Measurement) -> File:
    """A powder program's .xye: angles, counts, errors, nothing said."""
    t = m.truth
    rows = text([two_theta(t), t.intensity, t.error], "%.7f")
    return File(".xye", rows.encode(), (), (*ANGLE, "unit"), said=ASSUMED)


def orso(m: Measurement) -> File:
    """A reflectivity curve, which is no small-angle scattering."""
    t = m.truth
    head = "# # ORSO reflectivity data file | 1.0 standard | YAML encoding | https://www.reflectometry.org/\n"
    head += "# columns:\n# - {name: Qz, unit: 1/angstrom}\n# - {name: R}\n# - {name: sR}\n# Qz R sR\n"
    r = np.clip((0.02 / t.q) ** 4, None, 1.0)
    return File(".ort", (head + text([t.q, r, 0.02 * r], "%.7e")).encode(), (), ("reflect",))


def sesans(m: Measurement) -> File:
    """A spin-echo curve, which is no scattering against q."""
    z = np.linspace(0.05, 3, 60)
    p = np.exp(-0.1 * (1 - np.exp(-z)))
    head = "FileFormatVersion       1.0\nDataFileTitle   x\nSpinEchoLength_unit       micron\n"
    head += "Polarisation_unit A-2 cm-1\n"
    head += "BEGIN_DATA\nSpinEchoLength Depolarisation Depolarisation_error Wavelength\n"
    rows = text([z, np.log(p) / 16, 0.001 + 0 * z, 4.0 + 0 * z], "%.6e")
    return File(".ses", (head + rows).encode(), (), ("spin-echo", "sesans", "spin echo"))


def ways() -> dict[str, Callable[[Measurement], File]]:
    """Title to writer."""
    found: dict[str, Callable[[Measurement], File]] = {
        "NIST .ABS, six columns": nist_abs,
        "NIST NSORT, three columns": nist_three,
        "NIST USANS .cor, slit": usans,
        "NIST USANS .dsm": usans_desmeared,
        "GRASP, sigma of q": partial(grasp, "sigma_q(A-1)"),
        "GRASP, FWHM of q": partial(grasp, "FWHM_q(A-1)"),
        "ILL LAMP": lamp,
        "BerSANS with cells": bersans,
        "SINQ .asc": sinq,
        "KWS QtiKWS": kws,
        "Oak Ridge drtsans": drtsans,
        "ESRF ID02 text": id02,
        "ESRF BM29 text": bm29,
        "DESY P12": p12,
        "SASBDB, unit nowhere, nm⁻¹": sasbdb,
        "Diamond DAWN text": dawn,
        "SOLEIL SWING Foxtrot": swing,
        "SSRL SasTool": ssrl,
        "APS 12-ID": aps12id,
        "ANSTO scatterBrain": anstosaxs,
        "Xenocs XSACT": xsact,
        "Anton Paar .pdh": pdh,
        "Rigaku .ras, 2θ": rigaku_ras,
        "Rigaku text, 2θ": rigaku_txt,
        "PANalytical CSV, 2θ": panalytical,
        "Bruker .xy, 2θ": bruker_xy,
        "powder .xye, nothing said": nameless_angles,
        "ORSO reflectivity": orso,
        "SESANS": sesans,
    }
    return {f"instrument: {title}": way for title, way in found.items()}
