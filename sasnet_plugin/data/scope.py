"""What is not small-angle scattering: recognised by content, refused with one sentence.

Below the critical edge q_c all is reflected: R is flat, or rises as q where the beam is wider than the
sample. Beyond it Fresnel's law R = |(q - s)/(q + s)|², s² = q² - q_c², has R = 0.7 at q = 1.004 q_c and 0.1
at 1.17 q_c (M. Born & E. Wolf, Principles of Optics, 1.5), which a resolution of 10 % widens to a factor of
1.5. No film reflects more than all. Guinier's law is curved before it has fallen to 0.7, and then needs a
factor of 2.5.

Concentrated spheres, and clusters of them, have a plateau and an edge as well. What tells them apart is how
much is left beyond: Fresnel's law fixes it by q_c alone, at (q_c / 2q)⁴, and films change it by a factor of
a few, while such particles scatter four to a hundred times as much. Where that is not certain a note says
so, and the curve is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import units
from ..arrays import Floats
from ..types import DataError
from ..wording import option
from .advice import AS_IMAGE
from .limits import PICTURES, no_measurement, two_dimensional

if TYPE_CHECKING:
    from zipfile import ZipFile

    from .columns.table import Table
    from .raw import RawCurve


# --- Workbooks and documents of offices, which are zip archives of XML: told by the names in them.

#: How a zip archive begins.
ZIP = b"PK\x03\x04"

#: What is to be done with each, after its name.
_SHEET = "export its sheet as CSV, with columns q, I, dI."
_TEXT = "export its table as text, with columns q, I, dI."
_OPEN_DOCUMENT = {
    "spreadsheet": f"an OpenDocument spreadsheet; {_SHEET}",
    "text": f"an OpenDocument text; {_TEXT}",
    "presentation": f"an OpenDocument presentation; {_TEXT}",
}
#: Folder that Microsoft's formats keep their content in.
_MICROSOFT = {
    "xl": f"an Excel workbook; {_SHEET}",
    "word": f"a Word document; {_TEXT}",
    "ppt": f"a PowerPoint presentation; {_TEXT}",
}


def kind(path: str) -> str:
    """Say what a zip archive is and how to get a curve out; empty for others and damaged ones."""
    # Unpacks only the first bytes of one small member.
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            mimetype = _mimetype(archive) if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return ""
    if mimetype:
        form = mimetype.decode("ascii", "replace").rpartition("opendocument.")[2].strip()
        return _OPEN_DOCUMENT.get(form.partition("-")[0], "")
    if "[Content_Types].xml" not in names:
        return ""
    return next((_MICROSOFT[top] for name in names if (top := name.partition("/")[0]) in _MICROSOFT), "")


def _mimetype(archive: ZipFile) -> bytes:
    with archive.open("mimetype") as member:
        return member.read(100)


# --- Specular reflectivities among curves: total reflection, then the fall of a critical edge.

#: Shares of the largest intensity where the edge begins and ends, and the largest ratio of their q.
HIGH, LOW, SHARPEST = 0.7, 0.1, 1.5
#: The largest ratio for a plateau that is 1 to the noise.
WIDEST = 2.0
#: Points of total reflection at least, and how far they must reach in q.
LEAST_REFLECTIVITY_POINTS, LEAST_REACH = 4, 1.35
#: Scatter of ln I about a flat line or a ramp, beyond the noise, and the bend of its slope at the edge:
#: absorption rounds total reflection, and a wide resolution the edge, hardly both.
ROUNDED, CLEAN = (0.065, -8.0), (0.025, -3.9)
#: Intensity beyond the edge over that of total reflection, at most.
MOST_BEYOND = 1.1
#: Slope of ln I against ln q from 1.5 to 6 times the edge, at most: Fresnel's law ends as q^-4. Bragg peaks
#: of stacks may hide it, so that it is not asked for where the edge is as sharp as this bend.
FALL, SHARP = -3.0, -9.5
#: Slope before the edge, at most: that of a beam that is wider than the sample is 1.
RAMP = 1.2
#: Least relative uncertainty that a point is taken to have.
_LEAST_ERROR = 0.02


class Certainty(NamedTuple):
    """What makes a reflectivity of a curve with a plateau and an edge; chosen on simulated ones
    (docs/studies.md).

    ``excess`` is log₁₀ of the intensity over Fresnel's, averaged from 2 to 4 times the edge.
    """

    excess: float = 0.4  #: Up to which a plateau at 1 is total reflection.
    unscaled_excess: float = 0.3  #: The same for one at another level.
    #: Scatter of ln I about a power law beyond the edge from which on minima are deep, as of equal spheres,
    #: and the excess that is left to such curves; none to those that rise before the edge, and are not
    #: scaled to 1, as repelling particles do.
    deep: float = 1.0
    deep_excess: float = 0.1
    #: Excess of a plateau at 1 as flat as this, in ln I, with an edge of `SHARP`: heavy films reflect much.
    heavy_excess: float = 1.4
    heavy_scatter: float = 0.03
    #: Slope of ln I against ln q before the edge up to which a plateau is flat.
    flat: float = 0.25
    one: float = 0.16  #: ln of the level of total reflection, up to which it counts as 1.
    #: level, scatter, bend: a plateau so near 1 in ln I, so flat, and with such an edge is total reflection,
    #: however few its points are: reach in q, and the excess up to which.
    exact: tuple[float, float, float] = (0.06, 0.02, -4.0)
    exact_reach: tuple[tuple[float, float], ...] = ((1.1, 0.5), (1.5, 1.3))
    beyond: tuple[float, float] = (2.0, 4.0)  #: q over that of the edge, where the excess is taken.


CERTAINTY = Certainty()


@dataclass(frozen=True)
class _Edge:
    """Where a curve falls."""

    last: int  #: Index of the last point above `HIGH`.
    high: float  #: q at `HIGH`.
    low: float  #: q at `LOW`.


@dataclass(frozen=True)
class _Plateau:
    """What a curve with a plateau and a sharp edge is like."""

    reach: float  #: q of the edge over that of the first point.
    sharpness: float  #: q at `LOW` over that at `HIGH`.
    level: float  #: ln I of total reflection.
    scatter: float  #: Of ln I about it, beyond the noise.
    ramp: float  #: Slope of ln I against ln q just before the edge.
    bend: float  #: Slope at the edge less that before.
    fall: float  #: Slope from 1.5 to 6 times the edge.
    excess: float  #: log₁₀ of the intensity beyond the edge over Fresnel's.
    fringes: float  #: Scatter of ln I about a power law beyond the edge.


def likeness(
    q: Floats, intensity: Floats, dintensity: Floats | None = None
) -> Literal["", "possible", "certain"]:
    """Say how surely a curve is a specular reflectivity; empty if it is none."""
    # q ascends and is positive, in any unit; missing uncertainties are estimated from neighbours.
    plateau = _plateau_of(q, intensity, dintensity)
    if plateau is None:
        return ""
    if _is_exact(plateau):
        return "certain"
    if not _has_critical_edge(plateau):
        return ""
    return "certain" if _is_fresnel(plateau) else "possible"


def _is_exact(plateau: _Plateau) -> bool:
    """Whether all is reflected, to the noise, up to an edge."""
    level, scatter, bend = CERTAINTY.exact
    near = abs(plateau.level) < level and plateau.scatter < scatter and plateau.bend < bend
    return near and any(
        plateau.reach > reach and plateau.excess < excess for reach, excess in CERTAINTY.exact_reach
    )


def _has_critical_edge(plateau: _Plateau) -> bool:
    if plateau.sharpness > SHARPEST or plateau.reach < LEAST_REACH:
        return False
    if plateau.bend > SHARP and plateau.fall > FALL:
        return False
    return any(plateau.scatter <= most and plateau.bend <= steep for most, steep in (ROUNDED, CLEAN))


def _is_fresnel(plateau: _Plateau) -> bool:
    """Whether so much is left beyond the edge as Fresnel's law and films leave."""
    flat, is_one = abs(plateau.ramp) < CERTAINTY.flat, abs(plateau.level) < CERTAINTY.one
    deep = plateau.fringes > CERTAINTY.deep
    most = CERTAINTY.excess if is_one else CERTAINTY.unscaled_excess
    if plateau.excess < (CERTAINTY.deep_excess if deep else most):
        return is_one or plateau.ramp < CERTAINTY.flat or not deep
    heavy = plateau.scatter < CERTAINTY.heavy_scatter and plateau.excess < CERTAINTY.heavy_excess
    return is_one and flat and heavy and plateau.bend < SHARP


def _plateau_of(q: Floats, intensity: Floats, dintensity: Floats | None) -> _Plateau | None:
    """The plateau of a curve that falls off at once behind it; None for others."""
    padded = np.pad(intensity, 1, mode="edge")
    smooth = np.convolve(padded, [0.25, 0.5, 0.25], "valid")
    edge = _edge_of(q, smooth) if np.max(smooth) > 0 else None
    if edge is None or edge.low / edge.high > WIDEST:
        return None
    error = np.abs(intensity - smooth) * 1.6 if dintensity is None else np.abs(dintensity)
    relative = np.hypot(np.minimum(error / np.maximum(np.abs(intensity), 1e-300), 1.0), _LEAST_ERROR)
    logarithm = np.log(np.maximum(intensity, 1e-9 * smooth.max()))
    is_before = q < 0.95 * edge.high
    if np.count_nonzero(is_before) < LEAST_REFLECTIVITY_POINTS:
        is_before = np.arange(q.size) <= edge.last
    level, scatter = _total_reflection(q[is_before], logarithm[is_before], relative[is_before], edge)
    near = (q >= max(0.6 * edge.high, q[0])) & (q <= 0.93 * edge.high)
    beyond, ramp = smooth[q > 1.3 * edge.high], _slope(q, logarithm, relative, near)
    if beyond.max(initial=0.0) > MOST_BEYOND * np.exp(level) or ramp > RAMP:
        return None
    later = (q >= 1.5 * edge.high) & (q <= 6 * edge.high)
    sharpness = edge.low / edge.high
    return _Plateau(
        reach=edge.high / float(q[0]),
        sharpness=sharpness,
        level=level,
        scatter=scatter,
        ramp=ramp,
        bend=float(np.log(LOW / HIGH) / np.log(sharpness)) - ramp,
        fall=_slope(q, logarithm, relative, later),
        excess=_excess(q, logarithm - level, edge),
        fringes=_scatter(q, logarithm, relative, later),
    )


def _excess(q: Floats, logarithm: Floats, edge: _Edge) -> float:
    """log₁₀ of a curve of total reflection 1 over Fresnel's law, beyond the edge; inf where it has ended."""
    first, last = CERTAINTY.beyond
    x = q / edge.high
    chosen = (x > first) & (x < last)
    if not np.any(chosen):
        return np.inf
    inner = np.sqrt(x[chosen] ** 2 - 1)
    fresnel = 2 * np.log((x[chosen] - inner) / (x[chosen] + inner))
    return float(np.mean(logarithm[chosen] - fresnel) / np.log(10))


def _edge_of(q: Floats, smooth: Floats) -> _Edge | None:
    """The first fall from `HIGH` to `LOW` of the largest intensity, behind that; None without one."""
    top = int(np.argmax(smooth))
    below = np.flatnonzero(smooth[top:] < LOW * smooth[top])
    if not below.size:
        return None
    first = top + int(below[0])
    last = int(np.flatnonzero(smooth[:first] > HIGH * smooth[top])[-1])
    if last < LEAST_REFLECTIVITY_POINTS - 1:
        return None
    crossings = [
        _crossing(q, smooth, i, level * smooth[top]) for i, level in ((last, HIGH), (first - 1, LOW))
    ]
    return _Edge(last, *crossings)


def _crossing(q: Floats, smooth: Floats, left_index: int, level: float) -> float:
    """Where a level lies between a point and the next, linear in logarithms."""
    low, high = np.log(np.maximum(smooth[left_index : left_index + 2], 1e-12 * level))
    share = float(np.clip((np.log(level) - low) / (high - low if high != low else -1e-12), 0.0, 1.0))
    return float(q[left_index] ** (1 - share) * q[left_index + 1] ** share)


def _total_reflection(q: Floats, logarithm: Floats, relative: Floats, edge: _Edge) -> tuple[float, float]:
    """Level of ln I, and the scatter about it beyond the noise: flat from some q on, a ramp before it."""
    weight = 1 / relative**2
    weight /= weight.sum()
    flat_from = np.append(q[0], np.geomspace(q[0], 1.3 * edge.high, 30))
    rest = logarithm - np.minimum(np.log(q / flat_from[:, None]), 0.0)
    levels = rest @ weight
    spread = (rest - levels[:, None]) ** 2 @ weight
    best = int(np.argmin(spread))
    noise = float((relative**2 - _LEAST_ERROR**2) @ weight)
    return float(levels[best]), float(np.sqrt(max(float(spread[best]) - noise, 0.0)))


def _slope(q: Floats, logarithm: Floats, relative: Floats, chosen: NDArray[np.bool_]) -> float:
    """Slope of ln I against ln q over the chosen points; 0 where they are too few for a line."""
    return float(_line(q, logarithm, relative, chosen)[0])


def _scatter(q: Floats, logarithm: Floats, relative: Floats, chosen: NDArray[np.bool_]) -> float:
    """Standard deviation of ln I about a power law over the chosen points."""
    line = _line(q, logarithm, relative, chosen)
    return float(np.std(logarithm[chosen] - np.polyval(line, np.log(q[chosen])))) if np.any(chosen) else 0.0


def _line(q: Floats, logarithm: Floats, relative: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Slope and constant of ln I against ln q; a slope of 0 where fewer than three q are chosen."""
    if np.unique(q[chosen]).size < 3:
        return np.array([0.0, float(np.mean(logarithm[chosen])) if np.any(chosen) else 0.0])
    return np.polyfit(np.log(q[chosen]), logarithm[chosen], 1, w=1 / relative[chosen])


# --- What is not small-angle scattering: recognised by content, refused with one sentence.

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
_AXIS = r"[ \t]+q[xy_]{0,2}[ \t]+\(?([^()\n]{1,40}?)\)?[ \t]*\r?\n[ \t]*"
#: The text of images of ISIS (RKH): a title, then a code, the name q and the unit of both axes.
ISIS_IMAGE = re.compile(rf"[^\n]{{0,1000}}\n[ \t]*(\d+){_AXIS}\1{_AXIS}", re.IGNORECASE)
# (pattern in the first lines, what it says); each is a word of that method and of no other, in any case
# but where it is marked.
_HEADERS = (
    (r"^[ \t]*(?-i:FileFormatVersion|BEGIN_DATA|SpinEchoLength)\b", "spin-echo (SESANS) data"),
    (r"\b(?:g2\s*-\s*1|lag\s*time|correlation function|autocorrelation)\b", "light scattering (DLS)"),
    (
        r"^#\s*#\s*ORSO|\breflectivity\b|\breflectometry\b|\bspecular\b|\brefl\b|\bQz\b[^\n]{0,40}\bR\b"
        r"|\bq\b[^\n]{0,30}\bR\b[^\n]{0,20}\b[ds]_?R\b",
        "reflectometry",
    ),
    (r"^[ \t]*ASCII data[ \t]*$|\bI\(Qx,\s*Qy\)|\bQx\s*-\s*Qy\s*-\s*I", "two-dimensional data"),
    (ISIS_IMAGE.pattern, "two-dimensional data (ISIS)"),
    (
        r"\bscan\s?(?:type|axis|mode)[\s:=\"']{1,6}(?:[xyz]|phi|chi|omega|rocking)\b",
        "a scan of a motor, of a position or a sample's angle",
    ),
    (r"^[ \t]*X[ \t]+Y[ \t]+Z[ \t]+SLD", "a table of scattering length density in space"),
)
# In the names of columns just above the numbers.
_REAL_SPACE = (
    (r"^\W*r\b[^\n]{0,40}\bp\(r\)", "a distribution of distances p(r)"),
    (r"^\W*r\b[^\n]{0,40}\b(?:g|gamma|c)\(r\)", "a correlation function of distances"),
    (r"^\W*d[\s_-]?spacing\b", "intensities against the spacing d"),
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
    if picture := picture_of(head):
        raise no_measurement(file, picture)
    if image := _beginning(head, _IMAGES):
        raise DataError(f"{file}: this is {image}, not a curve; average it over angle{AS_IMAGE}.")
    if head.startswith(ZIP) and (workbook_kind := kind(file)):
        raise DataError(f"{file}: this is {workbook_kind}")
    if container := _beginning(head, _CONTAINERS):
        raise DataError(
            f"{file}: this is {container}; unpack or export the curve as text with columns q, I, dI."
        )


def picture_of(head: bytes) -> str:
    """Which picture for the eye begins so, such as "a PNG image"; empty where none."""
    return _beginning(head, PICTURES)


def _beginning(head: bytes, signatures: Iterable[tuple[bytes, str]]) -> str:
    """What a file is by its first bytes; empty where it is none of these, nor a text that begins with BM."""
    for magic, label in signatures:
        if head.startswith(magic) and (magic != b"BM" or head[6:10] == b"\0\0\0\0"):
            return label
    return ""


def check_table(table: Table, file: str) -> None:
    """Raise DataError for a header of another method, or a table as wide as an image."""
    near = "\n".join(table.header[-8:])
    _refuse(near, _REAL_SPACE, file)
    check_words("\n".join(table.header)[-HEAD_CHARACTERS:], file)
    if table.blocks > MANY_TABLES and len(table.columns) >= 5:
        raise DataError(
            f"{file}: this looks like an image written as {table.blocks} tables. Images as text are not read;"
            " save it as TIFF, HDF5 or numpy (.npy)."
        )


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
    _refuse(head, _HEADERS, file)


def _refuse(text: str, patterns: Iterable[tuple[str, str]], file: str) -> None:
    """Raise DataError for a text with one of these patterns, each with what it says."""
    for pattern, label in patterns:
        if re.search(pattern, text, re.IGNORECASE | re.MULTILINE):
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
    if np.mean(x < 0) > 0.2 and np.mean(y < 0) > 0.2:
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
            f" If it is small-angle scattering, give the unit of q ({option('q-unit', 'A', page='Å⁻¹')})."
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


def _has_edge(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a curve lies at 1 and then falls from 0.7 to 0.1 within a factor of 1.5."""
    below = np.flatnonzero(y < 0.1)
    if not below[:1].any() or y[-1] > 0.05:
        return False
    above = np.flatnonzero(y[: below[0]] > 0.7)
    if above.size < 5:
        return False
    plateau = y[: above[-1] + 1]
    level = np.median(plateau)
    flat = np.quantile(np.abs(plateau / level - 1), 0.9) < 0.3
    return bool(0.8 < level < 1.25 and flat and x[below[0]] / x[above[-1]] < 1.5)
