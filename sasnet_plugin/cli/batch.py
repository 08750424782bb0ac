"""``sasnet batch FILES… --out RESULTS.h5``: fit thousands of files, overnight, come what may."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..batch.plan import TIME_LIMIT, Options
from ..types import SasnetError
from .arguments import Force, Quiet, Scheduler, Table
from .files import expand
from .fit_options import Files, with_fit_options
from .progress import shown
from .together import Given, Kind, Own, SampleFile, Share, Tie, TogetherBy

if TYPE_CHECKING:
    from ..batch.journal import Journal
    from ..batch.plan import Shard
    from ..batch.run import Answers, Progress
    from ..batch.samples import Grouped

#: Files without an answer that are named at the end; the table has them all.
NAMED = 10


@with_fit_options(time_limit=TIME_LIMIT)
def batch(
    out: Annotated[
        Path, typer.Option("--out", help="File of the results (HDF5); a CSV of the same name lies beside it.")
    ],
    options: Options,
    files: Files = [],  # noqa: B006  typer copies it
    scheduler: Scheduler = None,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard", metavar="I/N", help="For a job array: only the I-th of N parts of the files."
        ),
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Fit nothing; put together what shards have so far.")
    ] = False,
    series: Annotated[
        bool,
        typer.Option(
            "--series", help="The files are frames: fit them in order, each from the answer before it too."
        ),
    ] = False,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="FIELD", help="Draw a series against this field of the files."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", "--figure", help="Figure of a series, SVG or PNG; default: beside it."),
    ] = None,
    together_by: TogetherBy = None,
    sample_file: SampleFile = None,
    kind: Kind = None,
    share: Share = None,
    own: Own = None,
    tie: Tie = None,
    table: Table = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Fit many files; the same command again does only what is missing, failed or changed.

    Exit code 0: every file has its answer; 1: some have not, and their rows say why; 2: wrong usage.
    """
    if out.suffix.lower() not in (".h5", ".hdf5"):
        raise typer.BadParameter(f"{out}: end the name in .h5.", param_hint="--out")
    part = _shard(shard)
    of_sample = Given(sample_file, kind, share, own, tie)
    of_sample.check(together_by is not None, "--together-by")
    other = scheduler or shard or together_by or ("--merge" if merge else None)
    drawn = _series_usage(series, against, plot, out, other)
    models = options.fit.models
    if models is not None:  # a worker elsewhere has another working directory
        models = tuple(os.path.abspath(name) if name.endswith(".py") else name for name in models)
        options = replace(options, fit=replace(options.fit, models=models))

    from ..batch.plan import absolute, shard_journals
    from ..batch.results import FIRST_COLUMNS
    from ..files import check_output, put_whole

    if merge == bool(files):
        raise typer.BadParameter("name the files to fit; only --merge goes without.", param_hint="FILES")

    found = [] if merge else list(expand(files))
    complaints = [str(each) for each in found if isinstance(each, SasnetError)]
    for sentence in complaints:
        typer.echo(sentence, err=True)
    paths = list(absolute((each for each in found if isinstance(each, str)), out))
    if complaints and not paths:
        raise typer.Exit(1)
    if together_by is not None:
        options = replace(options, described=of_sample.described())
    asked = _asked(paths, together_by, options)
    if part is not None:
        asked, out = replace(asked, names=[name for name in asked.names if part.holds(name)]), part.out(out)
    if not merge:
        from ..fitting.api import check_names

        check_names(options.fit)
    others = [] if part else shard_journals(out)
    if merge and not others:
        raise SasnetError(f"{out}: no shards lie beside it; give the name that --out had in the job array.")
    if drawn is not None:
        check_output(drawn, force=force)
    if table is not None:
        check_output(table, force=force, mark=FIRST_COLUMNS)
    with _opened(out, others, force) as journal:
        failed = _work(journal, out, asked, options, scheduler, drawn, against, quiet)
    if table is not None:
        put_whole(table, out.with_suffix(".csv").read_bytes(), "table")
    if failed or complaints:
        raise typer.Exit(1)


def _asked(paths: list[str], pattern: str | None, options: Options) -> Grouped:
    """Files that stand alone and samples; what is said of samples names files that there are."""
    from ..batch.samples import grouped

    said = options.described
    unknown = said.naming_nothing(paths) if said is not None and paths else []
    if said is not None and unknown:
        raise SasnetError(
            f"{said.source}: {unknown[0]} is none of the {len(paths)} files; name them, or write a pattern"
            " such as '*_d2o.dat'."
        )
    return grouped(paths, pattern)


def _work(
    journal: Journal,
    out: Path,
    asked: Grouped,
    options: Options,
    scheduler: str | None,
    drawn: Path | None,
    against: str | None,
    quiet: bool,
) -> int:
    """Answer what needs an answer, and say how it went; how many of the files have none."""
    from ..batch import run
    from ..batch.journal import natural
    from ..batch.plan import missing, remarks
    from ..batch.samples import stamp_of

    paths, samples = asked.names, asked.files
    if drawn is not None:
        paths = sorted(paths, key=natural)
    limit, workers = options.fit.time_limit, options.fit.workers
    todo = missing(paths, journal, options, limit, lambda path: stamp_of(path, samples.get(path, ())))
    if paths and not quiet:
        there = f"; {len(paths) - len(todo)} answered before" if len(todo) < len(paths) else ""
        what = f"files and samples (of {_spread(samples)})" if samples else "files"
        typer.echo(f"{out}: {len(todo)} of {len(paths)} {what} to fit{there}.", err=True)
    for sentence in remarks(journal, set(paths) - set(todo)):
        typer.echo(sentence, err=True)
    if todo:
        journal.name_options(options.digest, options.as_dict())
        if drawn is not None:
            answers = run.series(paths, todo, journal, options, limit)
        elif scheduler is not None:
            answers = run.on_cluster(scheduler, todo, options, limit, samples)
        else:
            answers = run.local(todo, options, limit, workers, samples)
        with shown(len(todo), quiet) as step, _term_as_interrupt():
            _keep(answers, journal, out, len(todo), step)
    rows, without = run.publish(journal, out)
    typer.echo(
        f"{out}: {rows} data sets, {without} without an answer; table in {out.with_suffix('.csv').name}."
    )
    if drawn is not None:
        _draw(journal, paths, drawn, against)
    failed = [os.path.basename(path) for path in paths if journal.places[path].failed]
    if failed:
        more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        typer.echo(f"Without an answer: {', '.join(failed[:NAMED])}{more}.", err=True)
    return len(failed)


def _spread(samples: Mapping[str, tuple[str, ...]]) -> str:
    """How many files the samples have."""
    sizes = sorted({len(files) for files in samples.values()})
    return f"{sizes[0]} files each" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]} files each"


def _keep(
    answers: Answers, journal: Journal, out: Path, total: int, step: Callable[[Progress], None]
) -> None:
    """Run; when stopped, leave results that are as good as they can be, and say how to go on."""
    from ..batch import run

    done = 0

    def count(state: Progress) -> None:
        nonlocal done
        done = state.done
        step(state)

    try:
        with closing(answers):
            run.keep(answers, journal, out, total, count)
    except KeyboardInterrupt:
        journal.catch_up()
        run.publish(journal, out)
        typer.echo(
            f"sasnet: stopped; {done} of {total} files were finished and are kept,"
            " and the same command goes on from there.",
            err=True,
        )
        raise typer.Exit(130) from None
    except SasnetError:
        with suppress(SasnetError):
            run.publish(journal, out)
        raise


@contextmanager
def _opened(out: Path, others: Sequence[Path], force: bool) -> Iterator[Journal]:
    """The journal beside the results, after a look at what would be overwritten."""
    from ..batch.journal import Journal, journal_of
    from ..batch.results import check_ours
    from ..files import remove_leftovers

    check_ours(out, force=force)
    with Journal(journal_of(out)) as journal:
        for other in others:
            journal.take_over(other)
        for name in (out.name, out.with_suffix(".csv").name):
            remove_leftovers(out.absolute().parent, name)
        yield journal


@contextmanager
def _term_as_interrupt() -> Iterator[None]:
    """A job scheduler ends what ran out of time by SIGTERM, some seconds before it kills."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _shard(given: str | None) -> Shard | None:
    from ..batch.plan import Shard

    if given is None:
        return None
    number, slash, count = given.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise typer.BadParameter(
            f"{given!r} is not I/N with I from 1 to N, such as 3/8.", param_hint="--shard"
        )
    return Shard(int(number), int(count))


def _series_usage(
    series: bool, against: str | None, figure: Path | None, out: Path, other: str | None
) -> Path | None:
    """Where the figure of a series goes; None without one."""
    if not series:
        if against is not None or figure is not None:
            raise typer.BadParameter("is for a series; add --series.", param_hint="--against / --plot")
        return None
    if other is not None:
        raise typer.BadParameter(
            "goes frame after frame on this machine; leave --scheduler, --shard, --together-by and --merge"
            " out.",
            param_hint="--series",
        )
    path = figure or out.with_suffix(".svg")
    if path.suffix.lower() not in (".svg", ".png"):
        raise typer.BadParameter(f"{path}: end the name in .svg or .png.", param_hint="--plot")
    return path


def _draw(journal: Journal, paths: list[str], path: Path, against: str | None) -> None:
    """Say where the model changes along a series, and draw it."""
    import math

    from ..batch import series
    from ..batch.series import field_of

    at = [float(k) for k in range(1, len(paths) + 1)]
    if against is not None:
        at = [field_of(each, against) for each in paths]
        without = [each for each, value in zip(paths, at, strict=True) if math.isnan(value)]
        if len(without) == len(paths):
            typer.echo(
                f"{paths[0]}: no file has a field {against}; drawn against the frame instead.", err=True
            )
            at, against = [float(k) for k in range(1, len(paths) + 1)], None
        elif without:
            typer.echo(
                f"{without[0]}: has no field {against}; {len(without)} such frames are not drawn.", err=True
            )
    found = series.frames(journal.records(paths), at)
    for sentence in series.changes(found):
        typer.echo(sentence)
    series.draw(found, path, against or "frame")
    typer.echo(f"Written: {path}")
