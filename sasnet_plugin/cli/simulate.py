"""``sasnet simulate``: clean measurements, once, for training to measure as often as it likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domains import DEFAULT, specification
from ..types import SimulationError
from .arguments import DomainName, Scheduler

if TYPE_CHECKING:
    from ..simulate.dataset import Plan


def simulate(
    out: Annotated[Path, typer.Option("--out", help="Folder of the shards; made if it is missing.")],
    domain: DomainName = DEFAULT,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, help="Passes over all models, each with new curves.")
    ] = 8,
    scale: Annotated[
        float, typer.Option("--scale", help="Curves in a round, times 600 (fast), 50 or 20 (slow models).")
    ] = 1.0,
    spread: Annotated[
        bool,
        typer.Option(
            "--spread",
            help="For training: also monodisperse curves of slower models, made polydisperse when drawn.",
        ),
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Largest number of curves of a model in a round.")
    ] = None,
    seed: Annotated[
        int,
        typer.Option("--seed", min=0, help="The same seed gives the same bytes on any number of workers."),
    ] = 1,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that simulate.")] = 1,
    scheduler: Scheduler = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--models", help="Only these: sasmodels' names or plugin files (commas or repeated)."),
    ] = None,
    monodisperse: Annotated[bool, typer.Option("--monodisperse", help="No size distributions.")] = False,
    truncated: Annotated[
        bool,
        typer.Option(
            "--truncated",
            help="The earlier, truncated prior: no large particles of expensive models (curves).",
        ),
    ] = False,
) -> None:
    """Simulate clean curves or patterns of all models, or of some, into a folder of shards.

    Existing shards are kept and skipped, so a stopped or killed run resumes and loses at most the shards in
    work.
    """
    if not 0 < scale < float("inf"):
        raise typer.BadParameter(f"{scale:g} is not a scale; give a number above 0.", param_hint="--scale")

    from ..files import remove_leftovers
    from ..simulate.dataset import Request
    from ..simulate.dataset import plan as planned

    if scheduler:
        out = out.absolute()  # a worker elsewhere has another working directory
    request = Request(rounds, seed, scale, limit, _models(models), spread, monodisperse, truncated)
    plan: Plan = planned(specification(domain).open_simulator(), out, request)
    if out.exists() and not out.is_dir():
        raise SimulationError(f"{out}: is a file; name a folder for the shards.")
    removed = remove_leftovers(out)
    plan.check()
    missing = plan.missing()
    _announce(out, plan, missing, removed)
    _check_disk(out, plan.disk_need(missing))
    count = 0
    try:
        with _progress(len(missing)) as step:
            for shard in plan.run(workers=scheduler or workers):
                count += 1
                step(shard.label)
    except KeyboardInterrupt:
        remove_leftovers(out)
        typer.echo(
            f"sasnet: stopped; {count} of {len(missing)} shards were finished and are kept; the same"
            f" command continues from there.",
            err=True,
        )
        raise typer.Exit(130) from None
    typer.echo(f"{out}: all {len(plan.shards)} shards are there.")


def _models(given_names: list[str] | None) -> tuple[str, ...] | None:
    if given_names is None:
        return None
    names = tuple(
        dict.fromkeys(name.strip() for part in given_names for name in part.split(",") if name.strip())
    )
    if not names:
        raise typer.BadParameter(
            "names no model; to simulate all models, omit this option.", param_hint="--models"
        )
    return names


def _announce(out: Path, plan: Plan, missing: list[Any], removed: int) -> None:
    if removed:
        typer.echo(f"{out}: removed {removed} half-written files of a run that was killed.")
    present = len(plan.shards) - len(missing)
    skipped = f"; {present} of {len(plan.shards)} shards exist and are skipped" if present else ""
    typer.echo(
        f"{out}: {plan.content(missing)} in {len(missing)} files (shards) will be simulated,"
        f" with at most {_bytes(plan.disk_need(missing))} of disk{skipped}."
    )


def _check_disk(out: Path, need: int) -> None:
    """Raise SimulationError before the first curve if the disk has too little space."""
    import shutil

    folder = out.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if need > free:
        raise SimulationError(
            f"{out}: {_bytes(need)} are needed but only {_bytes(free)} are free on this disk;"
            " make room, choose another folder or lower --rounds, --scale or --limit."
        )


def _bytes(count: int) -> str:
    value, unit = float(count), "kB"
    value /= 1e3
    for larger in ("MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1e3, larger
    return f"{value:.1f} {unit}"


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("shards"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)

        def step(label: str) -> None:
            progress.update(task, advance=1, description=label)

        yield step
