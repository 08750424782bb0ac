"""Twelve good files in eight formats, of samples whose sizes are known."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .containers import group, nxcansas_entry
from .samples import Array, Truth, coil, lamellae, measured, sphere

PER_NM = 10.0


@dataclass(frozen=True)
class Good:
    """A good file."""

    suffix: str
    kind: str  #: "text", "xml" or "hdf5": how it can be damaged.
    size: float  #: Å.
    form: Callable[[Array, float], Array]
    write: Callable[[Truth], bytes]
    sample: int  #: One of `samples.KINDS`.

    def written(self) -> bytes:
        """Its content."""
        return self.write(measured(self.sample, 3).truth)


def rows(columns: list[Array], between: str = " ", form: str = "%.6e") -> str:
    return "".join(between.join(form % v for v in line) + "\n" for line in zip(*columns, strict=True))


def text(
    head: str, between: str, form: str, truth: Truth, *, per_nm: bool = False, dq: bool = False
) -> bytes:
    """Columns below a header."""
    scale = PER_NM if per_nm else 1.0
    columns = [truth.q * scale, truth.intensity, truth.error, *([truth.dq * scale] if dq else [])]  # type: ignore[operator]
    return (head + rows(columns, between, form)).encode()  # type: ignore[arg-type]


def cansas(unit: str, scale: float, truth: Truth) -> bytes:
    points = "".join(
        f'<Idata><Q unit="{unit}">{scale * q:.6e}</Q><I unit="1/cm">{i:.6e}</I>'
        f'<Idev unit="1/cm">{e:.6e}</Idev></Idata>\n'
        for q, i, e in zip(truth.q, truth.intensity, truth.error, strict=True)  # type: ignore[arg-type]
    )
    return (
        '<?xml version="1.0"?>\n<SASroot version="1.1" xmlns="urn:cansas1d:1.1"><SASentry>'
        f"<Title>sample</Title><Run>1</Run><SASdata>\n{points}</SASdata>"
        "<SASsample><ID>1</ID></SASsample></SASentry></SASroot>\n"
    ).encode()


def hdf5(write: Callable[[Any], None]) -> bytes:
    import h5py

    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        write(file)
    return held.getvalue()


def nxcansas(unit: str, scale: float, truth: Truth) -> bytes:
    return hdf5(lambda file: nxcansas_entry(file, "sasentry01", truth, unit, scale, {}))


def nexus(truth: Truth) -> bytes:
    """A processed NeXus file with an NXdata against q."""

    def write(file: Any) -> None:
        data = group(
            group(file, "entry", "NXentry", default="data"), "data", "NXdata", signal="data", axes=["q"]
        )
        data["data"], data["errors"], data["q"] = truth.intensity, truth.error, truth.q * PER_NM
        data["q"].attrs["units"] = "1/nm"

    return hdf5(write)


def pdh(truth: Truth) -> bytes:
    """Anton Paar's PDH."""
    head = f"sample\nSAXS BOX\n{truth.q.size:9d}{0:10d}{0:10d}{0:10d}{0:10d}{0:10d}{0:10d}{0:10d}\n"
    numbers = "  0.00E+00" * 5 + "\n"
    return (head + 2 * numbers + rows([truth.q * PER_NM, truth.intensity, truth.error])).encode()  # type: ignore[list-item]


def nist(truth: Truth) -> bytes:
    """NIST's .ABS: six columns."""
    head = (
        "FILE: SAMPLE.SA2_ABC CREATED: 01-JAN-2020\nLABEL: sample\n"
        "MON CNT   LAMBDA (A)  DET_OFF(cm)  DET_DIST(m)  TRANS  THCK(cm)\n1e8 6.0 0.0 4.0 0.8 0.1\n"
        "BCENT(X,Y)   A1(mm)   A2(mm)   A1A2DIST(m)   DL/L   BSTOP(mm)   DET_TYP\n"
        "64.1 63.8 50.0 12.7 5.1 0.138 50.8 ORNL\n"
        "The 6 columns are | Q (1/A) | I(Q) (1/cm) | std. dev. I(Q) (1/cm) | sigmaQ | meanQ | ShadowFactor|\n"
    )
    ones = np.ones(truth.q.size)
    return (head + rows([truth.q, truth.intensity, truth.error, truth.dq, truth.q, ones])).encode()  # type: ignore[list-item]


def usans(truth: Truth) -> bytes:
    """NIST's USANS, its slit too short to matter."""
    slit = np.full(truth.q.size, -1e-4)
    head = "COR FILES: A1,A2\nLABEL: sample\nEMP LEVEL: 0.7 ; BKG LEVEL: 0.6\n"
    return (head + rows([truth.q, truth.intensity, truth.error, slit, slit, slit])).encode()  # type: ignore[list-item]


GOOD_FILES = {
    "text": Good(
        ".dat", "text", 60.0, sphere, partial(text, "# q (1/A)  I (1/cm)  dI (1/cm)\n", " ", "%.6e"), 0
    ),
    "text of a coil": Good(
        ".txt",
        "text",
        60.0,
        coil,
        partial(text, "Sample 1\nq(1/nm)\tI\tsigma\n", "\t", "%.5e", per_nm=True),
        1,
    ),
    "text with dq": Good(
        ".dat", "text", 120.0, lamellae, partial(text, "# q(1/A) I dI dq\n", "  ", "%.6g", dq=True), 2
    ),
    "CSV": Good(".csv", "text", 60.0, sphere, partial(text, "q (1/A),I (1/cm),dI (1/cm)\n", ",", "%.7g"), 0),
    "CSV of a coil": Good(
        ".csv", "text", 60.0, coil, partial(text, "q_nm^-1;I;error\n", ";", "%.6e", per_nm=True), 1
    ),
    "canSAS XML": Good(".xml", "xml", 60.0, sphere, partial(cansas, "1/A", 1.0), 0),
    "canSAS XML of lamellae": Good(".xml", "xml", 120.0, lamellae, partial(cansas, "1/nm", PER_NM), 2),
    "NXcanSAS": Good(".h5", "hdf5", 60.0, sphere, partial(nxcansas, "1/angstrom", 1.0), 0),
    "NeXus": Good(".nxs", "hdf5", 60.0, coil, nexus, 1),
    "PDH": Good(".pdh", "text", 60.0, sphere, pdh, 0),
    "ABS": Good(".abs", "text", 60.0, coil, nist, 1),
    "USANS": Good(".cor", "text", 60.0, coil, usans, 1),
}
