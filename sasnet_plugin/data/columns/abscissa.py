"""The abscissa of a curve, in text and in files with a structure: converted to q, or refused by its name.

q itself, functions of it (d*, q², log q), the angles θ and 2θ; and the resolution, in a unit of its own or
relative to q. Times, positions and energies are refused.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ... import units
from ...arrays import Floats
from ...domains import ReadOptions
from ...types import DataError, printable
from ..advice import CU_K_ALPHA, Q_UNIT, READ_AS_Q, UNIT_OF_Q, WAVELENGTH
from ..limits import LIMITS
from ..raw import RawCurve
from .names import ANGLE, DQ, INVERSES, NO_Q, ColumnName, Q, is_a_length, understand

_LEAST_LOG10 = -5.0
"""log10 of the smallest q of any instrument, in any unit that files have."""

_OF_SQUARES = {"Å⁻²": "Å⁻¹", "nm⁻²": "nm⁻¹"}
_ANGULAR = re.compile(r"theta|θ|2th|angle|deg|°|\brad\b|_rad\b|radian|arc", re.IGNORECASE)


class Unit(NamedTuple):
    """What a file says of the unit of q."""

    #: A key of ``units.FACTORS["q"]``; None where it says nothing that is understood.
    name: str | None = None
    unknown: str = ""  #: What it says instead, where that is no unit of q.


def unit_named(text: str) -> Unit:
    """The unit of q, or of q², that a text names."""
    if not text:
        return Unit()
    canonical = units.canonical(text, "q") or _OF_SQUARES.get(units.canonical(text, "sld") or "")
    return Unit(canonical) if canonical else Unit(unknown=text)


def name_axis(key: str, unit: str, long_name: str = "") -> ColumnName:
    """Interpret an axis of a file with a structure: by its unit, else its long name, else its key.

    pyFAI writes name and unit as one, ``2th_deg`` or ``d*2_A^-2``, in the place of the unit.
    """
    unit, long_name = ("" if len(text) >= LIMITS.title else text.strip() for text in (unit, long_name))
    kinds = (Q, ANGLE, NO_Q)
    described = next((name for name in map(understand, (long_name, key)) if name.quantity in kinds), None)
    described = described or ColumnName(key, Q)
    if units.canonical(unit, "angle"):
        if described.quantity == ANGLE:
            return described._replace(unit=unit)
        return ColumnName(f"{key} [{unit}]", ANGLE, unit=unit)
    if units.canonical(unit, "q") and not is_a_length(unit):
        return described._replace(unit=unit) if described.quantity == Q else ColumnName(key, Q, unit=unit)
    if len(unit) > 1 and (named := understand(unit)).quantity in kinds:
        return named
    if not unit or described.quantity == NO_Q:
        return described
    return ColumnName(f"{key} [{unit}]", Q, unit=unit)


def name_resolution(key: str, unit: str) -> ColumnName:
    """Interpret a resolution of a file with a structure: its unit, and whether it is relative to q."""
    unit = "" if len(unit) >= LIMITS.title else unit.strip()
    name = understand(f"{key} [{unit}]" if unit else key)
    return name if name.quantity == DQ else ColumnName(key, DQ, unit=unit)


def refuse_abscissa(name: str, file: str) -> DataError:
    """The error for an abscissa that is not q; none is advised to read an angle as q."""
    advice = f"against 2θ with {WAVELENGTH}" if _ANGULAR.search(name) else f"{READ_AS_Q} to read it as q"
    return DataError(
        f"{file}: its abscissa is {printable(name[:40])!r}, not q; give the intensity against q, or {advice}."
    )


def note_as_asked(name: str) -> str:
    """What is said of an abscissa that is q only because the user says so."""
    return f"The abscissa '{printable(name[:40])}' was read as q, as asked{UNIT_OF_Q}."


def convert_abscissa(
    raw: RawCurve,
    name: ColumnName | None,
    unit: Unit,
    file: str,
    *,
    options: ReadOptions,
    dq_name: ColumnName | None = None,
    wavelength: float | None = None,
    is_s: bool = False,
) -> RawCurve:
    """Convert what a curve is measured against to q, and its resolution with it.

    Parameters
    ----------
    raw : RawCurve
        With the abscissa, in the file's unit, as its q, and the resolution as it stands in the file.
    name : ColumnName or None
        Of the abscissa; None where it has none and is q.
    unit : Unit
        Of q.
    options : ReadOptions
        With a unit of q, what is not known to be q is read as q; its wavelength is that of an angle.
    dq_name : ColumnName or None
        Of the resolution; None for the unit of q.
    wavelength : float or None
        Å; as the file gives it.
    is_s : bool
        Whether the file defines its abscissa as q/2π.

    Raises
    ------
    DataError
        For an angle without a wavelength, an unnamed logarithm, or what is not q.
    """
    insisted = options.q_unit is not None
    if name is not None and name.quantity == ANGLE:
        if insisted:
            raise DataError(
                f"{file}: its abscissa is an angle ('{printable(name.text[:40])}'), not q; give"
                f" {WAVELENGTH} instead of {Q_UNIT}."
            )
        raw, in_q = _convert_angle(raw, name, file, options.wavelength, wavelength), False
    else:
        if name is not None and (name.quantity == NO_Q or is_a_length(name.unit)):
            if not insisted:
                raise refuse_abscissa(name.text, file)
            raw = replace(raw, notes=(*raw.notes, note_as_asked(name.text)))
        if unit.unknown and not insisted and _ANGULAR.search(unit.unknown):
            raise DataError(
                f"{file}: its abscissa is in {printable(unit.unknown[:40])!r}, which looks like an unknown"
                " unit of an angle; give 2θ in degrees, or q."
            )
        raw, in_q = _convert_function(raw, name), name is None or not name.scale
        raw = _set_unit(raw, unit, file, is_s=is_s, wavelength=options.wavelength)
    return _convert_resolution(raw, dq_name, in_q=in_q)


def _convert_angle(
    raw: RawCurve, name: ColumnName, file: str, given: float | None, stated: float | None
) -> RawCurve:
    """From an angle, θ or 2θ, to q = 4π sin(θ)/λ."""
    length = given or stated
    if length is None:
        label = f" ('{printable(name.text[:40])}')" if name.text else ""
        raise DataError(
            f"{file}: its abscissa is an angle{label}, not q; give the wavelength in Å to have it"
            f" converted ({CU_K_ALPHA} for Cu Kα)."
        )
    unit = units.canonical(name.unit, "angle") or "degrees"
    two_theta = raw.q * name.factor * units.factor(unit, "angle")
    note = (
        f"{'θ' if name.factor == 2.0 else '2θ'} in {unit} was converted to q with the wavelength"
        f" {length:.5g} Å ({'as given' if given else 'of the file'})."
    )
    q = 4 * np.pi * np.sin(np.radians(two_theta) / 2) / length
    return replace(raw, q=q, q_unit="Å⁻¹", q_unit_unknown="", notes=(note, *raw.notes))


def _convert_function(raw: RawCurve, name: ColumnName | None) -> RawCurve:
    """From a function of q to q, by the inverse function."""
    if name is None or not (name.scale or name.factor != 1.0):
        return raw
    if name.factor == 1.0 and (text := _OF_Q.get(name.scale)):
        note = f"The file gives {text}; q was calculated."
    else:
        note = f"The abscissa, '{printable(name.text[:40])}', was converted: q = {_inverse_in_words(name)}."
    return replace(raw, q=name.factor * invert(raw.q, name.scale), notes=(*raw.notes, note))


_OF_Q = {
    "squared": "q²", "inverse": "1/q", "root": "the root of q", "log10": "log10 of q", "ln": "ln of q",
    "cubed": "q³", "fourth": "q⁴", "log10(1 + …)": "log10 of 1 + q", "ln(1 + …)": "ln of 1 + q",
    "arcsinh": "arcsinh of q",
}  # fmt: skip


def _inverse_in_words(name: ColumnName) -> str:
    """How q follows from the values x of a column."""
    factor = {1.0: "", 2.0: "2π · ", 4.0: "4π · "}.get(round(name.factor / np.pi, 6) or 1.0, "")
    factor = "" if name.factor == 1.0 else factor
    forms = {"": "x", "squared": "√x", "root": "x²", "inverse": "1/x", "log10": "10^x", "ln": "exp(x)"}
    return factor + forms.get(name.scale, "its inverse function of x")


def invert(values: Floats, scale: str) -> Floats:
    """What a function was taken of, a key of `INVERSES`; empty for none."""
    if not scale:
        return values
    with np.errstate(all="ignore"):
        return np.asarray(INVERSES[scale](values))


def _set_unit(raw: RawCurve, unit: Unit, file: str, *, is_s: bool, wavelength: float | None) -> RawCurve:
    """Add the file's unit of q; convert s = q/2π. Raises DataError for an unnamed logarithm."""
    if _is_logarithm(raw.q[np.isfinite(raw.q)]):
        raise DataError(
            f"{file}: the abscissa is negative and ascends, as log10 of q does; give q itself, or name"
            " the columns log10(q) and log10(I)."
        )
    notes = list(raw.notes)
    if wavelength is not None:
        notes.append("The abscissa was read as q; the wavelength was not used.")
    if is_s:
        raw = raw.scale_q(2 * np.pi)
        notes.append("The file gives s = 2 sin(θ)/λ; q = 2π s was calculated.")
    return replace(raw, q_unit=unit.name, q_unit_unknown=unit.unknown, notes=tuple(notes))


def _is_logarithm(x: Floats) -> bool:
    negative = x.size and np.mean(x < 0) > 0.7 and x.min() > _LEAST_LOG10
    return bool(negative and np.mean(np.diff(x) > 0) > 0.9)


def _convert_resolution(raw: RawCurve, name: ColumnName | None, *, in_q: bool) -> RawCurve:
    """One standard deviation of q; `in_q`: a column that names no unit is in that of q."""
    if raw.dq is None:
        return raw
    name = name or ColumnName("", DQ)
    dq, notes = raw.dq * name.factor, list(raw.notes)
    if name.scale == "relative":
        notes.append("The resolution is given relative to q; it was converted.")
        return replace(raw, dq=dq * np.abs(raw.q), notes=tuple(notes))
    if name.factor != 1.0:
        notes.append("The resolution is given as full width at half maximum; it was converted.")
    unit = units.canonical(name.unit, "q") if name.unit else None
    if unit is None and (name.unit or not in_q):
        text = f"in {printable(name.unit[:40])!r}" if name.unit else "not given in a unit of q"
        notes.append(f"The resolution is {text} and was not used.")
        return replace(raw, dq=None, notes=tuple(notes))
    return replace(raw, dq=dq, dq_unit=None if unit == raw.q_unit else unit, notes=tuple(notes))
