"""What is said of a sample's joint fit: one headline, one doubt, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...data.sample.kind import kind_by_look
from ...data.sample.sample import (
    CONCENTRATIONS,
    CONTRASTS,
    MAGNETIC,
    PROBES,
    SECTORS,
    SERIES,
    SETTINGS,
    Sample,
)
from ...data.sample.sectors import EFFICIENCY, Difference, Magnetism
from ...digits import chisq_text, format_rounded, join_names, significant
from ...simulate.magnetic_spheres import LAYER, MAGNETIC_SLD, POLARISATION, SHARE, SMALL, SPHERES
from ...simulate.orientations import DIRECTOR, P2, SHARPNESS, TAILS, isotropic_part
from ..result.components import bare
from ..result.model_fit import ModelFit, Parameter
from ..result.reported_values import mean_over_parameter, value_of
from ..result.sample_result import JointFit, SampleResult, select_alike
from ..result.verdict import DOES_NOT, DOUBTS, EXPLAINS, Verdict
from ..settings import ASSESSMENT, PROBLEM
from ..task import FitOptions
from . import sample_sentences as sentences
from .headline import describe_polydispersity, describe_size, name_parameter
from .names import add_model_name, some, spell_name
from .next_step import command, translate_to_python, translate_verdict
from .settings import VERDICT
from .sizes import Size

#: What the curves of a sample are, by kind.
WHAT = {
    SETTINGS: "settings of one sample",
    CONTRASTS: "contrasts of one sample",
    CONCENTRATIONS: "concentrations of one sample",
    PROBES: "probes of one sample",
    SERIES: "curves of a series",
    SECTORS: "sectors of one sample",
    MAGNETIC: "parts (nuclear and magnetic) of one sample",
}
#: Parameters of sectors, which sasmodels does not have.
_WORDS = {
    P2: "order parameter P₂", DIRECTOR: "direction", LAYER: "non-magnetic layer",
    POLARISATION: "polarisation",
    SMALL: "radius of gyration of smaller, non-magnetic particles",
    SHARE: "their intensity at q = 0 over that of the spheres",
}  # fmt: skip
#: A parameter is told where its relative error is below.
_KNOWN = 0.5
#: Of contrasts that share a shape alone.
EXCHANGED = str(sentences.EXCHANGED)
#: And where each curve has likelier models of its own.
NOT_ONE = str(sentences.NOT_ONE)
#: Scales, and volume fractions over concentrations, that are so far off are doubted.
_FAR = 0.1


def add_sample_verdict(result: SampleResult, options: FitOptions) -> SampleResult:
    return replace(result, verdict=make_sample_verdict(result, options))


def add_magnetism(
    result: SampleResult, parts: Magnetism, sample: Sample, options: FitOptions
) -> SampleResult:
    """Say first whether there is magnetic scattering, and that the structure is taken for isotropic, or what
    aligned particles say of the same sectors.
    """
    doubts, level = result.verdict.doubts, result.verdict.level
    if parts.is_seen or parts.is_reversed:
        level = max(level, DOUBTS, key=(EXPLAINS, DOUBTS, DOES_NOT).index)
    if parts.is_seen and not _is_of_aligned(result):
        alignment = _describe_alignment(result.aligned) or str(sentences.STRUCTURE_ISOTROPIC)
        doubts = (alignment, *_describe_polarisation(result), *doubts)
    command, purpose = _next(replace(result, sample=sample), options)
    profile = _describe_core(result)
    if parts.is_seen and _is_of_aligned(result):
        profile = str(sentences.ALIGNED)
    headline = f"{profile or _describe_magnetism(parts)} {result.verdict.headline}"
    return replace(result, verdict=Verdict(level, headline, doubts, command, purpose), magnetism=parts)


def add_isotropy(result: SampleResult, difference: Difference) -> SampleResult:
    """Say first that the sectors agree."""
    verdict = result.verdict
    isotropic = sentences.ISOTROPIC(relative=significant(100 * difference.most, 2))
    return replace(result, verdict=replace(verdict, headline=f"{isotropic} {verdict.headline}"))


def describe_sectors(
    sample: Sample, difference: Difference, parts: Magnetism | None, command: str
) -> list[str]:
    """Say whether sectors differ and by what, with the next command."""
    if parts is not None:
        return [_describe_magnetism(parts), sentences.NEXT(command=command)]
    if not difference.is_seen:
        isotropic = sentences.ISOTROPIC(relative=significant(100 * difference.most, 2))
        return [f"{isotropic} {sentences.FIT_AVERAGE}"]
    brightest = sample.curves[difference.brightest].sector
    return [
        sentences.ANISOTROPIC(
            relative=significant(100 * difference.relative, 2), azimuth=f"{brightest and brightest.azimuth:g}"
        ),
        str(sentences.FIELD),
        sentences.NEXT(command=command),
    ]


def _describe_magnetism(parts: Magnetism) -> str:
    if parts.is_seen:
        value, error = parts.contrast
        return sentences.MAGNETIC_SEEN(contrast=format_rounded(value, error, VERDICT.rounding))
    if parts.is_reversed:
        return sentences.REVERSED(more=significant(-100 * parts.ratio, 2))
    most = max(parts.ratio, 0.0) + 2 * parts.error
    return sentences.NOT_MAGNETIC(most=significant(100 * most, 2))


def _is_of_aligned(result: SampleResult) -> bool:
    return result.best is not None and P2 in result.best.parameters


def _describe_alignment(aligned: JointFit | None) -> str:
    """What aligned particles that fit as well are; empty where none do."""
    if aligned is None:
        return ""
    order = aligned.parameters[P2]
    text = significant(order.value, 2)
    if order.error:
        text = format_rounded(order.value, order.error, VERDICT.rounding)
    return sentences.ALIGNED_AS_WELL(model=aligned.name, order=text)


def _describe_core(result: SampleResult) -> str:
    best = result.best
    if best is None or MAGNETIC_SLD not in best.parameters:
        return ""
    radius, density, _ = SPHERES[best.model]
    values = best.parameters
    nuclear = values[density].value - values["sld_solvent"].value
    contrast = abs(values[MAGNETIC_SLD].value / nuclear)
    error = best.find_error(MAGNETIC_SLD, radius) / abs(nuclear)
    error = float(np.hypot(error, EFFICIENCY / (2**0.5 * contrast)))  # of M² = κ² N²
    core, layer = values[radius], values[LAYER]
    radius_text = str(sentences.SAME_RADIUS)
    if layer.error:
        size = core.value - layer.value, best.find_error_of_difference(radius, LAYER)
        radius_text = sentences.MAGNETIC_RADIUS(
            radius=describe_size("", Size("", *size, "Ang", (LAYER,))).strip(),
            layer=describe_size("", Size("", abs(layer.value), layer.error, "Ang", (LAYER,))).strip(),
            direction="less than" if layer.value > 0 else "more than",
        )
    return sentences.MAGNETIC_CORE(
        contrast=format_rounded(contrast, error, VERDICT.rounding), radius=radius_text
    )


def _describe_polarisation(result: SampleResult) -> list[str]:
    p = result.best.parameters.get(POLARISATION) if result.best else None
    return [str(sentences.POLARISATION_FITTED)] if p is not None and not p.fixed else []


def translate_sample_to_python(result: SampleResult, options: FitOptions) -> SampleResult:
    told_verdict = result.verdict
    code, purpose = ("result.plot()", str(sentences.TO_LOOK)) if result.fits else ("", "")
    singles = tuple(translate_to_python(single, options) for single in result.singles)
    return replace(
        result,
        verdict=singles[0].verdict
        if len(result.sample.curves) == 1
        else translate_verdict(told_verdict, code, purpose),
        singles=singles,
        as_one=None if result.as_one is None else translate_to_python(result.as_one, options),
    )


def make_sample_verdict(result: SampleResult, options: FitOptions) -> Verdict:
    best = result.best
    if best is None:
        return Verdict()
    doubts = (
        *_doubts(result),
        *_describe_direction(result.sample, best, options),
        *_describe_turned(result),
    )
    level = (DOUBTS if doubts else EXPLAINS) if result.explained else DOES_NOT
    command, purpose = _next(result, options)
    return Verdict(level, headline(result, best), doubts, command, purpose)


def headline(result: SampleResult, best: JointFit) -> str:
    """Whether one model explains all curves, and with which values."""
    sample = result.sample
    count = len(sample.curves)
    chisq = chisq_text(best.reduced_chisq)
    settings_text = f"{count} {WHAT[sample.kind]}{'' if sample.told else sentences.INFERRED}"
    units = {str(c.q_unit) for c in sample.curves if not c.q_unit.stated}
    unit = f" {units.pop()}." if units else ""
    if not result.explained:
        model = add_model_name(best.make_curve_fit(0))
        if result.odd is not None:
            odd = Path(sample.files[result.odd]).name
            return sentences.ODD_CURVE(curves=settings_text, odd=odd, model=model, unit=unit)
        single_text = _alone(result)
        return sentences.NO_FIT(curves=settings_text, alone=single_text, model=model, chisq=chisq, unit=unit)
    tied = [fit.name for fit in select_alike(result.fits)]
    gaps = {
        "sample": ", ".join([add_model_name(best.make_curve_fit(0)) + _group(result, best), *_values(best)]),
        "curves": settings_text,
        "excluded": _describe_excluded(sample),
        "chisq": chisq,
        "ties": sentences.TIED(models=some(tied)) if tied else "",
        "unit": unit,
    }
    if best.excusing_error:
        return sentences.BEST_WITHIN_ERROR(error=significant(100 * best.excusing_error, 2), **gaps)
    return sentences.BEST_FIT(**gaps)


def _describe_excluded(sample: Sample) -> str:
    dark = [
        f"the first {'point' if len(c.shadow) == 1 else f'{len(c.shadow)} points'} of {Path(c.file).name}"
        for c in sample.curves
        if c.shadow is not None
    ]
    return sentences.EXCLUDED(points=join_names(dark)) if dark else ""


def _alone(result: SampleResult) -> str:
    """Which curves nothing explains even alone: then it is not that the sample changes."""
    names = [Path(file).name for file in result.sample.files]
    not_even = [
        name for name, single in zip(names, result.singles, strict=False) if single.verdict.level == DOES_NOT
    ]
    if not not_even:
        return ""
    return sentences.NOT_EVEN_ALONE(curves=join_names(not_even))


def _group(result: SampleResult, best: JointFit) -> str:
    """The group of models that the fit is of, where the network's answer was another."""
    groups = result.suggestion.groups
    group_name = next((g.name for g in groups if best.model in g.members), "")
    return (
        f" (of the group {group_name})"
        if group_name and groups[0].name != group_name and group_name != best.model
        else ""
    )


def _values(best: JointFit) -> list[str]:
    """Lengths, densities and widths that the curves share, with errors."""
    found_sentences, fit = [], best.make_curve_fit(0)
    for name, p in best.parameters.items():
        if p.fixed or p.error is None or name in ("scale", "background", TAILS) or not _is_known(name, p):
            continue
        if name == SHARPNESS:
            found_sentences += _describe_isotropic_part(best)
            continue
        value, error = value_of(fit, name)
        size = Size(name, value, error, p.unit, (name,))
        if name.endswith("_pd"):
            found_sentences.append(describe_polydispersity(name, size, fit))
        else:
            found_sentences.append(describe_size(_name_as_for_one_curve(name, fit), size))
    return found_sentences


def _describe_isotropic_part(best: JointFit) -> list[str]:
    """Say how many of the particle axes have no order, where it is more than three standard deviations."""
    order, sharpness = best.parameters[P2], best.parameters[SHARPNESS]
    part = isotropic_part(order.value, sharpness.value)
    error = isotropic_part(order.value, sharpness.error or 0.0)
    error = float(np.hypot(error, sharpness.value * (order.error or 0.0)))
    if part < 3 * error:
        return []
    return [sentences.ISOTROPIC_PART(part=format_rounded(100 * part, 100 * error, VERDICT.rounding))]


def _describe_direction(sample: Sample, best: JointFit, options: FitOptions) -> list[str]:
    """Say where the direction of particles was assumed to be."""
    director, azimuths = best.parameters.get(DIRECTOR), _azimuths(sample)
    if director is None or DIRECTOR in options.fixed or len(azimuths) != 2:
        return []
    if director.fixed:
        return [sentences.FIXED_DIRECTION(direction=f"{director.value:g}")]
    if azimuths[1] - azimuths[0] != 90:
        return []
    mirrored = (2 * azimuths[0] - director.value + 90) % 180 - 90
    return [sentences.MIRRORED(direction=f"{mirrored:.0f}")]


def _describe_turned(result: SampleResult) -> list[str]:
    if result.turned is None:
        return []
    order, direction = result.turned
    return [sentences.OTHER_ORIENTATION(order=significant(order, 2), direction=f"{direction:.0f}")]


def _azimuths(sample: Sample) -> list[float]:
    return sorted({curve.sector.azimuth % 180 for curve in sample.curves if curve.sector})


def _is_known(name: str, p: Parameter) -> bool:
    if p.error is None or "sld" in name or name == P2:
        return True
    return p.error < _KNOWN * abs(p.value)


def _name_as_for_one_curve(name: str, fit: ModelFit) -> str:
    """The name that a single fit gives it, if single fits name it at all."""
    return _spell_parameter(name) if name.startswith("sld") or name in _WORDS else name_parameter(name, fit)


def _spell_parameter(name: str) -> str:
    if name.startswith("sld"):
        return f"SLD{name.removeprefix('sld').replace('_', ' ')}"
    return _WORDS.get(name) or spell_name(name)


def _doubts(result: SampleResult) -> list[str]:
    """What may be wrong, the most harmful first."""
    best = result.best
    if best is None:
        return []
    names = [Path(f).name for f in result.sample.files]
    possible = (
        NOT_ONE if result.apart else "", _contradicting(result, names),
        EXCHANGED if result.own_densities and not result.apart else "",
        _changing(result, best, names), _second_density(result.sample, best), _calibrations(result, best),
        _proportion(result, best, names),
        _noisy(result, best, names), _as_it_looks(result),
    )  # fmt: skip
    return list(filter(None, possible))


def _contradicting(result: SampleResult, names: Sequence[str]) -> str:
    """Which curves' own answers are another kind of sample."""
    if not (result.against and result.explained):
        return ""
    against = join_names([names[i] for i in result.against])
    return sentences.OTHER_KIND(curves=against)


def _noisy(result: SampleResult, best: JointFit, names: Sequence[str]) -> str:
    """Which curves' uncertainties are too small."""
    noisy = [(name, best.per_point(i)) for i, name in enumerate(names) if best.noisy(i)]
    if not (noisy and result.explained):
        return ""
    curves, misfits = zip(*noisy, strict=True)
    return sentences.NOISY(curves=join_names(curves), factor=significant(max(misfits) ** 0.5, 2))


def _second_density(sample: Sample, best: JointFit) -> str:
    """Say which other density of a homogeneous particle has contrasts of the same ratio in two solvents."""
    densities = [name for name in best.parameters if "sld" in bare(name)]
    solvents = sorted({value for value in sample.solvents if value is not None})
    if sample.kind != CONTRASTS or (len(solvents), len(densities)) != (2, 1):
        return ""
    p, (low, high) = best.parameters[densities[0]], solvents
    # I(q) has the squares of contrasts: (ρ - low)/(ρ - high) may as well have the other sign.
    both = low + high - 2 * p.value or np.finfo(float).tiny
    other = (2 * low * high - p.value * (low + high)) / both
    least, most = PROBLEM.matter["neutron"]
    if p.error is None or not least <= other <= most:
        return ""
    if abs(other - p.value) < ASSESSMENT.significant * p.error:
        return ""
    scale = best.own[0]["scale"].value
    other_scale = scale * ((p.value - low) / (other - low)) ** 2
    return sentences.SECOND_DENSITY(
        name=densities[0], value=format_rounded(p.value, p.error, VERDICT.rounding),
        other=significant(other, 3), scale=significant(scale, 3), other_scale=significant(other_scale, 3),
    )  # fmt: skip


def _as_it_looks(result: SampleResult) -> str:
    """Say that the kind of sample is not given, or that settings do not look like such."""
    if result.sample.told:
        looks = kind_by_look(result.sample.curves)
        if result.explained or result.sample.kind != SETTINGS or looks not in (CONTRASTS, CONCENTRATIONS):
            return ""
        return sentences.LOOKS_DIFFERENT(kind=looks)
    return sentences.KIND_INFERRED(kind=WHAT[result.sample.kind])


def _changing(result: SampleResult, best: JointFit, names: Sequence[str]) -> str:
    """Say that the curves do not share a parameter, with its value in each."""
    name = result.changing
    if not name:
        return ""
    over = mean_over_parameter(best.parameters, best.distributions, name)
    changing = [curve_parameters[name] for curve_parameters in best.own]
    sizes = [Size("", over * p.value, p.error and over * p.error, p.unit, (name,)) for p in changing]
    value_texts = [
        f"{describe_size('', size).strip()} in {file}" for size, file in zip(sizes, names, strict=True)
    ]
    values = f"{join_names(value_texts)}{_apart(best, name, over)}"
    return sentences.CHANGING(name=_spell_parameter(name), values=values)


def _apart(best: JointFit, name: str, over: float) -> str:
    """How well the largest difference is known, where an error that curves have in common hides it."""
    difference, error = (over * x for x in best.find_largest_change(name))
    errors = sorted(
        (curve_parameters[name].value, curve_parameters[name].error or 0.0) for curve_parameters in best.own
    )
    plain = over * float(np.hypot(errors[0][1], errors[-1][1]))
    if difference > ASSESSMENT.significant * plain or not 0 < error < plain / 2:
        return ""
    size = Size("", difference, error, best.own[0][name].unit, (name,))
    return sentences.COMMON_ERROR(difference=describe_size("", size).strip())


def _proportion(result: SampleResult, best: JointFit, names: Sequence[str]) -> str:
    """Say that volume fractions contradict the given concentrations, naming the farthest curve."""
    fractions = [curve_parameters.get("volfraction") for curve_parameters in best.own]
    known_rows = [
        (name, c, p.value, p.error)
        for name, c, p in zip(names, result.sample.concentrations, fractions, strict=False)
        if c and p is not None and p.error
    ]
    if len(known_rows) < 2 or not result.explained:
        return ""
    concentration, value, error = np.array([known_row[1:] for known_row in known_rows], dtype=float).T
    ratio, spread = value / concentration, error / concentration
    far = int(np.argmax(np.abs(ratio / np.median(ratio) - 1)))
    weight = np.where(np.arange(len(known_rows)) == far, 0.0, spread**-2)
    mean = float(weight @ ratio / np.sum(weight))
    doubted = max(_FAR * mean, ASSESSMENT.significant * np.hypot(spread[far], np.sum(weight) ** -0.5))
    if abs(ratio[far] - mean) <= doubted:
        return ""
    is_, expected = (significant(100 * x, 2) for x in (value[far], mean * concentration[far]))
    return sentences.NOT_PROPORTIONAL(curve=known_rows[far][0], found=is_, expected=expected)


def _calibrations(result: SampleResult, best: JointFit) -> str:
    sample = result.sample
    one_scale = sample.kind in (SETTINGS, CONTRASTS) or (
        sample.kind == CONCENTRATIONS and best.structure_factor is not None and result.explained
    )
    if not one_scale or result.own_densities:
        return ""
    far = [i for i, scale in enumerate(best.relative_scales) if abs(scale - 1) > _FAR]
    if not far:
        return ""
    name = Path(sample.files[far[0]]).name
    return sentences.CALIBRATION(curve=name, factor=f"{1 / best.relative_scales[far[0]]:.2f}")


def _next(result: SampleResult, options: FitOptions) -> tuple[str, str]:
    curves = result.sample.curves
    files = {c.file: c.entries for c in curves if c.file}
    # Not without a file, or with some of its entries alone.
    if sum(files.values()) != len(curves) or result.sample.kind == MAGNETIC:
        return "", ""
    if {"--report", "--export"}.intersection(options.also):
        return "", ""
    changes = {"--together": "", "--report": "report", "--export": "export"}
    first, *other_files = files
    return command(first, options, changes, *other_files), str(sentences.TO_GO_ON)
