"""What each pixel counts on average: a sample's clean scattering through resolution, onto a detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ..reading.geometry import SmallAngle
from ..reading.polar import N_SECTORS, RINGS
from ..reading.resolution import compute_ring_resolution
from .form_factors import LN_Q, Q
from .orientation import DEGREES, expand_in_harmonics

_STEP = float(LN_Q[1] - LN_Q[0])
_LN_STEP = float(np.log(RINGS[1] / RINGS[0]))
#: Gauss–Hermite nodes along q and across it: right for fringes that the resolution damps to e⁻⁶.
_ALONG, _ALONG_SHARE = np.polynomial.hermite_e.hermegauss(9)
_ACROSS, _ACROSS_SHARE = np.polynomial.hermite_e.hermegauss(3)
_SHARE = np.outer(_ALONG_SHARE, _ACROSS_SHARE).ravel() / (_ALONG_SHARE.sum() * _ACROSS_SHARE.sum())
_X, _Y = (values.ravel() for values in np.meshgrid(_ALONG, _ACROSS, indexing="ij"))
#: Angles of a table in polar coordinates over half a turn, 2.5 degrees apart, both ends included.
N_ANGLES = 73


def smear(
    log_intensity: NDArray[np.floating],
    spread: tuple[Floats, Floats],
    q: Floats,
    harmonics: Floats | None = None,
) -> Floats:
    """Blur scattering by a Gaussian along q and across it (`spread`, Å⁻¹); returns (n, M) coefficients of cos
    mψ, m = 0, 2, …, from ln I (len(Q),) and `harmonics` (len(Q), M) over that average.
    """
    # The plane integral is exact: a point at (q + x, y) has radius √((q + x)² + y²) and rotates by atan(y/(q
    # + x)).
    along, across = spread
    x, y = q[:, None] + along[:, None] * _X, across[:, None] * _Y
    radius = np.sqrt(x**2 + y**2)
    place = np.clip((np.log(np.maximum(radius, Q[0])) - LN_Q[0]) / _STEP, 0, LN_Q.size - 1.001)
    first = place.astype(np.intp)
    part = place - first
    curve = np.asarray(log_intensity, dtype=np.float64)
    value = np.exp(curve[first] * (1 - part) + curve[first + 1] * part) * _SHARE
    if harmonics is None:
        return value.sum(axis=1)[:, None]
    turned = np.arctan2(y, x)
    blurred = np.empty((q.size, harmonics.shape[1]))
    for column, order in enumerate(DEGREES[: harmonics.shape[1]]):
        table = harmonics[:, column]
        weight = table[first] * (1 - part) + table[first + 1] * part
        blurred[:, column] = np.sum(value * weight * np.cos(order * turned), axis=1)
    return blurred


def spread_at(geometry: SmallAngle, q: Floats) -> tuple[Floats, Floats]:
    """Spread of q along q and across it on rings, by the setting, by the pixels near them, or none."""
    if geometry.setting is not None:
        return compute_ring_resolution(geometry.setting, q)
    if geometry.along is None or geometry.across is None:
        return np.zeros_like(q), np.zeros_like(q)
    order = np.argsort(geometry.q, axis=None)
    q_sorted = geometry.q.ravel()[order]
    along, across = (
        np.interp(q, q_sorted, spread.ravel()[order]) for spread in (geometry.along, geometry.across)
    )
    return along, across


def pattern(
    row: Mapping[str, Any],
    geometry: SmallAngle,
    averages: Floats | None = None,
    director: float = 0.0,
    blunted: Floats | None = None,
) -> Floats:
    """Compute a stored sample's intensity (rows, columns), without solid angle, arbitrary scale; ⟨P_l⟩ about
    the director (radians from qx), by default isotropic. `blunted` (rows · columns, len(DEGREES)) is what is
    left of cos mψ in areas; sharp unless the geometry has a resolution.
    """
    pixels = geometry.q.ravel()
    low, high = np.searchsorted(Q, [max(pixels.min(), Q[0]), pixels.max()])
    nodes = Q[max(int(low) - 1, 0) : int(high) + 1]
    place = np.clip((np.log(np.maximum(pixels, nodes[0])) - np.log(nodes[0])) / _STEP, 0, nodes.size - 1.001)
    if averages is None:
        table = smear(row["log_intensity"], spread_at(geometry, nodes), nodes)[:, 0]
        return np.asarray(np.interp(place, np.arange(nodes.size), table)).reshape(geometry.shape)
    coefficients = np.concatenate([np.ones((Q.size, 1)), row["directed"].astype(np.float64)], axis=1)
    spread = spread_at(geometry, nodes)
    waves = smear(row["log_intensity"], spread, nodes, (coefficients * averages) @ expand_in_harmonics())
    angle = np.arctan2(geometry.qy, geometry.qx).ravel() - director
    if blunted is not None:
        first = np.minimum(place.astype(np.intp), nodes.size - 2)
        part = (place - first)[:, None]
        products = (waves[first] * (1 - part) + waves[first + 1] * part) * np.cos(angle[:, None] * DEGREES)
        return np.asarray(np.maximum((products * blunted).sum(axis=1), 0.0)).reshape(geometry.shape)
    from scipy.ndimage import map_coordinates

    angles = np.linspace(0, np.pi, N_ANGLES)
    table = np.maximum(waves @ np.cos(np.outer(DEGREES, angles)), 0.0)
    turned = np.mod(angle, np.pi)
    intensity = map_coordinates(table, [place, turned * ((N_ANGLES - 1) / np.pi)], order=1, mode="nearest")
    return np.asarray(intensity).reshape(geometry.shape)


def interference(q: Floats, packing: float, apart: float) -> Floats:
    """Structure factor of particles that keep apart, S = 1/(1 + k θ), θ = 3 (sin qξ - qξ cos qξ)/(qξ)³ (Born
    & Green; Beaucage, J. Appl. Cryst. 28 (1995) 717). `packing` k is 0 without, 5.9 for densest spheres;
    `apart` in Å.
    """
    x = np.maximum(q * apart, 1e-2)
    return np.asarray(1 / (1 + packing * 3 * (np.sin(x) - x * np.cos(x)) / x**3))


def spots(
    values: Mapping[str, float],
    geometry: SmallAngle,
    turn: float,
    tilt: tuple[float, float],
    *,
    fine: bool = False,
) -> Floats:
    """Compute a Bragg glass's intensity (rows, columns), arbitrary scale; `turn` of a spot from qx in
    radians, `tilt` of the field in degrees, `fine` averages over cells.
    """
    # Hexagonal superconductor vortices nearly along the beam: first order at g = 2π√(2B/√3φ₀), then √3 g and
    # 2 g, visible if the field's tilt (g/2k along the spot) meets Bragg's condition; the rocking curve has
    # power-law tails.
    assert geometry.setting is not None
    q, angle = geometry.q, np.arctan2(geometry.qy, geometry.qx)
    if fine:
        # Three rings and five sectors in each.
        rings = np.exp(_LN_STEP * np.array([-1, 0, 1]) / 3)
        sectors = 2 * np.pi / N_SECTORS * np.arange(-2, 3) / 5
        q = (q[..., None, None] * rings[:, None] + 0 * sectors).reshape(*q.shape, -1)
        angle = (angle[..., None, None] + sectors + 0 * rings[:, None]).reshape(*angle.shape, -1)
    first = 2 * np.pi / values["spacing"]
    intensity = np.zeros(q.shape)
    domains = max(1, round(values["domains"]))
    for factor, strength, shift in (
        (1.0, 1.0, 0.0), (np.sqrt(3), values["second"], np.pi / 6), (2.0, values["second"], 0.0),
    ):  # fmt: skip
        g = first * factor
        along, across = (float(s[0]) for s in compute_ring_resolution(geometry.setting, np.array([g])))
        near = np.nonzero(np.abs(q - g) < 5 * along)
        radial = np.exp(-0.5 * ((q[near] - g) / along) ** 2) * strength
        width = np.hypot(np.radians(values["azimuthal"]), across / g)
        for number in range(6 * domains):
            angle_of_peak = turn + shift + number * (np.pi / 3 / domains)
            off = (
                tilt[0] * np.cos(angle_of_peak)
                + tilt[1] * np.sin(angle_of_peak)
                - np.degrees(g / 2 / geometry.setting.k)
            )
            x = off / values["rocking"]
            rocked = values["tail"] / (1 + x**2) + (1 - values["tail"]) * np.exp(-np.log(2) * x**2)
            apart = np.mod(angle[near] - angle_of_peak + np.pi, 2 * np.pi) - np.pi
            intensity[near] += radial * np.exp(-0.5 * (apart / width) ** 2) * rocked
    return intensity.mean(axis=-1) if fine else intensity
