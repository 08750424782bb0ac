"""From the columns of a data set to q, I, dI, dq: logarithms, powers of q, relative errors, angles, s."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ... import units
from ...types import DataError, printable
from ..assumed_unit import Q_MAX
from ..raw import RawCurve
from .names import RELATIVE, ColumnName

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .header import Names
    from .roles import Roles
    from .stated import Unit

    FloatArray = NDArray[np.float64]

_BASES = {"log10": 10.0, "ln": np.e}
_POWERS = {"q": 1, "q2": 2, "q4": 4}
_LEAST_LOG10 = -5.0
"""log10 of the smallest q of any instrument, in any unit that files have."""


def _resolution(values: FloatArray, name: ColumnName, notes: list[str]) -> FloatArray:
    """One standard deviation of q."""
    if name.factor == 1.0:
        return values
    notes.append("The resolution is given as full width at half maximum; it was converted.")
    return values * name.factor


def curve_of(columns: FloatArray, roles: Roles, names: Names | None, x_name: ColumnName | None) -> RawCurve:
    """The data set of these columns, with notes on what was converted.

    Parameters
    ----------
    columns : (m, n) float array
    names : Names or None
        Of the columns, where they have names.
    x_name : ColumnName or None
        Of the abscissa, where it has one.
    """
    notes: list[str] = []
    named = names.columns if names else None
    x = _abscissa(columns[roles.x], x_name, notes)
    error = None if roles.error is None else columns[roles.error]
    dq = None if roles.dq is None else columns[roles.dq]
    if named and dq is not None and roles.dq is not None:
        dq = _resolution(dq, named[roles.dq], notes)
    intensity = columns[roles.intensity]
    if named and error is not None and roles.error is not None:
        error = _standard_deviation(error, intensity, named[roles.error], notes)
    if named and named[roles.intensity].scale:
        intensity, error = _unscaled(x, intensity, error, named[roles.intensity].scale, notes)
    # NIST writes it with a minus, to tell it from a pinhole.
    slit = None if roles.slit is None else np.abs(columns[roles.slit])
    return RawCurve(x, intensity, error, dq, slit, title=roles.title, notes=tuple(notes))


def _abscissa(x: FloatArray, name: ColumnName | None, notes: list[str]) -> FloatArray:
    if name is None or not name.scale:
        return x
    given = {"squared": "q²", "inverse": "1/q", "root": "the root of q"}.get(name.scale, f"{name.scale} of q")
    notes.append(f"The file gives {given}; q was calculated.")
    return _of_function(x, name.scale)


def _of_function(values: FloatArray, scale: str) -> FloatArray:
    """What a logarithm, a square, a root or an inverse was taken of."""
    with np.errstate(all="ignore"):
        if scale in _BASES:
            return np.asarray(_BASES[scale] ** values)
        if scale == "inverse":
            return np.asarray(1 / values)
        return np.asarray(np.sqrt(values) if scale == "squared" else values**2)


def _standard_deviation(
    error: FloatArray, intensity: FloatArray, name: ColumnName, notes: list[str]
) -> FloatArray:
    if name.quantity == RELATIVE:
        notes.append("The uncertainties are relative to the intensity; they were converted.")
        return np.asarray(error * name.factor * np.abs(intensity))
    if name.scale == "squared":
        notes.append("The file gives the variance of the intensity; its root was taken.")
        with np.errstate(invalid="ignore"):
            return np.sqrt(error)
    return error


def _unscaled(
    x: FloatArray, intensity: FloatArray, error: FloatArray | None, scale: str, notes: list[str]
) -> tuple[FloatArray, FloatArray | None]:
    """I and dI from a logarithm of I, or from I times a power of q."""
    with np.errstate(all="ignore"):
        if scale not in _POWERS:
            notes.append(f"The file gives the {scale} of the intensity; the intensity was calculated.")
            # Whether the uncertainty is one of I or of its logarithm nobody says.
            return _of_function(intensity, scale), None
        power = _POWERS[scale]
        notes.append(
            f"The file gives the intensity times q{'' if power == 1 else f'^{power}'}; I was calculated."
        )
        return intensity / x**power, None if error is None else error / x**power


def looks_like_angle(x: FloatArray) -> bool:
    """Whether a column without a name is rather 2θ in degrees than q: it goes on where few q do."""
    finite = x[np.isfinite(x)]
    return bool(finite.size and finite.max() > Q_MAX)


def angle_to_q(
    raw: RawCurve, name: ColumnName, file: str, given: float | None, stated: float | None
) -> RawCurve:
    """q = 4π sin(θ)/λ.

    Parameters
    ----------
    raw : RawCurve
        Against the angle.
    name : ColumnName
        Of the angle: its unit, and whether it is θ or 2θ.
    given, stated : float or None
        Å; of the user and of the file.

    Raises
    ------
    DataError
        The wavelength is not known.
    """
    length = given or stated
    if length is None:
        label = f" ('{printable(name.text[:40])}')" if name.text else ""
        raise DataError(
            f"{file}: its first column is an angle{label}, not q; give the wavelength in Å to have it"
            " converted (--wavelength 1.5418 for Cu Kα)."
        )
    unit = units.canonical(name.unit, "angle") or "degrees"
    angle = raw.q * name.factor * units.factor(unit, "angle")
    note = (
        f"{'θ' if name.factor == 2.0 else '2θ'} in {unit} was converted to q with the wavelength"
        f" {length:.5g} Å ({'as given' if given else 'of the file'})."
    )
    q = 4 * np.pi * np.sin(np.radians(angle) / 2) / length
    return replace(raw, q=q, dq=None, q_unit="Å⁻¹", notes=(note, *raw.notes))


def in_unit(raw: RawCurve, unit: Unit, file: str, *, is_s: bool, wavelength: float | None) -> RawCurve:
    """The data set with what the file says of the unit of q; of s = q/2π, q.

    Raises
    ------
    DataError
        The abscissa is a logarithm, and no name says so.
    """
    finite = raw.q[np.isfinite(raw.q)]
    negative = finite.size and np.mean(finite < 0) > 0.7 and finite.min() > _LEAST_LOG10
    if negative and np.mean(np.diff(finite) > 0) > 0.9:
        raise DataError(
            f"{file}: the first column is negative and ascends, as log10 of q does; give q itself, or name"
            " the columns log10(q) and log10(I)."
        )
    notes = list(raw.notes)
    if wavelength is not None:
        notes.append("The first column was read as q; the wavelength was not used.")
    if is_s:
        raw = raw.scaled(2 * np.pi)
        notes.append("The file gives s = 2 sin(θ)/λ; q = 2π s was calculated.")
    return replace(raw, q_unit=unit.name, q_unit_unknown=unit.unknown, notes=tuple(notes))
