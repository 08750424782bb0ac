"""What is said of a sample, in its file and in options: of its curves, and which parameters they share."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np

from ...types import Curve, DataError, SasnetError, Sector
from ..advice import GIVE_FIELD, GIVE_SECTORS, WITH_UNIT_OF_Q
from ..sectors import sector_of_name
from ..toml_files import is_finite_number, read_toml
from .expression import Expression, expression
from .kind import infer_stated_kind, kind_of
from .sample import KINDS, SECTORS, SERIES, SPINS, Polarisation, Sample

_SECTIONS = (
    "kind", "solvents", "concentrations", "probes", "scale", "share", "own", "tie", "values", "sectors",
    "field", "spins", "polarisation",
)  # fmt: skip
#: Those that name curves.
_OF_CURVES = ("solvents", "concentrations", "probes", "scale", "sectors", "spins")


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
            curves,
            sections,
            sld=sld,
            share=self.share,
            own_names=self.own,
            ties=self.ties,
            source=self.source,
        )

    def naming_nothing(self, files: Sequence[str]) -> list[str]:
        """Keys of its sections that are no file's name, with or without folder and ending, and no number."""
        unmatched: list[str] = []

        def look(key: str) -> bool:
            if not (key.isdecimal() or any(_names_file(key, file) for file in files)):
                unmatched.append(key)
            return True

        _only(self.sections, look)
        return list(dict.fromkeys(unmatched))


def _only(sections: Mapping[str, Any], is_wanted: Callable[[str], bool]) -> dict[str, Any]:
    def keep_wanted(section: Any) -> Any:
        return (
            {k: v for k, v in section.items() if is_wanted(str(k))}
            if isinstance(section, Mapping)
            else section
        )

    sections_kept = dict(sections) | {
        name: keep_wanted(sections[name]) for name in _OF_CURVES if name in sections
    }
    if isinstance(sections.get("values"), Mapping):
        sections_kept["values"] = {name: keep_wanted(section) for name, section in sections["values"].items()}
    return sections_kept


def sample_of(
    curves: Sequence[Curve],
    described: Mapping[str, Any] | None = None,
    *,
    sld: Callable[[str, str], float] | None = None,
    share: Sequence[str] = (),
    own_names: Sequence[str] = (),
    ties: Sequence[str] = (),
    source: str = "the sample",
) -> Sample:
    """Make a sample of curves with what its file (`described`, see `read_description`) and options say."""
    # `sld` maps (material, probe) to a scattering length density, 10⁻⁶ Å⁻²; ties are such as ``"sld_solvent =
    # -0.56 + 6.92*x"``. Raises DataError if a curve repeats, units differ, or the description does not fit.
    curves = tuple(curves)
    _check_curves(curves)
    sections = dict(described or {})
    sample_made = Sample(curves, _kind_told(sections, source))
    sample_made = _add_spins(_add_sectors(sample_made, sections, source), sections, source)
    probes = _probes(sample_made, sections.get("probes", {}), source)
    sample_made = replace(
        sample_made,
        solvents=_solvents(sample_made, sections.get("solvents", {}), probes, sld, source),
        concentrations=_numbers(sample_made, sections.get("concentrations", {}), source, "concentration"),
        probes=probes,
        scale=_numbers(sample_made, sections.get("scale", {}), source, "scale"),
        share=frozenset([*share, *_names(sections.get("share", ()), source)]),
        own=frozenset([*own_names, *_names(sections.get("own", ()), source)]),
        ties=ties_of(
            [*(f"{k} = {v}" for k, v in _table(sections.get("tie", {}), source, "tie").items()), *ties]
        ),
        values=_values(sample_made, sections.get("values", {}), source),
    )
    names_in_both = sample_made.share & sample_made.own
    if names_in_both:
        raise DataError(
            f"{min(names_in_both)} cannot be both shared and separate; name it under share or own."
        )
    if "kind" in sections:
        return replace(sample_made, told=True)
    return replace(sample_made, kind=kind_of(sample_made), told=bool(infer_stated_kind(sample_made)))


def _add_sectors(sample: Sample, sections: Mapping[str, Any], source: str) -> Sample:
    """Give curves their sectors, and the sample its field. Raises DataError if a sector is missing."""
    texts = _assign_to_curves(sample, sections.get("sectors", {}), source, None)
    curves = [
        curve if text is None else replace(curve, sector=parse_sector(text, source))
        for curve, text in zip(sample.curves, texts, strict=True)
    ]
    if sample.kind == SECTORS:
        curves = [replace(curve, sector=curve.sector or sector_of_name(curve.file)) for curve in curves]
        lacking = [curve.file for curve in curves if curve.sector is None]
        if lacking:
            raise DataError(f"{source}: the sector of {lacking[0]} is not known; {GIVE_SECTORS}.")
        if "spins" not in sections and len({c.sector and c.sector.azimuth % 180 for c in curves}) < 2:
            raise DataError(f"{source}: all sectors have one azimuth; give at least two that differ.")
    field_azimuth = sections.get("field")
    if not (field_azimuth is None or is_finite_number(field_azimuth)):
        raise DataError(f"{source}: field = {field_azimuth!r} is not an azimuth; write degrees, such as 0.")
    return replace(sample, curves=tuple(curves), field_azimuth=field_azimuth)


def _add_spins(sample: Sample, sections: Mapping[str, Any], source: str) -> Sample:
    spins = _assign_to_curves(sample, sections.get("spins", {}), source, "")
    unknown = [spin for spin in spins if spin and spin not in SPINS]
    if unknown:
        raise DataError(f"{source}: {unknown[0]!r} is not a spin state; write {', '.join(SPINS)}.")
    if any(spins) and sample.field_azimuth is None:
        raise DataError(f"{source}: spin states need a field; {GIVE_FIELD}, such as 0.")
    curves = tuple(replace(c, spin=spin) if spin else c for c, spin in zip(sample.curves, spins, strict=True))
    return replace(sample, curves=curves, polarisation=_polarisation(sections.get("polarisation"), source))


def _polarisation(section: Any, source: str) -> Polarisation | None:
    if section is None:
        return None
    names = [item.name for item in fields(Polarisation)]
    table = _table(section, source, "polarisation")
    if not table.keys() <= set(names) or not all(is_finite_number(v) and 0 < v <= 1 for v in table.values()):
        raise DataError(f"{source}: polarisation has {', '.join(names)}; each is above 0 and at most 1.")
    return Polarisation(**{str(name): float(value) for name, value in table.items()})


def polarisation_of(text: str) -> dict[str, Any]:
    """The section of a sample file that says what ``0.95:0.98`` does: polariser, flipper and analyser's."""
    names = [item.name for item in fields(Polarisation)]
    parts = text.split(":")
    try:
        return dict(zip(names, map(float, parts), strict=len(parts) > len(names)))
    except ValueError:
        return {text: 0.0}


def parse_sector(value: Any, source: str) -> Sector:
    """Read azimuth and half-width, as a pair or as ``90:15``. Raises DataError for anything else."""
    numbers = value if isinstance(value, (list, tuple)) else re.split(r"[:±]", str(value))
    try:
        azimuth, half_width = map(float, numbers)
    except (TypeError, ValueError):
        azimuth, half_width = 0.0, 0.0
    if not 0 < half_width < 90:
        raise DataError(
            f"{source}: {value!r} is not a sector; write azimuth and half-width in degrees, such as 90:15."
        )
    return Sector(azimuth, half_width)


def split_entries(text: str) -> dict[str, str]:
    """The section of a sample file that says what ``0:15,90:15`` does, one entry for each curve."""
    return {str(i + 1): part.strip() for i, part in enumerate(text.split(","))}


def _kind_told(sections: Mapping[str, Any], source: str) -> str:
    unknown = [name for name in sections if name not in _SECTIONS]
    if unknown:
        raise DataError(f"{source}: there is no section {unknown[0]}; use {', '.join(_SECTIONS)}.")
    kind = str(sections.get("kind", SERIES))
    if kind not in KINDS:
        raise DataError(f"{source}: kind = {kind!r} is none of {', '.join(KINDS)}.")
    return kind


def read_description(path: str | Path) -> dict[str, Any]:
    """Read the sections of a sample file (TOML). Raises DataError if it is missing or no TOML."""
    toml = read_toml(Path(path), "settings of a sample")
    sections = {name: _flat(toml[name]) for name in _OF_CURVES if name in toml}
    if isinstance(values := toml.get("values"), Mapping):
        sections["values"] = {name: _flat(section) for name, section in values.items()}
    return toml | sections


def _flat(section: Any, prefix: str = "") -> Any:
    """Names of files whole: without quotes ``run.dat = 1`` is a table ``run`` with a ``dat`` to TOML."""
    if not isinstance(section, Mapping):
        return section
    flat: dict[str, Any] = {}
    for key, value in section.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat


def as_toml(sections: Mapping[str, Any]) -> str:
    """A sample file that says the same; see `read_description`."""
    plain, tables = [], []
    for name, section in sections.items():
        if not isinstance(section, Mapping):
            plain.append(f"{name} = {_format_toml_value(section)}")
        elif name == "values":
            tables += [
                _section(f"values.{name_here}", values_here) for name_here, values_here in section.items()
            ]
        else:
            tables.append(_section(name, section))
    return "\n".join([*plain, *tables]).lstrip("\n") + "\n"


def _section(name: str, section: Mapping[str, Any]) -> str:
    lines = (
        f"{_format_toml_value(str(key))} = {_format_toml_value(value)}" for key, value in section.items()
    )
    return "\n".join(["", f"[{name}]", *lines])


def _format_toml_value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _probes(sample: Sample, section: Any, source: str) -> tuple[str, ...]:
    probes = tuple(map(str, _assign_to_curves(sample, section, source, "neutron")))
    if not set(probes) <= {"neutron", "xray"}:
        raise DataError(f"{source}: the probe must be 'neutron' or 'xray'.")
    return probes


def _values(sample: Sample, section: Any, source: str) -> tuple[dict[str, float], ...]:
    table = _table(section, source, "values")
    values_by_name = {
        name: _assign_to_curves(sample, whole_section, source, None) for name, whole_section in table.items()
    }
    return tuple(
        {name: _value(v[i], name, source) for name, v in values_by_name.items() if v[i] is not None}
        for i in range(len(sample.curves))
    )


def _value(value: Any, name: str, source: str) -> float:
    if not is_finite_number(value):
        raise DataError(f"{source}: {value!r} is not a value of {name}; write a number.")
    return float(value)


def _check_curves(curves: tuple[Curve, ...]) -> None:
    if not curves:
        raise DataError("A sample has no curves; name its files.")
    _check_once(curves)
    _check_units(curves)


def _check_once(curves: tuple[Curve, ...]) -> None:
    for i, curve in enumerate(curves):
        for earlier in curves[:i]:
            if np.array_equal(curve.q, earlier.q) and np.array_equal(curve.intensity, earlier.intensity):
                name = curve.file or f"curve {i + 1}"
                raise DataError(
                    f"{name}: the same data are given twice ({earlier.file}); name each curve once."
                )


def _check_units(curves: tuple[Curve, ...]) -> None:
    silent = [curve for curve in curves if not curve.q_unit.stated]
    assumed = {curve.q_unit.value for curve in silent}
    stated = {curve.q_unit.value for curve in curves if curve.q_unit.stated}
    if silent and stated - assumed:
        raise DataError(
            f"{silent[0].file}: the file gives no unit of q, and other curves of the sample have"
            f" {' and '.join(sorted(stated))}; give it{WITH_UNIT_OF_Q}."
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


def _table(section: Any, source: str, name: str) -> Mapping[str, Any]:
    if not isinstance(section, Mapping):
        raise DataError(f"{source}: {name} is a section; write [{name}] above its lines.")
    return section


def _assign_to_curves(sample: Sample, section: Any, source: str, default: Any) -> list[Any]:
    if not isinstance(section, Mapping):
        raise DataError(f'{source}: each section names files, such as sample_d2o.dat = "D2O".')
    values = [default] * len(sample.curves)
    for name, value in section.items():
        places = _match(sample, str(name))
        if not places:
            raise DataError(
                f"{source}: {name} is not one of the curves"
                f" ({', '.join(Path(f).name for f in sample.files)})."
            )
        for place in places:
            values[place] = value
    return values


def _numbers(sample: Sample, section: Any, source: str, label: str) -> tuple[float | None, ...]:
    numbers: list[float | None] = []
    for value in _assign_to_curves(sample, section, source, None):
        if not (value is None or (is_finite_number(value) and value > 0)):
            raise DataError(f"{source}: {value!r} is not a {label}; write a positive number.")
        numbers.append(None if value is None else float(value))
    return tuple(numbers)


def _solvents(
    sample: Sample,
    section: Any,
    probes: tuple[str, ...],
    sld: Callable[[str, str], float] | None,
    source: str,
) -> tuple[float | None, ...]:
    pairs = zip(_assign_to_curves(sample, section, source, None), probes, strict=True)
    solvents = [_solvent(value, probe, sld, source) for value, probe in pairs]
    if None in solvents and any(value is not None for value in solvents):
        lacking = sample.files[solvents.index(None)]
        raise DataError(
            f"{source}: the solvent of {lacking} is missing; give the solvents of all curves, or none."
        )
    return tuple(solvents)


def _names(section: Any, source: str) -> list[str]:
    names = section.get("names", ()) if isinstance(section, Mapping) else section
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


def ties_of(texts: Sequence[str]) -> dict[str, Expression]:
    """Parse ties by parameter, ordered by dependence. Raises DataError for wrong or circular ones."""
    ties = {}
    for text in texts:
        name, equals, right = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise DataError(f"{text!r} is not a tie; write, for example, sld_solvent = -0.56 + 6.92*x.")
        ties[name.strip()] = expression(right)
    return _order_ties(ties)


def _order_ties(ties: Mapping[str, Expression]) -> dict[str, Expression]:
    """Each after those that it needs, since they are calculated one after the other."""
    needs = {name: tie.names & ties.keys() for name, tie in ties.items()}
    try:
        return {name: ties[name] for name in TopologicalSorter(needs).static_order()}
    except CycleError as error:
        first = error.args[1][0]
        raise DataError(
            f"{first} = {ties[first].text}: the ties depend on each other in a circle; remove one of them."
        ) from None
