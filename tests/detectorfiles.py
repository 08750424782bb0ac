"""Detector files as detectors write them, made small or at full size, with a known pattern."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

PILATUS_1M, PILATUS_2M = (1043, 981), (1679, 1475)
DECTRIS_HEADER = (
    "# Detector: PILATUS 1M, S/N 10-0000, Forschungszentrum\r\n# 2020/01/01 12:00:00\r\n"
    "# Pixel_size 172e-6 m x 172e-6 m\r\n# Silicon sensor, thickness 0.001000 m\r\n"
    "# Exposure_time 3600.000000 s\r\n# Exposure_period 3600.000000 s\r\n# Tau = 0 s\r\n"
    "# Count_cutoff 1048574 counts\r\n# Threshold_setting 6000 eV\r\n"
    "# Gain_setting low gain (vrf = -0.300)\r\n# N_excluded_pixels = 0\r\n# Excluded_pixels: (nil)\r\n"
    "# Flat_field: (nil)\r\n# Trim_directory: (nil)\r\n"
)


def pilatus_gaps(shape: tuple[int, int]) -> np.ndarray:
    """Modules of 487 x 195 pixels, 7 columns and 17 rows apart."""
    rows, columns = np.arange(shape[0]) % (195 + 17) >= 195, np.arange(shape[1]) % (487 + 7) >= 487
    return rows[:, None] | columns[None, :]


def pattern(
    shape: tuple[int, int],
    *,
    direct: tuple[float, float],
    pitch: float,
    alpha_i: float,
    counts: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Two side peaks, a Yoneda band and a rod over the horizon, row 0 on top; ``pitch`` in degrees."""
    row, column = np.indices(shape, dtype=float)
    phi = (column - direct[0]) * pitch
    alpha_f = (direct[1] - row) * pitch - alpha_i
    yoneda = np.exp(-(((alpha_f - 0.2) / 0.08) ** 2)) + 0.2 * np.exp(-alpha_f / 0.3)
    peaks = 0.05 + sum(np.exp(-(((phi - p) / 0.06) ** 2)) for p in (-0.5, 0.5)) + np.exp(-np.abs(phi) / 0.1)
    shape_of = np.where(alpha_f > 0, yoneda * peaks, 1e-4)
    return rng.poisson(counts * shape_of / shape_of.sum()).astype(np.int32)


def write_dectris_tiff(path: Path, values: np.ndarray, header: str = DECTRIS_HEADER) -> Path:
    """A TIFF as Dectris' camserver writes it: 4096 bytes of header, then one strip of 32-bit integers."""
    text = header.encode("ascii").ljust(2000, b"\0")
    tags = [
        (256, 4, 1, values.shape[1]),
        (257, 4, 1, values.shape[0]),
        (258, 3, 1, 32),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (270, 2, len(text), None),
        (273, 4, 1, 4096),
        (277, 3, 1, 1),
        (278, 4, 1, values.shape[0]),
        (279, 4, 1, 4 * values.size),
        (339, 3, 1, 2),
    ]
    behind = 8 + 2 + 12 * len(tags) + 4
    data = b"II*\0" + struct.pack("<IH", 8, len(tags))
    for tag, kind, number, value in tags:
        data += struct.pack("<HHII", tag, kind, number, behind if value is None else value)
    data = (data + struct.pack("<I", 0) + text).ljust(4096, b"\0")
    path.write_bytes(data + values.astype("<i4").tobytes())
    return path


def write_cbf(path: Path, values: np.ndarray, header: str = DECTRIS_HEADER) -> Path:
    from fabio.cbfimage import CbfImage

    contents = {"_array_data.header_convention": "PILATUS_1.2", "_array_data.header_contents": header}
    CbfImage(data=values.astype(np.int32), header=contents).write(str(path))
    return path
