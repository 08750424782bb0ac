"""``sasnet batch FILES… --out RESULTS.h5``: fit thousands of files, overnight, come what may."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from ..batch.journal import Journal, journal_of, natural
from ..batch.plan import (
    TIME_LIMIT,
    Grouped,
    Options,
    Shard,
    absolute,
    group_files,
    missing,
    remarks,
    shard_journals,
    stamp_of,
)
from ..data.sample.described import Described
from ..files import check_figure, check_folder, check_output, check_place, remove_leftovers
from ..types import SasnetError
from .arguments import NO_SAMPLE, Force, Given, Quiet, Scheduler, Table, TogetherBy, add_sample_options
from .files import expand
from .fit_options import Files, add_fit_options
from .progress import show_progress, term_as_interrupt

if TYPE_CHECKING:
    from ..batch.run import Answers, Progress

#: Files without an answer that are named at the end; the table has them all.
NAMED = 10


@add_fit_options(time_limit=TIME_LIMIT)
@add_sample_options("sectors", "field", "spins", "polarisation")
def batch(
    out: Annotated[
        Path,
        typer.Option("--out", help="HDF5 file of the results; a CSV file of the same name is written too."),
    ],
    options: Options,
    files: Files = [],  # noqa: B006  typer copies it
    scheduler: Scheduler = None,
    shard: Annotated[
        str | None,
        typer.Option("--shard", metavar="I/N", help="Job array: only the I-th of N parts of the files."),
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Fit nothing; join the results of all shards.")
    ] = False,
    series: Annotated[
        bool,
        typer.Option(
            "--series",
            help="The files are frames of a series: fit them in order, each also from the previous answer.",
        ),
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="FIELD",
            help="Draw a series against this field of the files, such as temperature.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Figure of a series, SVG or PNG; default: next to the results."),
    ] = None,
    together_by: TogetherBy = None,
    of_sample: Given = NO_SAMPLE,
    table: Table = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            help="Folder for each curve with its fits: NXcanSAS, one HDF5 file of all, sasCIF, SASBDB.",
        ),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Fit many files, one row each; the same command again does only what is missing, failed or changed.

    The seconds of the time limit are calculated from the model evaluations, so a busy machine gives the same
    answer. The clock ends a fit after ten times the limit.

    Exit code 0: every file has an answer; 1: some have not, and their rows say why; 2: wrong usage.
    """
    if out.suffix.lower() not in (".h5", ".hdf5"):
        raise typer.BadParameter(f"{out}: end the name in .h5.", param_hint="--out")
    part = _shard(shard)
    _check_export(export, part)
    of_sample.check(together_by is not None, "--together-by")
    drawn_figure = _figure(series, against, plot, out, any((scheduler, shard, together_by, merge)))
    options = _absolute_models(options)
    if merge == bool(files):
        raise typer.BadParameter("name the files to fit; only --merge needs none.", param_hint="FILES")

    from ..files import put_whole

    paths, complaints = _paths(files, out, table, drawn_figure, of_sample.sample_file)
    if together_by is not None:
        options = replace(options, described=of_sample.describe_sample())
    grouped = _select_files(paths, together_by, options.described, part)
    if part is not None:
        out = part.make_output_path(out)
    if not merge:
        from ..fitting.asked import check_names

        check_names(options.fit)
    shard_paths = [] if part else _shards(out, needed=merge)
    _check_free(drawn_figure, table, force)
    with _open_journal(out, shard_paths, force) as journal:
        figure = None if drawn_figure is None else (drawn_figure, against)
        failed = _work(journal, out, grouped, options, scheduler, figure, quiet)
        complaints += _export(journal, export, force)
    if table is not None:
        put_whole(table, out.with_suffix(".csv").read_bytes(), "table")
    if failed or complaints:
        raise typer.Exit(1)


def _check_export(folder: Path | None, part: Shard | None) -> None:
    if part is not None and folder is not None:
        raise typer.BadParameter("is for --merge, after all shards have finished.", param_hint="--export")
    if folder is not None:
        check_folder(folder)


def _export(journal: Journal, folder: Path | None, force: bool) -> int:
    """Write what others read, and say what could not be; how many data sets that were."""
    from ..batch.deposit import export

    if folder is None:
        return 0
    count = export(journal, folder, force=force)
    for sentence in (*count.complaints, *count.remarks):
        typer.echo(sentence, err=True)
    typer.echo(f"{folder}: {count.written} data sets exported, {count.kept} unchanged.")
    return len(count.complaints)


def _absolute_models(options: Options) -> Options:
    """Plugin files by their whole path: a worker elsewhere has another working directory."""
    if options.fit.models is None:
        return options
    models = tuple(os.path.abspath(name) if name.endswith(".py") else name for name in options.fit.models)
    return replace(options, fit=replace(options.fit, models=models))


def _shards(out: Path, *, needed: bool) -> list[Path]:
    journals = list(shard_journals(out))
    if needed and not journals:
        raise SasnetError(f"{out}: its folder contains no shards; give the same --out as in the job array.")
    return journals


def _paths(files: Sequence[str], out: Path, *own_paths: Path | None) -> tuple[list[str], int]:
    """The files to fit, and how many arguments stood for none, which is said; `own_paths` are no data."""
    found_paths: list[str] = []
    complaints = 0
    for path in expand(files):
        if isinstance(path, str):
            found_paths.append(path)
        else:
            complaints += 1
            typer.echo(str(path), err=True)
    paths = list(absolute(found_paths, out, *own_paths))
    if complaints and not paths:
        raise typer.Exit(1)
    return paths, complaints


def _select_files(
    paths: list[str], pattern: str | None, described: Described | None, part: Shard | None
) -> Grouped:
    """Split files into single ones and samples; SasnetError if a named file is missing."""
    unknown = described.naming_nothing(paths) if described is not None and paths else []
    if described is not None and unknown:
        raise SasnetError(
            f"{described.source}: {unknown[0]} is not one of the {len(paths)} files; give it as an argument,"
            " or write a pattern such as '*_d2o.dat'."
        )
    files = group_files(paths, pattern)
    return files if part is None else replace(files, names=list(filter(part.holds, files.names)))


def _check_free(figure: Path | None, table: Path | None, force: bool) -> None:
    from ..batch.results import FIRST_COLUMNS

    if figure is not None:
        check_figure(figure, force=force)
    if table is not None:
        check_place(table)
        check_output(table, force=force, mark=FIRST_COLUMNS)


def _work(
    journal: Journal,
    out: Path,
    grouped: Grouped,
    options: Options,
    scheduler: str | None,
    figure: tuple[Path, str | None] | None,
    quiet: bool,
) -> int:
    """Answer what needs an answer, report, and return how many files have none."""
    # `figure` is (path, field to draw against) of a series.
    from ..batch import run

    paths, samples = grouped.names, grouped.files
    if figure is not None:
        paths = sorted(paths, key=natural)
    limit = options.fit.time_limit
    todo = missing(paths, journal, options, limit, lambda path: stamp_of(path, samples.get(path, ())))
    if paths and not quiet:
        typer.echo(f"{out}: {_to_fit(len(todo), grouped)}.", err=True)
    for sentence in remarks(journal, set(paths) - set(todo)):
        typer.echo(sentence, err=True)
    if todo:
        journal.name_options(options.digest, options.as_dict())
        answers = _answers(journal, paths if figure else None, todo, options, scheduler, samples)
        with show_progress(len(todo), quiet) as step, term_as_interrupt():
            _keep(answers, journal, out, len(todo), step)
    rows, unanswered = run.publish(journal, out)
    typer.echo(
        f"{out}: {rows} data set{'' if rows == 1 else 's'}, {unanswered} without an answer;"
        f" table in {out.with_suffix('.csv').name}."
    )
    if figure is not None:
        _draw(journal, paths, *figure)
    return _say_failed(journal, [path for path in paths if journal.places[path].failed])


def _answers(
    journal: Journal,
    frames: list[str] | None,
    todo: list[str],
    options: Options,
    scheduler: str | None,
    samples: Mapping[str, tuple[str, ...]],
) -> Answers:
    """Answers as they come: of a series frame after frame, of a cluster, or of this machine's processes."""
    from ..batch import run

    limit = options.fit.time_limit
    if frames is not None:
        return run.series(frames, todo, journal, options, limit)
    if scheduler is not None:
        return run.answer_on_cluster(scheduler, todo, options, limit, samples)
    return run.local(todo, options, limit, options.fit.workers, samples)


def _say_failed(journal: Journal, paths: list[str]) -> int:
    """Name the files without an answer, and the reason of each."""
    names = list(map(os.path.basename, paths[:NAMED]))
    if names:
        suffix = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
        typer.echo(f"Without an answer: {', '.join(names)}{suffix}.", err=True)
    for record in journal.records(paths[:NAMED]):
        typer.echo(next(row["error"] for row in record["rows"] if row["error"]), err=True)
    return len(paths)


def _to_fit(todo: int, grouped: Grouped) -> str:
    count = len(grouped.names)
    label = f"files and samples (of {_spread(grouped.files)})" if grouped.files else "files"
    suffix = f"; {count - todo} answered before" if todo < count else ""
    return f"{todo} of {count} {label} to fit{suffix}"


def _spread(samples: Mapping[str, tuple[str, ...]]) -> str:
    sizes = sorted({len(files) for files in samples.values()})
    return f"{sizes[0]} files each" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]} files each"


def _keep(
    answers: Answers, journal: Journal, out: Path, total: int, step: Callable[[Progress], None]
) -> None:
    """Run; when stopped, leave results that are as good as they can be, and say how to go on."""
    from ..batch import run

    done_count = 0

    def count(state: Progress) -> None:
        nonlocal done_count
        done_count = state.done
        step(state)

    try:
        with closing(answers):
            run.keep(answers, journal, out, total, count)
    except KeyboardInterrupt:
        journal.catch_up()
        run.publish(journal, out)
        typer.echo(
            f"sasnet: stopped; {done_count} of {total} files were finished and are kept; the same command"
            f" continues from there.",
            err=True,
        )
        raise typer.Exit(130) from None
    except SasnetError:
        with suppress(SasnetError):
            run.publish(journal, out)
        raise


@contextmanager
def _open_journal(out: Path, shard_paths: Sequence[Path], force: bool) -> Iterator[Journal]:
    """The journal beside the results, after a look at what would be overwritten."""
    from ..batch.results import check_ours

    check_ours(out, force=force)
    with Journal(journal_of(out)) as journal:
        for shard_path in shard_paths:
            journal.take_over(shard_path)
        for name in (out.name, out.with_suffix(".csv").name):
            remove_leftovers(out.absolute().parent, name)
        yield journal


def _shard(text: str | None) -> Shard | None:
    if text is None:
        return None
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise typer.BadParameter(
            f"{text!r} is not I/N with I from 1 to N, such as 3/8.", param_hint="--shard"
        )
    return Shard(int(number), int(count))


def _figure(series: bool, against: str | None, plot: Path | None, out: Path, elsewhere: bool) -> Path | None:
    """Where the figure of a series goes, None without one, or wrong usage."""
    if not series:
        if (against, plot) != (None, None):
            raise typer.BadParameter("is for a series; add --series.", param_hint="--against / --plot")
        return None
    if elsewhere:
        raise typer.BadParameter(
            "fits the frames in order on this machine; do not give --scheduler, --shard, --together-by"
            " or --merge.",
            param_hint="--series",
        )
    path = plot or out.with_suffix(".svg")
    if path.suffix.lower() not in (".svg", ".png"):
        raise typer.BadParameter(f"{path}: end the name in .svg or .png.", param_hint="--plot")
    return path


def _draw(journal: Journal, paths: list[str], path: Path, against: str | None) -> None:
    """Say where the model changes along a series, and draw it."""
    from ..batch import series

    positions, against = _collect_frame_positions(paths, against)
    frames = series.frames(journal.records(paths), positions)
    for sentence in series.changes(frames):
        typer.echo(sentence)
    series.draw(frames, path, against)
    typer.echo(f"Written: {path}")


def _collect_frame_positions(paths: list[str], against: str | None) -> tuple[list[float], str]:
    """What the frames are drawn against: a field that some have, or their numbers."""
    from ..batch.series import field_of

    numbers = np.arange(1.0, len(paths) + 1).tolist()
    if against is None:
        return numbers, "frame"
    positions = [field_of(path, against) for path in paths]
    missing = [paths[row] for row in np.flatnonzero(np.isnan(positions))]
    if len(missing) == len(paths):
        typer.echo(f"{paths[0]}: no file has the field {against}; drawn against the frame instead.", err=True)
        return numbers, "frame"
    if missing:
        typer.echo(
            f"{missing[0]}: has no field {against}; {len(missing)} such frames are not drawn.", err=True
        )
    return positions, against
