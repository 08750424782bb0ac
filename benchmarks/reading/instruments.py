"""Files as instruments' own software writes them: beamlines, neutron sources, laboratory cameras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .samples import File, Measurement
from .units import ANGLE, ASSUMED, CU, PER_NM, Table, text


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


def usans(m: Measurement, half: float = 0.117) -> File:
    """NIST's slit-smeared USANS: minus the slit's half height in the place of sigma of q."""
    t = m.truth.pinhole_less
    slit = np.full(t.q.size, -half)
    head = "USANS DATA: sample.cor\r\nEMP LEVEL: 1.2 ; BKG LEVEL: 0.6\r\n"
    head += "The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) | -dQv | -dQv | -dQv |\r\n"
    rows = text([t.q, t.intensity, t.error, slit, slit, slit], "%15.6g", " ", "\r\n")
    return File(".cor", (head + rows).encode(), ((replace(t, slit=half),),))


def pdh(m: Measurement) -> File:
    """Anton Paar's .pdh: five lines of constants, q in nm⁻¹."""
    t = m.truth.pinhole_less
    head = "SAXSess sample 12\nSAXS BOX\n"
    head += "".join(f"{n:9d} " for n in (t.q.size, 0, 0, 0, 0, 0, 0, 0)) + "\n"
    head += "".join(f"{v:14.6E} " for v in (0.0, 264.5, 0.0, 1.0, 0.1542)) + "\n"
    head += "".join(f"{v:14.6E} " for v in (0.0,) * 5) + "\n"
    content = head + text([t.q * PER_NM, t.intensity, t.error], "%14.6E", " ")
    return File(".pdh", content.encode(), ((t,),), ("unit",), said=ASSUMED, loose=True)


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


GRASP = "# GRASP V.10.23 reduced data\n# sample: micelles D22 8 m 6 A\n# q(A-1)\tI(cm-1)\terr_I(cm-1)\t"
#: Columns below a head, and nothing else.
OF_ANGLES = {"refusal": ANGLE}
TABLES = {
    "NIST NSORT, three columns": Table(
        ".txt",
        "NSORT-ed   A.ABS \t  +  B.ABS\r\nnormalized to   B.ABS\r\nmultiplicative factor 1-2 = 1.02\r\n"
        "The 3 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) |\r\n",
        form="%15.6g", end="\r\n",
    ),
    "NIST USANS .dsm": Table(
        ".dsm", "# desmeared with 10 iterations\r\n# Q (1/A)  I (1/cm)  dI (1/cm)\r\n",
        form="%15.6g", end="\r\n",
    ),
    "GRASP, sigma of q": Table(".dat", GRASP + "sigma_q(A-1)\n", "q I dI dQ", gap="\t"),
    "GRASP, FWHM of q": Table(".dat", GRASP + "FWHM_q(A-1)\n", "q I dI fwhm", gap="\t"),
    "ILL LAMP": Table(
        ".dat", "TITLE: D11 sample, 6.0 Angstroms\n\n#   Q(A-1)    I(Q)  Error\n#  {n} points\n",
        gap="   ",
    ),
    "BerSANS with cells": Table(
        ".dat",
        "% BerSANS radial average\n% Sample=D0012345  Wavelength[nm]=0.6\n"
        "%  Q[nm-1]   I[cm-1]   dI[cm-1]   NCells\n",
        "nm I dI cells", gap="  ",
    ),
    "SINQ .asc": Table(
        ".asc", "SANS-I at SINQ\n01-May-2012 12:00\n{n}\nQ[1/nm] I[1/cm] Error\n", "nm I dI"
    ),
    "KWS QtiKWS": Table(
        ".DAT", "### QtiKWS: KWS-2 radial average\nQ[1/A]\tI[1/cm]\tdI[1/cm]\tSigma[1/A]\n",
        "q I dI dQ", gap="\t",
    ),
    "Oak Ridge drtsans": Table(
        ".txt", "# I(Q) from GPSANS\n#Q (1/A)        I (1/cm)        dI (1/cm)       dQ (1/A)\n",
        "q I dI dQ", "%.6E", "\t",
    ),
    "ESRF ID02 text": Table(
        ".dat",
        "# Title = sample 3\n# WaveLength = 9.9519e-11 m\n# SampleDistance = 2.0 m\n# ExposureTime = 0.1 s\n"
        "# AxisType_1 = 'wavenumber'\n# Columns: q_nm-1 I(1/mm) sigma\n",
        "nm I dI",
    ),
    # As freesas extracts it: a comment gives the unit as ``q*nm``.
    "ESRF BM29 text": Table(
        ".dat",
        "# protein in buffer\n# Sample c= 4.500 mg/ml\n#\n# Sample environment:\n# Detector = Pilatus 2M\n"
        "# SampleDistance = 2.83\n# WaveLength = 9.919e-11\n#\n# N 3\n# L q*nm  I_protein  stddev\n#\n"
        "# Sample Information:\n# Storage Temperature (degrees C): 20\n# Concentration: 4.5\n# Code: bsa\n",
        "nm I dI", "%.7e", "\t",
    ),
    "DESY P12": Table(
        ".dat", "Sample:  lysozyme   c=   5.000 mg/ml  Code:   lys\n", "nm I dI", "%.6E", "  ",
        foot="\ncreator: sasflow\nbeamline: P12\nangular-axis-unit: 1/nm\nwavelength: 0.124 nm\n",
    ),
    "SASBDB, unit nowhere, nm⁻¹": Table(
        ".dat", tuple(f"Sample description: {name} in 50 mM HEPES\n" for name in ("BSA", "lysozyme")),
        "nm I dI", "%.6E", "   ", file={"refusal": ("unit",), "says": ASSUMED, "said": ASSUMED},
    ),
    "Diamond DAWN text": Table(
        ".dat", "# File saved by DAWN\n# /processed/result/data\n# q (1/Angstrom)\tdata\terrors\n", gap="\t"
    ),
    "SOLEIL SWING Foxtrot": Table(
        ".dat", "# Foxtrot\n# distance=2000.0 mm\n# wavelength=1.033 A\n# q(A-1);I;sigma\n", gap=";"
    ),
    "SSRL SasTool": Table(
        ".dat", "# SasTool\n# Q in inverse Angstroms\n#  Q   I   sigma   \n", form="%.6e", gap="  "
    ),
    "APS 12-ID": Table(".dat", "% q(A^-1)  I(q)  error\n", form="%.8g", gap="\t"),
    "ANSTO scatterBrain": Table(
        ".dat", "# scatterBrain\n# Wavelength 1.0332 A\n# Q (A^-1), Intensity, Error\n", gap="  "
    ),
    "Xenocs XSACT": Table(
        ".dat",
        "# WaveLength 1.54189e-10 m\n# SampleDistance 1.2 m\n# PSize_1 7.5e-05 m\n# Thickness 1e-3 m\n"
        '"q(A-1)"\t"I(q)"\t"Sig(q)"\n',
        gap="\t",
    ),
    "Rigaku .ras, 2θ": Table(
        ".ras",
        f'*RAS_DATA_START\r\n*RAS_HEADER_START\r\n*HW_XG_WAVE_LENGTH_ALPHA1 "{CU}"\r\n'
        '*MEAS_SCAN_AXIS_X "TwoTheta"\r\n*MEAS_SCAN_UNIT_X "deg"\r\n*MEAS_SCAN_UNIT_Y "counts"\r\n'
        "*RAS_HEADER_END\r\n*RAS_INT_START\r\n",
        "2θ I 1", "%.7f", " ", "\r\n", "*RAS_INT_END\r\n*RAS_DATA_END\r\n*DSC_DATA_END\r\n", OF_ANGLES,
    ),
    "Rigaku text, 2θ": Table(
        ".txt", f";KAlpha1 = {CU}\r\n;ScanMode = 2theta\r\n;X unit = deg\r\n", "2θ I", "%.7f", "\t", "\r\n",
        file=OF_ANGLES,
    ),
    "PANalytical CSV, 2θ": Table(
        ".csv",
        "[Measurement conditions]\nSample identification,X12\nScan axis,2Theta\n"
        f"K-Alpha1 wavelength,{CU}\n[Scan points]\nAngle,Intensity\n",
        "2θ I", "%.7f", ",", file=OF_ANGLES,
    ),
    "Bruker .xy, 2θ": Table(
        ".xy",
        '\'Id: "sample" Comment: "" Operator: "x" Anode: "Cu" Scantype: "Coupled TwoTheta/Theta"\n',
        "2θ I", "%.7f", file=OF_ANGLES | {"right": ()},
    ),
    "powder .xye, nothing said": Table(
        ".xye", "", "2θ I dI", "%.7f", file={"right": (), "refusal": (*ANGLE, "unit"), "said": ASSUMED}
    ),
}  # fmt: skip


def ways() -> dict[str, Callable[[Measurement], File]]:
    found: dict[str, Callable[[Measurement], File]] = {
        "NIST .ABS, six columns": nist_abs, "NIST USANS .cor, slit": usans, "Anton Paar .pdh": pdh,
        "ORSO reflectivity": orso, "SESANS": sesans,
    }  # fmt: skip
    return {f"instrument: {title}": way for title, way in (found | TABLES).items()}
