"""What a user asks of a fit: whether the names exist, and which hypotheses have to be fitted."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..data.sample.sample import ALWAYS_OWN, CONCENTRATIONS, SECTORS, Sample
from ..names import nearest
from ..predict import open_classifier
from ..simulate.orientations import ORIENTATION
from ..types import ModelGuess, SasnetError, Suggestion, product_name
from ..wording import option
from .problem.contrast import contrast_of, names_settled_by
from .problem.free_parameters import SURROUNDINGS
from .request import OPTIONS, READING, FitRequest, text_of
from .result.components import bare
from .task import FitOptions, Method, Start

if TYPE_CHECKING:
    from .strategy.hypothesis import Hypothesis

_NEVER_SHARED = {(relation, name) for relation in ("share", "tie") for name in ALWAYS_OWN}

#: The end of a sentence that refuses a name to which none is near.
_GIVE = "give the name of a parameter as in sasmodels."


def several_of(names: Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def options_of(request: FitRequest) -> FitOptions:
    """Return what a fit works with: materials as scattering length densities, starting values of a model.
    Raises SasnetError for an unknown material, model or parameter.
    """
    models = None if request.models is None else several_of(request.models)
    fitted, ranges = several_of(request.fitted), dict(request.ranges or {})
    read = {name: getattr(request, name, None) for name in ("wavelength", *READING)}
    draws = {name: n for name in ("samples", "burn") if (n := getattr(request, name)) is not None}
    return FitOptions(
        top=request.top,
        models=models,
        structure_factor=request.structure_factor,
        sample_kind=request.sample_kind,
        fixed=dict(request.fixed or {}),
        ranges=ranges,
        fitted=fitted,
        temperature=None if request.temperature is None else float(request.temperature),
        contrast=contrast_of(request.sample, request.solvent, request.probe, request.wavelength),
        method=Method(request.method, **draws),
        start=_start_of(request, models, {*ranges, *fitted}),
        time_limit=request.time_limit,
        workers=request.workers,
        prior=request.prior,
        exclude=several_of(request.exclude),
        also={OPTIONS[name].spelling: text_of(value) for name, value in read.items() if value is not None},
    )


def _start_of(request: FitRequest, models: tuple[str, ...] | None, varied: Collection[str]) -> Start | None:
    """The starting values: of the one model named, or of their own model, which is fitted as well."""
    given: Mapping[str, Any] = request.start or {}
    if isinstance(values := given.get("values"), Mapping):
        start: Start | None = make_start(
            str(given.get("model")), given.get("structure_factor"), values, varied
        )
    else:
        start = start_of(models, request.structure_factor, given, varied)
    # The temperature of the sample is known, and with it the dielectric constant of water.
    return start if start is None or request.temperature is None else start.drop_fixed(SURROUNDINGS)


def select_named_hypotheses(options: FitOptions, suggestion: Suggestion) -> tuple[Hypothesis, ...]:
    """List the models the user names, with the structure factor and those of a start; a structure factor
    alone goes with the classifier's likeliest forms. `suggestion` covers named models, plugins included, or
    all.
    """
    # Here, as the command line checks names in a process that fits nothing.
    from .strategy.hypothesis import Hypothesis, make_hypothesis

    factor = _factor(options.structure_factor)
    hypotheses: list[Hypothesis] = []
    for guess in _select_guesses(options, suggestion):
        hypotheses.append(make_hypothesis((guess.name, factor)))
        if options.structure_factor is None and guess.structure_factor is not None:
            hypotheses.append(Hypothesis(guess.name, guess.structure_factor))
    if options.start is not None:
        hypotheses.append(make_hypothesis((options.start.model, options.start.structure_factor)))
    return tuple(dict.fromkeys(hypotheses))


def _select_guesses(options: FitOptions, suggestion: Suggestion) -> Sequence[ModelGuess]:
    """The network's guesses of the models that a user names, or that a structure factor is named for."""
    if options.models is not None:
        return suggestion.models
    return suggestion.models[: options.top] if options.structure_factor is not None else ()


def _factor(factor_name: str | None) -> str | None:
    return None if factor_name == "none" else factor_name


def start_of(
    models: Sequence[str] | None,
    structure_factor: str | None,
    values: Mapping[str, float | str],
    varied: Collection[str] = (),
) -> Start | None:
    """Return the user's starting values for the one model named; None if there are none. Raises SasnetError
    unless one model is named and has these parameters.
    """
    if not values:
        return None
    if models is None or len(models) != 1:
        raise SasnetError(
            f"Starting values ({option('start')}) need exactly one model; name it with {option('models')}."
        )
    return make_start(models[0], _factor(structure_factor), values, varied)


def make_start(
    model: str, factor: str | None, values: Mapping[str, float | str], varied: Collection[str] = ()
) -> Start:
    """Starting values of a model: sizes that are given a width have one in each fit, and what is not fitted
    stays where it is, unless the user gives its range or wants it fitted (`varied`). Raises SasnetError if
    the model has no such parameter.
    """
    from ..simulate.priors import model_info
    from .problem.free_parameters import EFFECTIVE_MODE, names_of

    info = model_info(product_name(model, factor))
    names = names_of(info)
    for name, value in values.items():
        if name not in names:
            raise SasnetError(f"{name}: {model} has no such parameter.")
        _check_value(name, value)
    numbers = {name: float(value) for name, value in values.items() if not isinstance(value, str)}
    widths = {name for name, value in numbers.items() if name.endswith("_pd") and value > 0}
    variable = {*list_usually_fitted(info), *varied}
    table = {p.name for p in info.parameters.call_parameters if p.type not in ("orientation", "magnetic")}
    calculated = {EFFECTIVE_MODE, *(["radius_effective"] if numbers.get(EFFECTIVE_MODE) else [])}
    fixed = {name: value for name, value in numbers.items() if name in table - variable - calculated}
    return Start(model, factor, dict(values), fixed, tuple(sorted(widths)))


def list_usually_fitted(info: Any) -> set[str]:
    """Parameters that a fit varies if nobody says more, size distributions and searched counts included."""
    from .problem.free_parameters import COUNTS, fittable

    slds = [p.name for p in info.parameters.call_parameters if p.type == "sld"]
    # The data show a contrast, so that the solvent stays; of one material the scale has all of it.
    conventional = {name for name in slds if "solvent" in name or len(slds) == 2}
    in_use = {name: 1.0 for p in info.parameters.call_parameters for name in (p.name, f"{p.name}_pd")}
    in_use |= {p.length_control: 100.0 for p in info.parameters.kernel_parameters if p.length_control}
    return {*fittable(info, in_use), *COUNTS} - conventional


def _check_value(name: str, value: float | str) -> None:
    """See that a kind of size distribution is one of sasmodels', and any other value a number."""
    from sasmodels.weights import DISTRIBUTIONS

    if name.endswith("_pd_type"):
        good, expectation = str(value) in DISTRIBUTIONS, f"one of {', '.join(DISTRIBUTIONS)}"
    else:
        good, expectation = not isinstance(value, str), "a number"
    if not good:
        raise SasnetError(f"{name}={value} is not a starting value; give {expectation}.")


def check_names(options: FitOptions) -> None:
    """Check that models, structure factor and parameters exist; else SasnetError offers the nearest names."""
    from ..simulate.priors import structure_factors

    if options.structure_factor not in (None, "none", *structure_factors()):
        raise SasnetError(
            f"{options.structure_factor}: no such structure factor; choose none,"
            f" {', '.join(structure_factors())}."
        )
    _check_selection(options)
    _check_contradictions(options)
    names = [*options.fixed, *options.ranges, *options.fitted]
    if not names:
        return
    known_names = _parameters([*_forms(options), *structure_factors()])
    for name in names:
        if name not in (*ORIENTATION, *known_names):
            near = nearest(name, known_names, _GIVE)
            raise SasnetError(f"{name}: none of these models has such a parameter; {near}")
    _check_fitted(options)


def _check_fitted(options: FitOptions) -> None:
    """Refuse to fit whole numbers and choices, which no slope leads along."""
    from ..simulate.priors import model_info, structure_factors
    from .problem.free_parameters import list_continuous

    if options.fitted:
        models = [*_forms(options), *structure_factors()]
        continuous = {name for model in models for name in list_continuous(model_info(model))}
        for name in set(options.fitted) - continuous:
            raise SasnetError(
                f"{name}: it is no continuous parameter, so that it cannot be chosen to be fitted; whole"
                " numbers are searched anyway."
            )


def _check_contradictions(options: FitOptions) -> None:
    """Refuse what is said of a parameter twice, and differently."""
    start = options.start.parameters if options.start else {}
    settled = names_settled_by(options.contrast) if options.contrast else set()
    for name in {*options.ranges, *options.fitted} & options.fixed.keys():
        raise SasnetError(f"{name}: its value is fixed, so that it cannot be fitted; leave out one of both.")
    for name in settled.intersection(options.fitted):
        raise SasnetError(f"{name}: sample or solvent give its value; leave them out to fit it.")
    named = {*options.ranges, *options.fitted, *options.fixed}
    if options.temperature is not None and "temperature" in {bare(name) for name in named}:
        raise SasnetError(f"temperature: {option('temperature')} gives its value; leave out one of both.")
    for name, value in start.items():
        if options.fixed.get(name, value) != value:
            raise SasnetError(
                f"{name}: it is fixed at {options.fixed[name]:g} but starts at {value:g};"
                " leave out one of both."
            )
        low, high = options.ranges.get(name, (-math.inf, math.inf))
        if not isinstance(value, str) and not low <= value <= high:
            raise SasnetError(
                f"{name}: it starts at {value:g}, outside its range {low:g} to {high:g}; change one of both."
            )


def _check_selection(options: FitOptions) -> None:
    if options.candidates is None and not options.exclude:
        return
    from .problem.plugin_models import split

    classifier = open_classifier()
    network_models, plugins = split(options.candidates, classifier.manifest.labels)
    if network_models or not plugins:
        classifier.selection(network_models, options.exclude or None)


def _forms(options: FitOptions) -> list[str]:
    """The models that a user names, plugins last; else all that the network knows."""
    from .problem.plugin_models import split

    labels = open_classifier().manifest.labels
    network_models, plugins = split(options.candidates, labels)
    return list(labels) if network_models is None else [*network_models, *plugins]


def check_shared(sample: Sample, options: FitOptions) -> None:
    """Raise SasnetError if what curves share, have of their own or tie cannot be, with what can."""
    from ..simulate.priors import structure_factors

    if len(sample.curves) > 1:
        _check_ranges(options)
        _check_fixed(sample, options)
    relations = _list_relations(sample)
    if not relations:
        return
    of_models = _parameters(_forms(options), excluded=("magnetic", "orientation"))
    known_names = {*of_models, *_parameters(structure_factors())}
    for relation, name in relations:
        if name not in known_names:
            can = (
                f"they have {', '.join(of_models)}." if options.models else nearest(name, known_names, _GIVE)
            )
            raise SasnetError(f"{relation} {name}: none of these models has such a parameter; {can}")
        if (relation, name) in _NEVER_SHARED:
            raise SasnetError(
                f"{relation} {name}: each curve has its own scale and background."
                f" {relation.title()} other parameters, and give known factors between curves in [scale]"
                " of the sample file."
            )
    _check_ties(sample, known_names)


def _check_ranges(options: FitOptions) -> None:
    for name in filter(options.ranges.__contains__, ALWAYS_OWN):
        raise SasnetError(
            f"{name}: a joint fit keeps no range of it, as it is solved for in each curve. Fix its value,"
            " or fit the curves one by one."
        )


def _check_fixed(sample: Sample, options: FitOptions) -> None:
    for name in filter(options.fixed.__contains__, ALWAYS_OWN):
        if sample.kind == SECTORS:
            raise SasnetError(f"{name}: sectors are fitted with a common {name}, which cannot be fixed.")
    if "scale" not in options.fixed:
        return
    if any(factor is not None for factor in sample.scale):
        raise SasnetError("scale: fix it, or give factors between curves in [scale], not both.")
    has_factor = options.structure_factor not in (None, "none")
    if sample.kind == CONCENTRATIONS and sample.told and not has_factor:
        raise SasnetError(
            "scale: it follows the concentration, so that one value cannot hold for all curves. Name a"
            " structure factor, where volfraction follows it instead, or fix other parameters."
        )


def _check_ties(sample: Sample, known_names: Collection[str]) -> None:
    for name, tie in sorted(sample.ties.items()):
        for needed in sorted(tie.names - set(known_names)):
            if not all(needed in values for values in sample.values):
                raise SasnetError(
                    f"{name} = {tie.text}: {needed} is not a parameter of these models, and some curves"
                    f" have no value of it; give it in [values.{needed}] of the sample file."
                )


def _list_relations(sample: Sample) -> list[tuple[str, str]]:
    """Which parameters a sample shares, has of each curve's own, or ties."""
    relations: dict[str, Iterable[str]] = {"share": sample.share, "own": sample.own, "tie": sample.ties}
    return [(relation, name) for relation, names in relations.items() for name in sorted(names)]


def _parameters(models: Iterable[str], excluded: Sequence[str] = ()) -> list[str]:
    """Names of parameters that any of these models has, without some of sasmodels' types; widths included."""
    from ..simulate.priors import model_info

    names = dict.fromkeys(ALWAYS_OWN)
    for name in models:
        for p in model_info(name).parameters.call_parameters:
            if p.type in excluded:
                continue
            names |= dict.fromkeys((p.name, f"{p.name}_pd") if p.polydisperse else (p.name,))
    return list(names)
