"""``sasnet follow`` of images: their numbers against time, or frames of one sample added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from ...cli.following.curves import choose_predictor
from ...domains import Domain, ReadOptions
from ...domains.heads import Parameter
from ...types import SasnetError


@dataclass(frozen=True)
class Images:
    """What is asked of a series of images."""

    files: Sequence[str]  #: Files, folders and patterns.
    out: Path
    domain: Domain
    geometry: Sequence[str] = ()  #: What headers lack.
    plot: str | None = None  #: Figure of the numbers against time.
    interval: float | None = None  #: Seconds between two frames; None counts them.
    next_settings: Sequence[str] = ()  #: SANS: settings that could be measured next.
    before: Sequence[str] = ()  #: Images of the sample in other settings.
    force: bool = False
    scheduler: str | None = None  #: Of a Dask cluster whose workers ask the network.


def follow_images(quantities: Sequence[Parameter], *arguments: Any) -> None:
    """Follow these numbers of a series (`Images`); exit code 1 where a frame has no answer."""
    from ...batch import recognise as recognised
    from ...files import check_figure, check_output
    from ...predict import open_predictor
    from .. import series as series

    options = Images(*arguments)
    domain = options.domain
    head = recognised.HEAD if domain.added else series.HEAD
    check_output(options.out, force=options.force, mark=",".join(head))
    if options.plot is not None:
        check_figure(options.plot, force=options.force)
    _check_kind(options, quantities)
    if domain.added:
        if options.scheduler is not None:
            raise SasnetError(
                f"{domain.name}: frames of one sample are added in order, so a cluster is not faster; do"
                f" not give --scheduler."
            )
        earlier = [measurement for _, measurement in _measurements(options, options.before)]
        for measurement in earlier:
            if isinstance(measurement, Exception):
                raise measurement
        _recognise(options, earlier)
        return
    with choose_predictor(options.scheduler, domain.name, open_predictor(domain.name)) as predictor:
        frames = series.follow(
            _measurements(options, options.files),
            predictor.outcomes,
            [quantity.name for quantity in quantities],
            interval=options.interval or 1.0,
        )
        number, failures = series.write(frames, options.out, quantities)
    _say(options.out, number, failures, "without an answer")
    if options.plot is not None:
        _draw(options.plot, options.out, quantities, "time / s" if options.interval else "frame")
    if failures:
        raise typer.Exit(1)


def _check_kind(options: Images, quantities: Sequence[Parameter]) -> None:
    domain = options.domain
    if options.next_settings and not domain.settings:
        raise SasnetError(f"{domain.name}: --next is only for SANS images; do not give it.")
    if options.before and not domain.together:
        raise SasnetError(f"{domain.name}: --before is only for SANS images; do not give it.")
    if not quantities:
        raise SasnetError(
            f"{domain.name}: gives no numbers to follow; use 'sasnet batch --series' for curves."
        )


def _say(out: Path, frames: int, failures: int, label: str) -> None:
    typer.echo(f"{out}: {frames} frames" + (f", {failures} of them {label}." if failures else "."))


def _measurements(options: Images, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    from ...cli.files import expand

    for argument in expand(list(names)):
        # A file of settings is the geometry of its neighbours.
        if not (isinstance(argument, str) and argument.endswith(".toml")):
            yield from _frames_of(argument, options)


def _frames_of(argument: Any, request: Images) -> Iterator[tuple[str, Any]]:
    from ...cli.files import curves_of
    from ...data.failure import sentence_of

    bad: list[SasnetError] = []
    options = ReadOptions(geometry=tuple(request.geometry), failed=bad.append)

    def read(path: str) -> Iterable[Any]:
        return request.domain.read(path, options)

    for path, outcome in curves_of(argument, read, None):
        # Frames that could not be read before this one.
        yield from ((path, sentence) for sentence in bad)
        bad.clear()
        yield path, SasnetError(sentence_of(path, outcome)) if isinstance(outcome, Exception) else outcome
    yield from ((str(argument), sentence) for sentence in bad)


def _recognise(options: Images, earlier: Sequence[Any]) -> None:
    """Frames of one sample, added up, beside its images in other settings; and what would tell most next."""
    from ...batch import recognise as recognised
    from ...predict import open_predictor

    # As `follow_images` has seen: such a kind of measurement has frames that add up, and settings.
    domain = options.domain
    together, advised = domain.together, domain.settings
    assert domain.added is not None
    assert together is not None
    assert advised is not None
    predictor = open_predictor(domain.name)
    totals: list[Any] = []

    def answers(measurements: Sequence[Any]) -> Sequence[Any]:
        totals[:] = (
            [together([*earlier, measurement]) for measurement in measurements] if earlier else measurements
        )
        return predictor.outcomes(totals)

    labels = predictor.manifest.labels
    frames = _measurements(options, options.files)
    looks = recognised.write(recognised.recognise(frames, domain.added, answers), options.out, labels)
    failures = sum(bool(look.note) for look in looks)
    _say(options.out, len(looks), failures, "not used")
    typer.echo(recognised.describe_recognition(looks))
    if options.plot is not None:
        _draw_counts(options.plot, looks, labels)
    if options.next_settings and totals:
        for sentence in advised(totals, options.next_settings, predictor):
            typer.echo(sentence)
    if failures:
        raise typer.Exit(1)


def _draw_counts(plot: str, looks: Sequence[Any], labels: Sequence[str]) -> None:
    from ...report.canvas import save
    from ..report.trends import draw_against_counts

    answered_looks = [look for look in looks if look.classes]
    if not answered_looks:
        raise SasnetError(f"{plot}: no frame has an answer, so there is nothing to draw.")
    settled = next((look.counts for look in answered_looks if look.settled), None)
    classes = {name: [look.classes[name] for look in answered_looks] for name in labels}
    save(draw_against_counts([look.counts for look in answered_looks], classes, settled), plot, (5.5, 3.4))


def _draw(plot: str, out: Path, quantities: Any, against: str) -> None:
    from ...report.canvas import save
    from ..report.trends import trends, trends_size
    from ..series import read_back

    table = read_back(out, quantities)
    if not table.columns:
        raise SasnetError(f"{plot}: no frame has an answer, so there is nothing to draw.")
    units = {quantity.name: quantity.unit for quantity in quantities}
    save(trends(table.time, table.columns, units, against=against), plot, trends_size(len(table.columns)))
