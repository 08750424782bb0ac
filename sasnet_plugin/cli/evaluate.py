"""``sasnet evaluate``, how good a network is on new measurements; ``sasnet groups``, what it confuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..domains import DEFAULT, specification
from ..files import check_output
from ..types import SasnetError
from .arguments import DomainName, Force, Scheduler
from .files import report_page

if TYPE_CHECKING:
    from ..report.evaluated import Evaluated


def evaluate(
    test: Annotated[
        Path,
        typer.Option("--test", help="Folder of shards with a seed not used in training (sasnet simulate)."),
    ],
    domain: DomainName = DEFAULT,
    per_model: Annotated[
        int, typer.Option("--per-model", min=1, help="Test examples of each model or kind.")
    ] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the measurement.")] = 2,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that measure and answer.")] = 1,
    scheduler: Scheduler = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw calibration and accuracy into this PNG file.")
    ] = None,
    card: Annotated[
        Path | None, typer.Option("--card", help="Write the model card (Markdown) into this file.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Images: folder for an HTML page with explanations (index.html)."),
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option("--run", help="For the page: folder of a training run, to draw its learning curve."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
    force: Force = False,
) -> None:
    """Measure accuracy and calibration of a network; for curves under the frozen realistic protocol."""
    from rich.console import Console
    from rich.progress import Progress

    from ..files import MARK, check_figure, check_output, check_place, put_whole
    from ..report.evaluated import evaluate_model
    from ..report.model_card import CARD_MARK
    from ..zoo import open_model, register, verify

    report = report_page(report, "index.html")
    if plot is not None:
        check_figure(plot, force=force)
    for path, mark in ((card, CARD_MARK), (report, MARK)):
        if path is not None:
            check_place(path)
            check_output(path, force=force, mark=mark)
    kind = specification(domain)
    model = open_model(kind.name)
    verify(model)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("measuring", total=None)
        evaluated = (kind.evaluate or evaluate_model)(
            model,
            test,
            per_model=per_model,
            seed=seed,
            progress=lambda completed, total: progress.update(task, completed=completed, total=total),
            workers=scheduler or workers,
        )
    typer.echo(json.dumps(evaluated.result) if as_json else evaluated.table)
    if plot is not None:
        evaluated.draw(plot)
    if card is not None:
        put_whole(card, evaluated.card().encode("utf-8"), "model card")
        if card.resolve() == (model.folder / "card.md").resolve():
            register(model.folder)
    if report is not None:
        _report(report, kind.name, evaluated, run or [])


def _report(path: Path, name: str, evaluated: Evaluated, runs: list[Path]) -> None:
    if evaluated.write_page is None:
        raise SasnetError(
            f"{name}: there is no page on the accuracy of this kind of network; do not give --report."
        )
    logs, per_row = {}, 0
    if runs:
        try:
            training = json.loads((runs[0] / "settings.json").read_text(encoding="utf-8"))["train"]
        except (OSError, ValueError, KeyError) as error:
            raise SasnetError(f"{runs[0]}: is not a folder of a training run ({error}).") from None
        logs = {folder.name: folder / "log.csv" for folder in runs}
        per_row = training["batch"] * training["save_every"]
    evaluated.write_page(name, logs, per_row, path)


def groups(
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the dendrogram into this file (SVG or PNG).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per group.")] = False,
    force: Force = False,
) -> None:
    """Print the groups of models that data rarely distinguish, or draw their dendrogram."""
    from ..zoo import open_model

    manifest = open_model().manifest
    for group in manifest.groups:
        if as_json:
            typer.echo(json.dumps({"name": group.name, "members": list(group.members)}))
        else:
            typer.echo(f"{group.name}: {', '.join(group.members)}")
    if plot is not None:
        from ..report.plot import draw_dendrogram

        if plot.suffix.lower() not in (".svg", ".png"):
            raise typer.BadParameter(f"{plot}: end the name in .svg or .png.", param_hint="--plot")
        check_output(plot, force=force)
        draw_dendrogram(manifest, plot)
