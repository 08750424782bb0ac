"""The options that ``sasnet fit``, ``batch`` and ``bumps`` share, and the one object that is made of them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping
from typing import Annotated

import typer

from ..batch.plan import Options
from ..fitting.task import METHODS, Contrast, FitOptions, Method, Start
from ..materials import PROBES
from ..predict.class_prior import COMMON
from ..types import SasnetError
from .arguments import (
    TOP,
    Entry,
    Exclude,
    Models,
    Prior,
    QRange,
    QUnit,
    Top,
    Wavelength,
    names_of,
    prior_given,
    replace_parameter,
    unit_of,
    wavelength_of,
    window_of,
)

Files = Annotated[list[str], typer.Argument(help="Data files, folders (with subfolders) or patterns.")]


def _collect_fit_options(
    top: Top = TOP,
    models: Models = None,
    exclude: Exclude = None,
    prior: Prior = COMMON,
    structure_factor: Annotated[
        str | None,
        typer.Option("--structure-factor", help="Fit only with this structure factor; 'none' for none."),
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option("--fixed", metavar="NAME=VALUE,…", help="Keep parameters fixed at values."),
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option("--ranges", metavar="NAME=LOW:HIGH,…", help="Fit parameters only within these ranges."),
    ] = None,
    fitted: Annotated[
        list[str] | None,
        typer.Option(
            "--fitted",
            metavar="NAME,…",
            help="Fit these parameters in each model that has them, such as sld_solvent,radius_pd.",
        ),
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option(
            "--start",
            metavar="NAME=VALUE,…",
            help="With one of --models: extra starting values. What is not fitted keeps its value.",
        ),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            "--sample",
            metavar="FORMULA@DENSITY",
            help="Material of the particles, such as SiO2@2.2 (g/cm³); fixes its scattering length density.",
        ),
    ] = None,
    solvent: Annotated[
        str | None,
        typer.Option("--solvent", metavar="NAME", help="Solvent: D2O, 40%D2O, toluene, or FORMULA@DENSITY."),
    ] = None,
    probe: Annotated[
        str, typer.Option("--probe", help="For --sample and --solvent: neutron or xray.")
    ] = "neutron",
    wavelength: Wavelength = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="Treat the best fit further: amoeba, de, or dream (credible intervals).",
        ),
    ] = "lm",
    samples: Annotated[
        int | None,
        typer.Option("--samples", min=1, max=10_000_000, help="Samples of dream.  [default: 10000]"),
    ] = None,
    burn: Annotated[
        int | None,
        typer.Option("--burn", min=0, help="Steps of dream's chains before the first draw.  [default: 100]"),
    ] = None,
    q_range: QRange = None,
    q_unit: QUnit = None,
    entry: Entry = None,
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit",
            min=1.0,
            help="Time limit per data set in seconds; extended by 60 s until the first fit finishes.",
        ),
    ] = 90.0,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Number of processes on this machine.")
    ] = 2,
) -> Options:
    """Read the shared options, or say what is wrong with them."""
    window, unit = window_of(q_range), unit_of(q_unit)
    kept, limits = values_of(fixed, "--fixed"), ranges_of(ranges, "--ranges")
    varied = tuple(names_of(fitted) or ())
    chosen = names_of(models)
    contrast = contrast_given(sample, solvent, probe, wavelength)
    then = method_given(method, samples, burn)
    export_names = None if chosen is None else tuple(chosen)
    fit = FitOptions(
        top,
        export_names,
        structure_factor,
        kept,
        limits,
        varied,
        contrast,
        then,
        time_limit=time_limit,
        workers=workers,
        prior=prior_given(prior),
        start=start_given(start, export_names, structure_factor, {*limits, *varied}),
        exclude=tuple(names_of(exclude) or ()),
        also=also_given(
            {"--wavelength": wavelength, "--q-range": q_range, "--q-unit": q_unit, "--entry": entry}
        ),
    )
    return Options(fit, window, unit, entry, wavelength_of(wavelength))


def add_fit_options(
    *, time_limit: float, methods: bool = False, time_help: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the shared options in place of its parameter ``options``."""
    # `time_limit` is the default in s, `time_help` replaces its help; `methods` adds ``--method``,
    # ``--samples`` and ``--burn``.
    left_out = () if methods else ("method", "samples", "burn")
    shared = {
        name: p
        for name, p in inspect.signature(_collect_fit_options, eval_str=True).parameters.items()
        if name not in left_out
    }
    limit = shared["time_limit"].replace(default=time_limit)
    if time_help is not None:
        option = typer.Option("--time-limit", min=1.0, help=time_help)
        limit = limit.replace(annotation=Annotated[float, option])
    shared["time_limit"] = limit

    return replace_parameter("options", _collect_fit_options, shared)


def also_given(options: Mapping[str, object]) -> dict[str, str]:
    """Collect options that do not influence the fit, for the next command; None, False and empty lists are
    dropped, lists become repeated options.
    """
    texts = {}
    for name, value in options.items():
        if value in (None, False, []):
            continue
        texts[name] = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    return texts


def values_of(texts: list[str] | None, option: str) -> dict[str, float]:
    """``name=number`` pairs, or wrong usage."""
    values = {}
    for part in names_of(texts) or ():
        name, _, text = part.partition("=")
        number = _number(text)
        if not name.strip() or not math.isfinite(number):
            raise typer.BadParameter(f"{part!r} is not name=number, such as sld=4.0.", param_hint=option)
        values[name.strip()] = number
    return values


def start_given(
    texts: list[str] | None,
    models: tuple[str, ...] | None,
    structure_factor: str | None,
    varied: Collection[str] = (),
) -> Start | None:
    """Values to begin with, or wrong usage."""
    from ..fitting.asked import start_of

    pairs = dict(part.partition("=")[::2] for part in names_of(texts) or ())
    kinds = {name: kind for name, kind in pairs.items() if name.endswith("_pd_type")}
    numbers = values_of([f"{n}={value}" for n, value in pairs.items() if n not in kinds], "--start")
    try:
        return start_of(models, structure_factor, {**numbers, **kinds}, varied)
    except SasnetError as error:
        raise typer.BadParameter(str(error), param_hint="--start") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def ranges_of(texts: list[str] | None, option: str) -> dict[str, tuple[float, float]]:
    """``name=low:high`` pairs, or wrong usage."""
    ranges = {}
    for part in names_of(texts) or ():
        name, _, text = part.partition("=")
        low, _, high = text.partition(":")
        pair = _number(low), _number(high)
        if not name.strip() or not pair[0] < pair[1]:
            raise typer.BadParameter(
                f"{part!r} is not name=low:high with the smaller number first, such as radius=10:200.",
                param_hint=option,
            )
        ranges[name.strip()] = pair
    return ranges


def contrast_given(
    sample: str | None, solvent: str | None, probe: str, wavelength: float | None
) -> Contrast | None:
    """Scattering length densities of sample and solvent, or wrong usage; None where neither is given."""
    from ..fitting.problem.contrast import contrast_of

    if probe not in PROBES:
        raise typer.BadParameter(
            f"{probe!r} is not a probe; use {' or '.join(PROBES)}.", param_hint="--probe"
        )
    try:
        return contrast_of(sample, solvent, probe, wavelength)
    except SasnetError as error:
        raise typer.BadParameter(str(error), param_hint="--sample / --solvent") from None


def method_given(name: str, samples: int | None, burn: int | None) -> Method:
    """How the best fit is treated further, or wrong usage."""
    if name not in METHODS:
        raise typer.BadParameter(
            f"{name!r} is not a method; use {', '.join(METHODS)}.", param_hint="--method"
        )
    counts = {option: n for option, n in (("samples", samples), ("burn", burn)) if n is not None}
    if counts and name != "dream":
        raise typer.BadParameter("these options need --method dream.", param_hint="--samples / --burn")
    return Method(name, **counts)
