"""What is not small-angle scattering: recognised by content, refused with one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from .. import units
from ..types import DataError
from . import workbook
from .failure import two_dimensional
from .reflectivity import likeness
from .signature import PICTURES, no_measurement

if TYPE_CHECKING:
    from ..arrays import Floats
    from .columns.table import Table
    from .raw import RawCurve

_IMAGES = (
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"###CBF", "a detector image (CBF)"),
    (b"{\nHeaderID", "a detector image (EDF)"),
    (b"{\r\nHeaderID", "a detector image (EDF)"),
    (b"{\nEDF_", "a detector image (EDF)"),
    (b"{\r\nEDF_", "a detector image (EDF)"),
    (b"\x93NUMPY", "a numpy array"),
)
_CONTAINERS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document"),
)
# (pattern in the first lines, what it says); each is a word of that method and of no other.
_HEADERS = (
    (
        re.compile(r"^[ \t]*(?:FileFormatVersion|BEGIN_DATA|SpinEchoLength)\b", re.M),
        "spin-echo (SESANS) data",
    ),
    (
        re.compile(r"\b(?:g2\s*-\s*1|lag\s*time|correlation function|autocorrelation)\b", re.I),
        "light scattering (DLS)",
    ),
    (
        re.compile(
            r"^#\s*#\s*ORSO|\breflectivity\b|\breflectometry\b|\bspecular\b|\brefl\b|\bQz\b[^\n]{0,40}\bR\b"
            r"|\bq\b[^\n]{0,30}\bR\b[^\n]{0,20}\b[ds]_?R\b",
            re.I | re.M,
        ),
        "reflectometry",
    ),
    (
        re.compile(r"^[ \t]*ASCII data[ \t]*$|\bI\(Qx,\s*Qy\)|\bQx\s*-\s*Qy\s*-\s*I", re.I | re.M),
        "two-dimensional data",
    ),
    (
        re.compile(r"^[ \t]*6[ \t]+q \(1/Angstrom\)\s{0,9}^[ \t]*6[ \t]+q \(1/Angstrom\)", re.M),
        "two-dimensional data (ISIS)",
    ),
    (
        re.compile(r"\bscan\s?(?:type|axis|mode)[\s:=\"']{1,6}(?:[xyz]|phi|chi|omega|rocking)\b", re.I),
        "a scan of a motor, of a position or a sample's angle",
    ),
    (
        re.compile(r"^[ \t]*X[ \t]+Y[ \t]+Z[ \t]+SLD", re.I | re.M),
        "a table of scattering length density in space",
    ),
)
# In the names of columns just above the numbers.
_REAL_SPACE = (
    (re.compile(r"^\W*r\b[^\n]{0,40}\bp\(r\)", re.I | re.M), "a distribution of distances p(r)"),
    (
        re.compile(r"^\W*r\b[^\n]{0,40}\b(?:g|gamma|c)\(r\)", re.I | re.M),
        "a correlation function of distances",
    ),
    (re.compile(r"^\W*d[\s_-]?spacing\b", re.I | re.M), "intensities against the spacing d"),
)
_USE = "sasnet classifies one-dimensional small-angle scattering, I against q"

HEAD_CHARACTERS = 20_000
"""Words are looked for in this much of the text above the numbers."""

GRID = 8
"""Pixels of an image on each side, at least."""

GRID_FILLED = 0.5
"""Part of a grid that is there at least; masked pixels may be missing."""

GRID_RATIO = 8.0
"""Largest ratio of the sides of an image."""

LEAST_POINTS = 20
"""Of a curve whose shape tells its method."""

MANY_TABLES = 8
"""No instrument writes one curve as more tables than this, each of five columns or more."""


def check_bytes(head: bytes, file: str) -> None:
    """Raise DataError for images and documents, by a file's first bytes."""
    if picture := _beginning(head, PICTURES):
        raise no_measurement(file, picture)
    if image := _beginning(head, _IMAGES):
        raise DataError(
            f"{file}: this is {image}, not a curve; average it over angle, or classify it as an image:"
            " sasnet classify --domain."
        )
    if head.startswith(workbook.ZIP) and (workbook_kind := workbook.kind(file)):
        raise DataError(f"{file}: this is {workbook_kind}")
    if container := _beginning(head, _CONTAINERS):
        raise DataError(
            f"{file}: this is {container}; unpack or export the curve as text with columns q, I, dI."
        )


def _beginning(head: bytes, signatures: Iterable[tuple[bytes, str]]) -> str:
    """What a file is by its first bytes; empty where it is none of these, nor a text that begins with BM."""
    for magic, label in signatures:
        if head.startswith(magic) and (magic != b"BM" or head[6:10] == b"\0\0\0\0"):
            return label
    return ""


def check_table(table: Table, file: str) -> None:
    """Raise DataError for a header of another method, or a table as wide as an image."""
    near = "\n".join(table.header[-8:])
    for pattern, label in _REAL_SPACE:
        if pattern.search(near):
            raise DataError(f"{file}: this looks like {label}; {_USE}.")
    check_words("\n".join(table.header)[-HEAD_CHARACTERS:], file)
    if table.blocks > MANY_TABLES and len(table.columns) >= 5:
        raise DataError(f"{file}: this looks like an image written as {table.blocks} tables; {_USE}.")


def check_pixels(columns: Floats, file: str) -> None:
    """Raise DataError for rows of pixels: two columns (m, n) that run over a grid."""
    if len(columns) < 3 or columns.shape[1] < GRID**2:
        return
    x, y = columns[:2]
    if _fill_a_grid(x, y) and _are_whole(x) == _are_whole(y) and _are_alike(x, y):  # no frames beside q
        raise two_dimensional(file)


def _fill_a_grid(x: Floats, y: Floats) -> bool:
    """Whether two columns take few values each, and most pairs of these."""
    sizes = np.unique(x).size, np.unique(y).size
    places = sizes[0] * sizes[1]
    return min(sizes) >= GRID and GRID_FILLED * places <= x.size <= places


def _are_whole(values: Floats) -> bool:
    return bool(np.all(values == np.round(values)))


def _are_alike(x: Floats, y: Floats) -> bool:
    ranges = sorted(float(np.ptp(values)) for values in (x, y))
    return ranges[1] < GRID_RATIO * ranges[0]


def check_words(head: str, file: str) -> None:
    """Raise DataError if words above the numbers name another method."""
    for pattern, label in _HEADERS:
        if pattern.search(head):
            raise DataError(f"{file}: this looks like {label}; {_USE}.")


def check_beam_profile(raw: RawCurve, file: str) -> None:
    """Raise DataError for a primary beam's profile: like a reflectivity it lies at 1 and has an edge."""
    x, y = _order_points(raw)
    if _has_edge(x[x > 0], y[x > 0]):
        raise DataError(
            f"{file}: this looks like the profile of the primary beam; give the scattering of the sample."
        )


def check_curve(raw: RawCurve, file: str) -> None:
    """Raise DataError for maps (two signed coordinates) and correlation functions."""
    x, y = _order_points(raw)
    if x.size < LEAST_POINTS:
        return
    if _is_map(x, y):
        raise DataError(
            f"{file}: this looks like a map over two coordinates (both have positive and negative values);"
            f" {_USE}."
        )
    x, y = x[x > 0], y[x > 0]
    if x.size >= LEAST_POINTS and _is_correlation(x, y):
        raise DataError(f"{file}: this looks like a light-scattering (DLS) correlation function; {_USE}.")


def check_reflectivity(raw: RawCurve, file: str, *, insisted: bool) -> tuple[str, ...]:
    """Raise DataError for a certain specular reflectivity; return a caution if it may be one."""
    # An intensity in 1/cm is none, as reflectivities have no unit; nor is a curve whose unit of q is given
    # (`insisted`).
    q, intensity, dintensity = _positive(raw)
    likeness_found = likeness(q, intensity, dintensity) if q.size >= LEAST_POINTS else ""
    if not likeness_found:
        return ()
    absolute = units.canonical(raw.intensity_unit, "intensity") is not None
    if likeness_found == "certain" and not insisted and not absolute:
        raise DataError(
            f"{file}: this looks like reflectometry (total reflection, then a sharp edge); {_USE}."
            " If it is small-angle scattering, give the unit of q (--q-unit A)."
        )
    return (
        "The curve has a plateau and a sharp edge, like a specular reflectivity curve. If it is one,"
        " this answer is meaningless.",
    )


def _positive(raw: RawCurve) -> tuple[Floats, Floats, Floats | None]:
    good = np.isfinite(raw.q) & np.isfinite(raw.intensity) & (raw.q > 0)
    # A q or an intensity of another order of magnitude is damage; ratios to it would overflow.
    good &= (raw.q > 1e-8 * np.max(raw.q, initial=0.0, where=good)) & (np.abs(raw.intensity) < 1e100)
    order = np.flatnonzero(good)[np.argsort(raw.q[good], kind="stable")]
    sigma = None if raw.dintensity is None else raw.dintensity[order]
    if sigma is not None and not np.all(np.isfinite(sigma)):
        sigma = None
    return raw.q[order], raw.intensity[order], sigma


def _order_points(raw: RawCurve) -> tuple[np.ndarray, np.ndarray]:
    finite = np.isfinite(raw.q) & np.isfinite(raw.intensity)
    order = np.argsort(raw.q[finite], kind="stable")
    return raw.q[finite][order], raw.intensity[finite][order]


def _is_correlation(x: np.ndarray, y: np.ndarray) -> bool:
    """g2-1 against lag time: six decades from below a millisecond to beyond a second, falling to 0."""
    wide = x[0] < 1e-4 and x[-1] > 1.0 and x[-1] / x[0] > 1e6
    return bool(wide and -0.2 < y.min() and y.max() < 1.5 and np.median(y[: y.size // 10 + 1]) > 0.05)


def _is_map(x: np.ndarray, y: np.ndarray) -> bool:
    return bool(np.mean(x < 0) > 0.2 and np.mean(y < 0) > 0.2)


def _has_edge(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a curve lies at 1 and then falls from 0.7 to 0.1 within a factor of 1.5."""
    below = np.flatnonzero(y < 0.1)
    if not below.size or not below[0] or y[-1] > 0.05:
        return False
    above = np.flatnonzero(y[: below[0]] > 0.7)
    if above.size < 5:
        return False
    plateau = y[: above[-1] + 1]
    level = np.median(plateau)
    flat = np.quantile(np.abs(plateau / level - 1), 0.9) < 0.3
    return bool(0.8 < level < 1.25 and flat and x[below[0]] / x[above[-1]] < 1.5)
