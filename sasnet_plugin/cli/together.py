"""``--together`` of ``classify`` and ``fit``: all files are curves of one sample."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.failure import sentence_of
from ..types import Curve, DataError, SasnetError
from .arguments import names_of
from .files import curves_of, expand

if TYPE_CHECKING:
    from ..data.sample import Sample
    from ..fitting.together.result import SampleResult

Together = Annotated[
    bool,
    typer.Option(
        "--together",
        help="All files are curves of one sample (solvents, settings, probes, concentrations): one answer.",
    ),
]
SampleFile = Annotated[
    Path | None,
    typer.Option(
        "--sample-file",
        help="With --together: what is known of the curves (TOML): [solvents], [concentrations], [tie]…",
    ),
]
Share = Annotated[
    list[str] | None,
    typer.Option(
        "--share", metavar="NAME", help="With --together: all curves have these parameters in common."
    ),
]
Own = Annotated[
    list[str] | None,
    typer.Option(
        "--own", metavar="NAME", help="With --together: each curve has its own of these parameters."
    ),
]
Tie = Annotated[
    list[str] | None,
    typer.Option(
        "--tie",
        metavar="EXPRESSION",
        help="With --together: a parameter from others, such as 'sld_solvent = -0.56 + 6.92*x'.",
    ),
]


@dataclass(frozen=True)
class Given:
    """What is said of a sample on the command line."""

    sample_file: Path | None = None
    share: list[str] | None = None
    own: list[str] | None = None
    tie: list[str] | None = None

    def check(self, together: bool) -> None:
        """That nothing is given which only ``--together`` needs."""
        if not together and any(value for value in vars(self).values()):
            raise typer.BadParameter(
                "these say how curves of one sample go together; add --together.",
                param_hint="--sample-file / --share / --own / --tie",
            )

    def options(self) -> dict[str, object]:
        """For the command that is named next."""
        return {
            "--sample-file": self.sample_file, "--share": names_of(self.share), "--own": names_of(self.own),
            "--tie": self.tie,
        }  # fmt: skip


def sample_from(
    files: Sequence[str],
    read: Callable[[str], Iterable[Any]],
    window: tuple[float, float] | None,
    given: Given,
) -> Sample:
    """The sample of all curves in files.

    Raises
    ------
    SasnetError
        A file cannot be read, holds no curve, or the curves do not go together.
    """
    from ..data.sample import read_description, sample_of
    from ..fitting.problem.contrast import scattering_length_density

    described = {} if given.sample_file is None else read_description(given.sample_file)
    curves = []
    for each in expand(files):
        for path, outcome in curves_of(each, read, window):
            if isinstance(outcome, Exception):
                raise DataError(sentence_of(path, outcome))
            if not isinstance(outcome, Curve):
                raise DataError(f"{path}: an image is no curve of a sample; images go together with --set.")
            curves.append(outcome)
    return sample_of(
        curves, described, sld=scattering_length_density, share=names_of(given.share) or (),
        own=names_of(given.own) or (), ties=given.tie or (), source=str(given.sample_file or "the sample"),
    )  # fmt: skip


def print_sample(result: SampleResult, *, quiet: bool = False, details: bool = False) -> None:
    """The answer in three lines; with details all joint fits, and what each curve says alone."""
    from rich.text import Text

    from .answers import wide_console

    say = wide_console().print
    head, *more = result.verdict.lines()
    say(Text(head, style="bold"), soft_wrap=True)
    if quiet:
        return
    for line in more:
        say(Text(line, style="bold" if line.startswith("Next") else ""), soft_wrap=True)
    if details:
        say()
        for table in (_fits(result), _own(result)):
            say(table)
        for file, single in zip(result.sample.files, result.singles, strict=False):
            say(Text(f"{Path(file).name} alone: {single.headline}"), soft_wrap=True)
        for note in result.notes:
            say(Text(f"Note: {note}"), soft_wrap=True)
    sys.stdout.flush()


def _fits(result: SampleResult) -> Any:
    from rich.table import Table

    from ..digits import chisq_text

    table = Table(box=None, pad_edge=False, header_style="dim")
    names = [Path(f).name for f in result.sample.files]
    for column in ("model", "weight", "reduced χ²", *(f"χ²/n {name}" for name in names)):
        table.add_column(column)
    for fit in result.fits[:8]:
        each = [chisq_text(c / t.size) for c, t in zip(fit.chisq, fit.theories, strict=True)]
        table.add_row(fit.name, f"{100 * fit.weight:.0f} %", chisq_text(fit.reduced_chisq), *each)
    return table


def _own(result: SampleResult) -> Any:
    from rich.table import Table

    from ..digits import quantity

    table = Table(box=None, pad_edge=False, header_style="dim")
    names = [Path(f).name for f in result.sample.files]
    for column in ("parameter", "all", *names):
        table.add_column(column)
    best = result.best
    if best is None:
        return table
    for name, p in best.parameters.items():
        if not p.fixed:
            table.add_row(name, quantity(p.value, p.unit, p.error), *("" for _ in names))
    for name in best.own[0]:
        each = [own[name] for own in best.own]
        table.add_row(name, "", *(quantity(p.value, p.unit, p.error) for p in each))
    return table


def print_suggestion(files: Sequence[str], found: Any, against: Sequence[int], kind: str, top: int) -> None:
    """What the curves say together, for people."""
    from rich.table import Table
    from rich.text import Text

    from .answers import wide_console

    say = wide_console().print
    say(Text(f"{len(files)} curves of one sample ({kind})", style="bold"), soft_wrap=True)
    for i in against:
        say(Text(f"{files[i]} alone looks like another kind of sample.", style="bold"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("model", "structure factor", "probability", "group"):
        table.add_column(column)
    for guess in found.models[:top]:
        table.add_row(
            guess.name, guess.structure_factor or "–", f"{100 * guess.probability:.0f} %", guess.group
        )
    say(table)
    sys.stdout.flush()


def refused(error: SasnetError) -> None:
    """Say why there is no answer, and end."""
    print(str(error), file=sys.stderr, flush=True)
    raise typer.Exit(1)
