"""What is said of a sample, in its file and in options: of its curves, and which parameters they share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np

from ...types import Curve, DataError, SasnetError
from ..toml_files import is_finite_number, read_toml
from .expression import Expression, expression
from .kind import kind_of, stated_kind
from .sample import KINDS, SERIES, Sample

_SECTIONS = ("kind", "solvents", "concentrations", "probes", "scale", "share", "own", "tie", "values")
#: Those that name curves.
_OF_CURVES = ("solvents", "concentrations", "probes", "scale")


@dataclass(frozen=True)
class Described:
    """What is said of a sample, or of each of a batch."""

    sections: Mapping[str, Any] = field(default_factory=dict)  #: Of a sample file, see `read_description`.
    #: share, own: names of parameters.
    share: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()  #: Such as ``"sld_solvent = -0.56 + 6.92*x"``.
    source: str = "the sample"  #: Where the sections stand, for sentences.

    def sample(
        self, curves: Sequence[Curve], sld: Callable[[str, str], float] | None, *, of_several: bool = False
    ) -> Sample:
        """Apply the description to curves; see `sample_of`."""
        # With `of_several`, entries that name none of the curves belong to other samples.
        sections = self.sections
        if of_several:
            sections = _only(sections, lambda key: bool(_match(Sample(tuple(curves), SERIES), key)))
        return sample_of(
            curves, sections, sld=sld, share=self.share, own=self.own, ties=self.ties, source=self.source
        )

    def naming_nothing(self, files: Sequence[str]) -> list[str]:
        """Keys of its sections that are no file's name, with or without folder and ending, and no number."""
        found: list[str] = []

        def look(key: str) -> bool:
            if not (key.isdecimal() or any(_names_file(key, file) for file in files)):
                found.append(key)
            return True

        _only(self.sections, look)
        return list(dict.fromkeys(found))


def _only(sections: Mapping[str, Any], wanted: Callable[[str], bool]) -> dict[str, Any]:
    def kept(given: Any) -> Any:
        return {k: v for k, v in given.items() if wanted(str(k))} if isinstance(given, Mapping) else given

    found = dict(sections) | {name: kept(sections[name]) for name in _OF_CURVES if name in sections}
    if isinstance(sections.get("values"), Mapping):
        found["values"] = {name: kept(of) for name, of in sections["values"].items()}
    return found


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
    """Make a sample of curves with what its file (`described`, see `read_description`) and options say."""
    # `sld` maps (material, probe) to a scattering length density, 10⁻⁶ Å⁻²; ties are such as ``"sld_solvent =
    # -0.56 + 6.92*x"``. Raises DataError if a curve repeats, units differ, or the description does not fit.
    curves = tuple(curves)
    _check_curves(curves)
    told = dict(described or {})
    made = Sample(curves, _kind_told(told, source))
    probes = _probes(made, told.get("probes", {}), source)
    made = replace(
        made,
        solvents=_solvents(made, told.get("solvents", {}), probes, sld, source),
        concentrations=_numbers(made, told.get("concentrations", {}), source, "concentration"),
        probes=probes,
        scale=_numbers(made, told.get("scale", {}), source, "scale"),
        share=frozenset([*share, *_names(told.get("share", ()), source)]),
        own=frozenset([*own, *_names(told.get("own", ()), source)]),
        ties=ties_of([*(f"{k} = {v}" for k, v in _table(told.get("tie", {}), source, "tie").items()), *ties]),
        values=_values(made, told.get("values", {}), source),
    )
    both = made.share & made.own
    if both:
        raise DataError(f"{min(both)} cannot be both shared and separate; name it under share or own.")
    if "kind" in told:
        return replace(made, told=True)
    return replace(made, kind=kind_of(made), told=bool(stated_kind(made)))


def _kind_told(told: Mapping[str, Any], source: str) -> str:
    unknown = [name for name in told if name not in _SECTIONS]
    if unknown:
        raise DataError(f"{source}: there is no section {unknown[0]}; use {', '.join(_SECTIONS)}.")
    kind = str(told.get("kind", SERIES))
    if kind not in KINDS:
        raise DataError(f"{source}: kind = {kind!r} is none of {', '.join(KINDS)}.")
    return kind


def read_description(path: str | Path) -> dict[str, Any]:
    """Read the sections of a sample file (TOML). Raises DataError if it is missing or no TOML."""
    found = read_toml(Path(path), "settings of a sample")
    named = {name: _flat(found[name]) for name in _OF_CURVES if name in found}
    if isinstance(values := found.get("values"), Mapping):
        named["values"] = {name: _flat(of) for name, of in values.items()}
    return found | named


def _flat(given: Any, before: str = "") -> Any:
    """Names of files whole: without quotes ``run.dat = 1`` is a table ``run`` with a ``dat`` to TOML."""
    if not isinstance(given, Mapping):
        return given
    found: dict[str, Any] = {}
    for key, value in given.items():
        name = f"{before}{key}"
        found |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return found


def as_toml(sections: Mapping[str, Any]) -> str:
    """A sample file that says the same; see `read_description`."""
    plain, tables = [], []
    for name, of in sections.items():
        if not isinstance(of, Mapping):
            plain.append(f"{name} = {_written(of)}")
        elif name == "values":
            tables += [_section(f"values.{own}", each) for own, each in of.items()]
        else:
            tables.append(_section(name, of))
    return "\n".join([*plain, *tables]).lstrip("\n") + "\n"


def _section(name: str, of: Mapping[str, Any]) -> str:
    lines = (f"{_written(str(key))} = {_written(value)}" for key, value in of.items())
    return "\n".join(["", f"[{name}]", *lines])


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _probes(sample: Sample, given: Any, source: str) -> tuple[str, ...]:
    probes = tuple(map(str, _by_curve(sample, given, source, "neutron")))
    if not set(probes) <= {"neutron", "xray"}:
        raise DataError(f"{source}: a probe is neutron or xray.")
    return probes


def _values(sample: Sample, given: Any, source: str) -> tuple[dict[str, float], ...]:
    table = _table(given, source, "values")
    each = {name: _by_curve(sample, of, source, None) for name, of in table.items()}
    return tuple(
        {name: _value(v[i], name, source) for name, v in each.items() if v[i] is not None}
        for i in range(len(sample.curves))
    )


def _value(value: Any, name: str, source: str) -> float:
    if not is_finite_number(value):
        raise DataError(f"{source}: {value!r} is no value of {name}; write a number.")
    return float(value)


def _check_curves(curves: tuple[Curve, ...]) -> None:
    if not curves:
        raise DataError("A sample has no curves; name its files.")
    _check_once(curves)
    _check_units(curves)


def _check_once(curves: tuple[Curve, ...]) -> None:
    for i, curve in enumerate(curves):
        for other in curves[:i]:
            if np.array_equal(curve.q, other.q) and np.array_equal(curve.intensity, other.intensity):
                name = curve.file or f"curve {i + 1}"
                raise DataError(
                    f"{name}: the same data are given twice ({other.file}); name each curve once."
                )


def _check_units(curves: tuple[Curve, ...]) -> None:
    silent = [curve for curve in curves if not curve.q_unit.stated]
    assumed = {curve.q_unit.value for curve in silent}
    stated = {curve.q_unit.value for curve in curves if curve.q_unit.stated}
    if silent and stated - assumed:
        raise DataError(
            f"{silent[0].file}: the file gives no unit of q, and other curves of the sample have"
            f" {' and '.join(sorted(stated))}; give it with --q-unit."
        )


def _match(sample: Sample, key: str) -> list[int]:
    """Places of the curves that a key of a sample file names: by file, entry, or number from 1."""
    return [
        i
        for i, curve in enumerate(sample.curves)
        if key in (curve.entry, str(i + 1)) or _names_file(key, curve.file)
    ]


def _names_file(key: str, file: str) -> bool:
    path = Path(file)
    return any(key == name or fnmatchcase(name, key) for name in (file, path.name, path.stem))


def _table(given: Any, source: str, name: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise DataError(f"{source}: {name} is a section; write [{name}] above its lines.")
    return given


def _by_curve(sample: Sample, given: Any, source: str, default: Any) -> list[Any]:
    if not isinstance(given, Mapping):
        raise DataError(f'{source}: each section names files, such as sample_d2o.dat = "D2O".')
    found = [default] * len(sample.curves)
    for name, value in given.items():
        places = _match(sample, str(name))
        if not places:
            raise DataError(
                f"{source}: {name} is not one of the curves"
                f" ({', '.join(Path(f).name for f in sample.files)})."
            )
        for place in places:
            found[place] = value
    return found


def _numbers(sample: Sample, given: Any, source: str, what: str) -> tuple[float | None, ...]:
    found: list[float | None] = []
    for value in _by_curve(sample, given, source, None):
        if not (value is None or (is_finite_number(value) and value > 0)):
            raise DataError(f"{source}: {value!r} is no {what}; write a positive number.")
        found.append(None if value is None else float(value))
    return tuple(found)


def _solvents(
    sample: Sample, given: Any, probes: tuple[str, ...], sld: Callable[[str, str], float] | None, source: str
) -> tuple[float | None, ...]:
    pairs = zip(_by_curve(sample, given, source, None), probes, strict=True)
    found = [_solvent(value, probe, sld, source) for value, probe in pairs]
    if None in found and any(value is not None for value in found):
        lacking = sample.files[found.index(None)]
        raise DataError(
            f"{source}: the solvent of {lacking} is missing; give the solvents of all curves, or none."
        )
    return tuple(found)


def _names(given: Any, source: str) -> list[str]:
    names = given.get("names", ()) if isinstance(given, Mapping) else given
    if not (isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names)):
        raise DataError(f'{source}: share and own are lists of parameters, such as share = ["radius"].')
    return list(names)


def _solvent(value: Any, probe: str, sld: Callable[[str, str], float] | None, source: str) -> float | None:
    """Scattering length density, 10⁻⁶ Å⁻², of a number or a material."""
    if value is None or is_finite_number(value):
        return None if value is None else float(value)
    if sld is None or not isinstance(value, str):
        raise DataError(f"{source}: {value!r} is not a scattering length density in 10⁻⁶ Å⁻².")
    try:
        return sld(str(value), probe)
    except SasnetError as error:
        raise DataError(f"{source}: {error}") from None


def ties_of(given: Sequence[str]) -> dict[str, Expression]:
    """Parse ties by parameter, ordered by dependence. Raises DataError for wrong or circular ones."""
    found = {}
    for text in given:
        name, equals, right = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise DataError(f"{text!r} is not a tie; write, for example, sld_solvent = -0.56 + 6.92*x.")
        found[name.strip()] = expression(right)
    return _in_order(found)


def _in_order(ties: Mapping[str, Expression]) -> dict[str, Expression]:
    """Each after those that it needs, since they are calculated one after the other."""
    needs = {name: tie.names & ties.keys() for name, tie in ties.items()}
    try:
        return {name: ties[name] for name in TopologicalSorter(needs).static_order()}
    except CycleError as error:
        first = error.args[1][0]
        raise DataError(
            f"{first} = {ties[first].text}: the ties depend on each other in a circle; remove one of them."
        ) from None
