"""Stand-ins of the formats of small-angle-scattering images: a ring of scattering behind a beamstop."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sasnet_plugin.images.sans.nexus import Setting
from sasnet_plugin.images.sans.reading import SmallAngle, make_detector_geometry

SETTING = Setting(6.0, 0.1, 8000.0, 8000.0, 15.0, 5.0, (5.0, 5.0))


def scene(
    shape: tuple[int, int] = (64, 64), centre: tuple[float, float] = (30.0, 33.0), seed: int = 1
) -> tuple[SmallAngle, np.ndarray]:
    """A geometry and counts: a Guinier region, 6 pixels of beamstop, background."""
    geometry = make_detector_geometry(shape, centre, SETTING)
    rate = 300 * np.exp(-((geometry.q * 120) ** 2) / 3) + 3
    rate[geometry.q < 6 * 5 / 8000 * SETTING.k] = 0
    return geometry, np.random.default_rng(seed).poisson(rate).astype(float)


def nist(path: Path, *, axes: bool = False) -> Path:
    """NIST's ASCII with σ along q and across it, or (as of 2010, without dI) along the axes."""
    geometry, counts = scene()
    spread = geometry.spread()
    assert spread is not None
    along, across = spread
    head = [
        "FILE: X CREATED: today",
        "MON CNT   LAMBDA (A)  DET_OFF(cm)   DET_DIST(m)   TRANS   THICK(cm)",
        "1e+08  6       0     8     0.5     0.1",
        "BCENT(X,Y)   A1(mm)   A2(mm)   A1A2DIST(m)   DL/L   BSTOP(mm)   DET_TYP  ",
        "30 33    30    10    8    0.1    50.8    ORNL  ",
        "Data columns are Qx - Qy - I(Qx,Qy) - "
        + ("Qz - SigmaQx - SigmaQy" if axes else "err(I) - Qz - SigmaQ_parall - SigmaQ_perp")
        + " - fSubS(beam stop shadow)",
        "ASCII data created today",
        "",
    ]
    blocked = (counts > 0) | (geometry.q > 0.02)
    columns = [geometry.qx, geometry.qy, counts]
    if axes:
        base, c = across**2, (along**2 - across**2) / np.maximum(geometry.q, 1e-9) ** 2
        columns += [0 * counts, np.sqrt(base + c * geometry.qx**2), np.sqrt(base + c * geometry.qy**2)]
    else:
        columns += [np.sqrt(counts + 1), 0 * counts, along, across]
    table = np.stack([column.ravel() for column in [*columns, blocked.astype(float)]], axis=1)
    lines = ["\t".join(f"{x:.8g}" for x in row) for row in table]
    path.write_text("\n".join(head + lines) + "\n")
    return path


def columns(path: Path, *, error: bool = True) -> Path:
    """sasdata's columns Qx Qy I dI."""
    geometry, counts = scene()
    parts = [geometry.qx, geometry.qy, 0.01 * counts, 0.01 * np.sqrt(counts + 1)][: 4 if error else 3]
    names = "Data columns Qx - Qy - I(Qx,Qy)" + (" - err(I)" if error else "")
    np.savetxt(path, np.stack([p.ravel() for p in parts], axis=1), header=f"{names}\nASCII data", comments="")
    return path


def sinq(path: Path) -> Path:
    """SINQ's ``.sans``; its pixels are counted from 1."""
    _, counts = scene()
    head = "FORMATVERSION:2\nWAVELENGTH:6.0\nDISTANCE:8.0\nCENTER_X:31.0\nCENTER_Y:34.0\nPIXELSIZE:5.0\n"
    body = "\n".join(f"{n:g}  {np.sqrt(n + 1):g}" for n in counts.ravel())
    path.write_text(f"{head}SIZE_X:64\nSIZE_Y:64\nDATA:\n{body}\n")
    return path


def ill(path: Path) -> Path:
    """ILL's NeXus of D22: tubes first, a misspelt name, no centre that means anything."""
    import h5py

    geometry = make_detector_geometry(
        (96, 64), (30.0, 47.0), Setting(6.0, 0.1, 8000.0, 8060.0, 20.0, 5.0, (8.0, 4.0))
    )
    rate = 200 * np.exp(-((geometry.q * 120) ** 2) / 3) + 1
    counts = np.random.default_rng(0).poisson(rate)
    with h5py.File(path, "w") as opened:
        group = opened.create_group("entry0/D22")
        group["Detector 1/data1"] = counts.T[..., None]
        for name, value in (
            ("Detector 1/det1_calc", 8.06), ("Detector 1/det1_pixel_size_x", 8.0),
            ("Detector 1/det1_pixel_size_y", 4.0), ("selector/wavelength", 6.0),
            ("selector/wavelenght_res", 10.0), ("collimation/actual_position", 8.0), ("Beam/center_x", 394.5),
        ):  # fmt: skip
            group[name] = [value]
    return path


def quokka(path: Path) -> Path:
    """ANSTO's file of Quokka."""
    import h5py

    _, counts = scene()
    with h5py.File(path, "w") as opened:
        entry = opened.create_group("entry1")
        entry["data/hmm_xy"] = counts[None]
        entry["instrument/parameters/L1"], entry["instrument/parameters/L2"] = [8000.0], [8000.0]
        entry["instrument/velocity_selector/LambdaA"] = [6.0]
        for axis in "xy":
            entry[f"instrument/detector/{axis}_pixel_size"] = [5.0]
    return path


def nxcansas(path: Path, *, stacked: bool = False) -> Path:
    """NXcanSAS in two dimensions; q in 1/nm, or stacked in one array."""
    import h5py

    geometry, counts = scene()
    with h5py.File(path, "w") as opened:
        group = opened.create_group("sasentry01/sasdata")
        group.attrs["canSAS_class"] = "SASdata"
        group["I"], group["Idev"] = counts, np.sqrt(counts + 1)
        if stacked:
            group["Q"] = np.stack([0 * counts, geometry.qy, geometry.qx])
        else:
            for name, values in (("Qx", geometry.qx), ("Qy", geometry.qy)):
                group[name] = 10 * values
                group[name].attrs["units"] = "1/nm"
    return path
