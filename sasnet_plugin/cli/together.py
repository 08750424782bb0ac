"""``--together`` of ``classify`` and ``fit``: all files are curves of one sample."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..data.limits import sentence_of
from ..types import Curve, DataError, SasnetError
from .arguments import Given
from .files import curves_of, expand

if TYPE_CHECKING:
    from ..data.sample.sample import Sample
    from ..fitting.result.sample_result import JointFit, SampleResult

#: Joint fits that are listed.
_MOST = 8


def sample_from(
    files: Sequence[str],
    read: Callable[[str], Iterable[Any]],
    window: tuple[float, float] | None,
    sample_options: Given,
    wavelength: float | None = None,
) -> Sample:
    """Read the sample of all curves in files; X-ray `wavelength` in Å. Raises SasnetError if a file cannot be
    read, holds no curve, or the curves do not go together.
    """
    from ..materials import densities

    described = sample_options.describe_sample()
    curves = []
    for each_path in expand(files):
        for path, outcome in curves_of(each_path, read, window):
            if isinstance(outcome, Exception):
                raise DataError(sentence_of(path, outcome))
            if not isinstance(outcome, Curve):
                raise DataError(f"{path}: images cannot be fitted with --together; use --set.")
            curves.append(outcome)
    return described.sample(curves, densities(wavelength))


def print_sample(result: SampleResult, *, quiet: bool = False, details: bool = False) -> None:
    """The answer in three lines; with details all joint fits, and what each curve says alone."""
    from rich.text import Text

    from .answers import wide_console

    say = wide_console().print
    head, *more_lines = result.verdict.lines()
    say(Text(head, style="bold"), soft_wrap=True)
    if quiet:
        return
    for line in more_lines:
        say(Text(line, style="bold" if line.startswith("Next") else ""), soft_wrap=True)
    if details:
        say()
        for table in _tables(result):
            say(table)
        for file, single in zip(result.sample.files, result.singles, strict=False):
            say(Text(f"{Path(file).name} alone: {single.headline}"), soft_wrap=True)
        if result.as_one is not None:
            say(Text(f"All settings as one curve: {result.as_one.headline}"), soft_wrap=True)
        for note in result.remarks:
            say(Text(f"Note: {note}"), soft_wrap=True)
    sys.stdout.flush()


def _tables(result: SampleResult) -> Iterator[Any]:
    """The joint fits; and the parameters of the best one."""
    from ..report.summaries import ranking

    yield list_table(*ranking(result, _MOST))
    if result.best is not None:
        names = [Path(f).name for f in result.sample.files]
        yield list_table(["parameter", "all", *names], _parameters(result.best))


def _parameters(best: JointFit) -> list[list[str]]:
    from ..report.summaries import list_shared, own

    blanks = [""] * len(best.own)
    fitted = [[name, value, *blanks] for name, value, state in list_shared(best) if state == "fitted"]
    return fitted + [[name, "", *values] for name, *values in own(best)]


def list_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in head:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    return table


def print_suggestion(
    files: Sequence[str], suggestion: Any, against: Sequence[int], kind: str, top: int
) -> None:
    from rich.text import Text

    from .answers import wide_console

    say = wide_console().print
    say(Text(f"{len(files)} curves of one sample ({kind})", style="bold"), soft_wrap=True)
    for i in against:
        say(Text(f"By itself, {files[i]} looks like another kind of sample.", style="bold"), soft_wrap=True)
    rows = [
        [guess.name, guess.structure_factor or "–", f"{100 * guess.probability:.0f} %", guess.group]
        for guess in suggestion.models[:top]
    ]
    say(list_table(("model", "structure factor", "probability", "group"), rows))
    sys.stdout.flush()


def print_sectors(sample: Sample, sample_options: Given, as_json: bool) -> None:
    """Say whether sectors differ, whether they do by magnetism, and what to do next."""
    from ..data.sample.sectors import compare_sectors, separate_magnetism
    from ..fitting.verdict.sample import describe_sectors
    from .arguments import as_given
    from .streams import json_lines

    difference = compare_sectors(sample.curves)
    parts = None if sample.field_azimuth is None else separate_magnetism(sample)
    words = [*(curve.file for curve in sample.curves), "--together", *as_given(sample_options.options())]
    lines = describe_sectors(sample, difference, parts, shlex.join(["sasnet", "fit", *words]))
    if not as_json:
        print("\n".join(lines), flush=True)
        return
    numbers = {"relative": difference.relative, "most": difference.most, "seen": difference.is_seen}
    json_lines()({
        "files": sample.files, "kind": sample.kind, "headline": lines[0], "difference": numbers,
        "magnetism": parts and parts.as_dict(),
    })  # fmt: skip


def refuse(error: SasnetError) -> None:
    """Say why there is no answer, and end."""
    print(str(error), file=sys.stderr, flush=True)
    raise typer.Exit(1)
