"""Several curves of one sample: the noun, the file that describes it, and what kind of set the curves are."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from ..types import Curve, DataError
from .expression import Expression, expression

#: One sample in several instrument settings; in several solvents; at several concentrations; by neutrons and
#: X-rays; or with some parameters in common that only its maker knows.
SETTINGS, CONTRASTS, CONCENTRATIONS, PROBES, SERIES = KINDS = (
    "settings",
    "contrasts",
    "concentrations",
    "probes",
    "series",
)
_SECTIONS = ("kind", "solvents", "concentrations", "probes", "scale", "share", "own", "tie", "values")
#: Curves of one sample in two settings differ by their calibration, no more, where their q overlap.
_CALIBRATION = 0.25
#: Scatter of ln of the ratio of two curves about its median, beyond their errors, that settings may have.
_SAME_SHAPE = 0.05
#: Parts of the highest intensity between which neighbours no longer matter and the background not yet.
_FALLEN = (0.01, 0.4)
#: Points of q that two curves have to share before they are compared.
_FEWEST = 8


@dataclass(frozen=True)
class Sample:
    """Curves of one sample, and what is known of how they belong together.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    told : bool
        The kind was given, not found from the curves.
    solvents : tuple of float or None
        Scattering length density of each curve's solvent, 10⁻⁶ Å⁻²; None where it is not known.
    concentrations : tuple of float or None
        Of each curve, in one unit, whichever; None where it is not known.
    probes : tuple of str
        neutron or xray.
    scale : tuple of float or None
        Factors of the curves' intensities that are known beforehand.
    share, own : frozenset of str
        Parameters that all curves have in common, and that each has of its own, against the kind's custom.
    ties : mapping of str to Expression
        Parameters calculated from others, and from the curve's `values`.
    values : tuple of mapping
        Numbers of each curve that ties name, such as its share of D2O.
    """

    curves: tuple[Curve, ...]
    kind: str
    told: bool = False
    solvents: tuple[float | None, ...] = ()
    concentrations: tuple[float | None, ...] = ()
    probes: tuple[str, ...] = ()
    scale: tuple[float | None, ...] = ()
    share: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    ties: Mapping[str, Expression] = field(default_factory=dict)
    values: tuple[Mapping[str, float], ...] = ()

    @property
    def files(self) -> list[str]:
        """Name of each curve: of its file, with the entry where several are of one."""
        names = [c.file or f"curve {i + 1}" for i, c in enumerate(self.curves)]
        return [
            f"{name} ({curve.entry})" if names.count(name) > 1 and curve.entry else name
            for name, curve in zip(names, self.curves, strict=True)
        ]


def sample_of(
    curves: Sequence[Curve],
    described: Mapping[str, Any] | None = None,
    *,
    sld: Callable[[str, str], float] | None = None,
    share: Sequence[str] = (),
    own: Sequence[str] = (),
    ties: Sequence[str] = (),
    source: str = "the sample",
) -> Sample:
    """A sample of curves, with what its file and options say.

    Parameters
    ----------
    described : mapping, optional
        Sections of a sample file, see `read_description`.
    sld : callable, optional
        (material, probe) -> scattering length density, 10⁻⁶ Å⁻².
    share, own : sequence of str
        Names of parameters.
    ties : sequence of str
        Such as ``"sld_solvent = -0.56 + 6.92*x"``.
    source : str
        Of `described`, for sentences.

    Raises
    ------
    DataError
        A curve is there twice, units differ, or the description does not fit the curves.
    """
    curves = tuple(curves)
    _check_curves(curves)
    told = dict(described or {})
    made = Sample(curves, _kind_told(told, source))
    probes = tuple(str(p) for p in _by_curve(made, told.get("probes", {}), source, "neutron"))
    if any(p not in ("neutron", "xray") for p in probes):
        raise DataError(f"{source}: a probe is neutron or xray.")
    each = {name: _by_curve(made, of, source, None) for name, of in told.get("values", {}).items()}
    made = replace(
        made,
        solvents=_solvents(made, told.get("solvents", {}), probes, sld, source),
        concentrations=_numbers(made, told.get("concentrations", {}), source, "concentration"),
        probes=probes,
        scale=_numbers(made, told.get("scale", {}), source, "scale"),
        share=frozenset([*share, *_names(told.get("share", ()), source)]),
        own=frozenset([*own, *_names(told.get("own", ()), source)]),
        ties=_ties([*(f"{k} = {v}" for k, v in dict(told.get("tie", {})).items()), *ties]),
        values=tuple(
            {n: float(v[i]) for n, v in each.items() if v[i] is not None} for i in range(len(curves))
        ),
    )
    both = made.share & made.own
    if both:
        raise DataError(f"{min(both)} cannot be shared and be of each curve; name it once.")
    if "kind" in told:
        return replace(made, told=True)
    return replace(made, kind=_kind(made), told=bool(_stated(made)))


def _kind_told(told: Mapping[str, Any], source: str) -> str:
    """The kind that a description names, if it knows its sections."""
    unknown = [name for name in told if name not in _SECTIONS]
    if unknown:
        raise DataError(f"{source}: there is no section {unknown[0]}; use {', '.join(_SECTIONS)}.")
    kind = str(told.get("kind", SERIES))
    if kind not in KINDS:
        raise DataError(f"{source}: kind = {kind!r} is none of {', '.join(KINDS)}.")
    return kind


def read_description(path: str | Path) -> dict[str, Any]:
    """Sections of a sample file (TOML).

    Raises
    ------
    DataError
        It is not there, or no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: the sample file cannot be read ({error.strerror}); check its name."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the sample file is no TOML ({error}); see docs/together.md.") from None


def _check_curves(curves: tuple[Curve, ...]) -> None:
    if not curves:
        raise DataError("A sample has no curves; name its files.")
    for i, curve in enumerate(curves):
        for other in curves[:i]:
            if np.array_equal(curve.q, other.q) and np.array_equal(curve.intensity, other.intensity):
                name = curve.file or f"curve {i + 1}"
                raise DataError(
                    f"{name}: the same data are there twice ({other.file}); name each curve once."
                )
    assumed = {c.q_unit.value for c in curves if not c.q_unit.stated}
    stated = {c.q_unit.value for c in curves if c.q_unit.stated}
    if assumed and stated - assumed:
        name = next(c.file for c in curves if not c.q_unit.stated)
        raise DataError(
            f"{name}: its unit of q is not stated, and that of other curves of the sample is"
            f" {' and '.join(sorted(stated))}; say which it is with --q-unit."
        )


def _match(sample: Sample, name: str) -> list[int]:
    """Places of the curves that a key of a sample file names: by file name, with or without its folder."""
    found = []
    for i, curve in enumerate(sample.curves):
        file = Path(curve.file)
        if name in (curve.file, file.name, file.stem, curve.entry, str(i + 1)):
            found.append(i)
    return found


def _by_curve(sample: Sample, given: Any, source: str, default: Any) -> list[Any]:
    if not isinstance(given, Mapping):
        raise DataError(f'{source}: each section names files, such as sample_d2o.dat = "D2O".')
    found = [default] * len(sample.curves)
    for name, value in given.items():
        places = _match(sample, str(name))
        if not places:
            raise DataError(
                f"{source}: {name} is none of the curves ({', '.join(Path(f).name for f in sample.files)})."
            )
        for place in places:
            found[place] = value
    return found


def _numbers(sample: Sample, given: Any, source: str, what: str) -> tuple[float | None, ...]:
    found: list[float | None] = []
    for value in _by_curve(sample, given, source, None):
        number = value is None or (isinstance(value, (int, float)) and np.isfinite(value) and value > 0)
        if not number:
            raise DataError(f"{source}: {value!r} is no {what}; write a positive number.")
        found.append(None if value is None else float(value))
    return tuple(found)


def _solvents(
    sample: Sample, given: Any, probes: tuple[str, ...], sld: Callable[[str, str], float] | None, source: str
) -> tuple[float | None, ...]:
    found: list[float | None] = []
    for value, probe in zip(_by_curve(sample, given, source, None), probes, strict=True):
        if value is None or isinstance(value, (int, float)):
            found.append(None if value is None else float(value))
        elif sld is None:
            raise DataError(f"{source}: {value!r} is no scattering length density, 10⁻⁶ Å⁻².")
        else:
            found.append(sld(str(value), probe))
    known = [value for value in found if value is not None]
    if known and len(known) < len(found):
        lacking = sample.files[found.index(None)]
        raise DataError(
            f"{source}: the solvent of {lacking} is missing; give that of each curve, or of none."
        )
    return tuple(found)


def _names(given: Any, source: str) -> list[str]:
    names = given.get("names", ()) if isinstance(given, Mapping) else given
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise DataError(f'{source}: share and own are lists of parameters, such as share = ["radius"].')
    return list(names)


def _ties(given: Sequence[str]) -> dict[str, Expression]:
    found = {}
    for text in given:
        name, equals, right = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise DataError(f"{text!r} is no tie; write such as sld_solvent = -0.56 + 6.92*x.")
        found[name.strip()] = expression(right)
    return found


def _stated(sample: Sample) -> str:
    """The kind that follows from what is given, or nothing."""
    if len(set(sample.probes)) > 1:
        return PROBES
    if any(value is not None for value in sample.solvents):
        return CONTRASTS
    if any(value is not None for value in sample.concentrations):
        return CONCENTRATIONS
    return SERIES if sample.share else ""


def _kind(sample: Sample) -> str:
    """The kind that is given, or as the curves look where their q overlap.

    Notes
    -----
    In two settings a sample has one intensity, but for the calibration. At other concentrations the ratio of
    two curves is a constant, at high q at least, where neighbours do not matter. All else looks as curves in
    other solvents do.
    """
    stated = _stated(sample)
    if stated or len(sample.curves) == 1:
        return stated or SETTINGS
    known = [pair for a, b in combinations(sample.curves, 2) if (pair := _ratio(a, b)) is not None]
    if not known:
        return SETTINGS if _side_by_side(sample.curves) else SERIES
    level, scatter, high = np.max(np.abs(known), axis=0)
    if level < _CALIBRATION and scatter < _SAME_SHAPE:
        return SETTINGS
    return CONCENTRATIONS if high < _SAME_SHAPE else CONTRASTS


def _side_by_side(curves: Sequence[Curve]) -> bool:
    """Whether windows of q hardly overlap, as those of one sample in several settings may."""
    ends = sorted((float(c.q[0]), float(c.q[-1])) for c in curves)
    return all(b[0] > a[0] and b[1] > a[1] for a, b in zip(ends, ends[1:], strict=False))


def _ratio(a: Curve, b: Curve) -> tuple[float, float, float] | None:
    """Of two curves where they overlap: median of ln of their ratio, its scatter beyond the errors, and that
    of the upper half in q; None where they share too little.
    """
    low, high = max(a.q[0], b.q[0]), min(a.q[-1], b.q[-1])
    inside = (a.q >= low) & (a.q <= high) & (a.intensity > 0)
    if np.sum(inside) < _FEWEST:
        return None
    q = a.q[inside]
    other = np.interp(q, b.q, b.intensity)
    own = a.intensity[inside]
    good = other > 0
    if np.sum(good) < _FEWEST:
        return None
    noise = np.hypot(_relative(a, a.q[inside][good], own[good]), _relative(b, q[good], other[good]))
    ratio = np.log(own[good] / other[good])
    weight = 1 / (noise**2 + 0.01**2)
    da, db = _relative(a, q[good], own[good]) * own[good], _relative(b, q[good], other[good]) * other[good]
    upper = _upper(own[good], other[good], da, db)
    return float(np.average(ratio, weights=weight)), _beyond(ratio, noise), upper


def _relative(curve: Curve, q: Any, intensity: Any) -> Any:
    if curve.dintensity is None:
        return np.full(q.size, 0.02)
    return np.interp(q, curve.q, curve.dintensity) / intensity


def _beyond(ratio: Any, noise: Any) -> float:
    """Weighted scatter of ln of a ratio, the errors' own taken off."""
    weight = 1 / (noise**2 + 0.01**2)
    mean = np.average(ratio, weights=weight)
    variance = np.average((ratio - mean) ** 2, weights=weight) - np.average(noise**2, weights=weight)
    return float(np.sqrt(max(variance, 0.0)))


def _upper(a: Any, b: Any, da: Any, db: Any) -> float:
    """Scatter, beyond the errors and as a share of I, of one curve about another times a factor plus a
    background, where both have fallen but are not background alone.
    """
    signal = b - np.median(b[-_FEWEST // 2 :])
    fallen = (signal > _FALLEN[0] * signal.max()) & (signal < _FALLEN[1] * signal.max())
    if np.sum(fallen) < _FEWEST:
        return np.inf
    a, b, noise = a[fallen], b[fallen], np.hypot(da, db * np.sum(a) / np.sum(b))[fallen]
    columns = np.stack([b, np.ones(b.size)], axis=1) / noise[:, None]
    values = np.linalg.lstsq(columns, a / noise, rcond=None)[0]
    left = (a / noise - columns @ values) * noise
    excess = max(float(np.mean(left**2) - np.mean(noise**2)), 0.0)
    return float(np.sqrt(excess) / (np.median(np.abs(values[0] * (b - b.min()))) + 1e-300))
