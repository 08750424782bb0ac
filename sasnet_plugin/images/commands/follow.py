"""``sasnet follow`` of images: their numbers against time, or frames of one sample added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from ...cli.following.curves import asked_where
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


def follow_images(quantities: Sequence[Parameter], *given: Any) -> None:
    """Follow these numbers of a series (`Images`); exit code 1 where a frame has no answer."""
    from ...batch import recognise as recognised
    from ...files import check_figure, check_output
    from ...predict import open_predictor
    from .. import series as series

    asked = Images(*given)
    found = asked.domain
    head = recognised.HEAD if found.added else series.HEAD
    check_output(asked.out, force=asked.force, mark=",".join(head))
    if asked.plot is not None:
        check_figure(asked.plot, force=asked.force)
    _check_kind(asked, quantities)
    if found.added:
        if asked.scheduler is not None:
            raise SasnetError(
                f"{found.name}: frames of one sample are added in order, so a cluster is not faster; do"
                f" not give --scheduler."
            )
        earlier = [one for _, one in _measurements(asked, asked.before)]
        for one in earlier:
            if isinstance(one, Exception):
                raise one
        _recognise(asked, earlier)
        return
    with asked_where(asked.scheduler, found.name, open_predictor(found.name)) as there:
        frames = series.follow(
            _measurements(asked, asked.files),
            there.outcomes,
            [quantity.name for quantity in quantities],
            interval=asked.interval or 1.0,
        )
        number, failures = series.write(frames, asked.out, quantities)
    _say(asked.out, number, failures, "without an answer")
    if asked.plot is not None:
        _draw(asked.plot, asked.out, quantities, "time / s" if asked.interval else "frame")
    if failures:
        raise typer.Exit(1)


def _check_kind(asked: Images, quantities: Sequence[Parameter]) -> None:
    found = asked.domain
    if asked.next_settings and not found.settings:
        raise SasnetError(f"{found.name}: --next is only for SANS images; do not give it.")
    if asked.before and not found.together:
        raise SasnetError(f"{found.name}: --before is only for SANS images; do not give it.")
    if not quantities:
        raise SasnetError(
            f"{found.name}: gives no numbers to follow; use 'sasnet batch --series' for curves."
        )


def _say(out: Path, frames: int, failures: int, what: str) -> None:
    typer.echo(f"{out}: {frames} frames" + (f", {failures} of them {what}." if failures else "."))


def _measurements(asked: Images, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    from ...cli.files import expand

    for argument in expand(list(names)):
        # A file of settings is the geometry of its neighbours.
        if not (isinstance(argument, str) and argument.endswith(".toml")):
            yield from _frames_of(argument, asked)


def _frames_of(argument: Any, asked: Images) -> Iterator[tuple[str, Any]]:
    from ...cli.files import curves_of
    from ...data.failure import sentence_of

    bad: list[SasnetError] = []
    options = ReadOptions(geometry=tuple(asked.geometry), failed=bad.append)

    def read(path: str) -> Iterable[Any]:
        return asked.domain.read(path, options)

    for path, one in curves_of(argument, read, None):
        # Frames that could not be read before this one.
        yield from ((path, sentence) for sentence in bad)
        bad.clear()
        yield path, SasnetError(sentence_of(path, one)) if isinstance(one, Exception) else one
    yield from ((str(argument), sentence) for sentence in bad)


def _recognise(asked: Images, earlier: Sequence[Any]) -> None:
    """Frames of one sample, added up, beside its images in other settings; and what would tell most next."""
    from ...batch import recognise as recognised
    from ...predict import open_predictor

    # As `follow_images` has seen: such a kind of measurement has frames that add up, and settings.
    domain = asked.domain
    together, advised = domain.together, domain.settings
    assert domain.added is not None
    assert together is not None
    assert advised is not None
    predictor = open_predictor(domain.name)
    kept: list[Any] = []

    def answers(measurements: Sequence[Any]) -> Sequence[Any]:
        kept[:] = [together([*earlier, one]) for one in measurements] if earlier else measurements
        return predictor.outcomes(kept)

    labels = predictor.manifest.labels
    frames = _measurements(asked, asked.files)
    looks = recognised.write(recognised.recognise(frames, domain.added, answers), asked.out, labels)
    failures = sum(bool(look.note) for look in looks)
    _say(asked.out, len(looks), failures, "not used")
    typer.echo(recognised.in_words(looks))
    if asked.plot is not None:
        _draw_counts(asked.plot, looks, labels)
    if asked.next_settings and kept:
        for sentence in advised(kept, asked.next_settings, predictor):
            typer.echo(sentence)
    if failures:
        raise typer.Exit(1)


def _draw_counts(plot: str, looks: Sequence[Any], labels: Sequence[str]) -> None:
    from ...report.canvas import save
    from ..report.trends import against_counts

    known = [look for look in looks if look.classes]
    if not known:
        raise SasnetError(f"{plot}: no frame has an answer, so there is nothing to draw.")
    settled = next((look.counts for look in known if look.settled), None)
    classes = {name: [look.classes[name] for look in known] for name in labels}
    save(against_counts([look.counts for look in known], classes, settled), plot, (5.5, 3.4))


def _draw(plot: str, out: Path, quantities: Any, against: str) -> None:
    from ...report.canvas import save
    from ..report.trends import trends, trends_size
    from ..series import read_back

    table = read_back(out, quantities)
    if not table.columns:
        raise SasnetError(f"{plot}: no frame has an answer, so there is nothing to draw.")
    units = {quantity.name: quantity.unit for quantity in quantities}
    save(trends(table.time, table.columns, units, against=against), plot, trends_size(len(table.columns)))
