"""``sasnet train``: train on shards, calibrate on others, and put the result into a model zoo."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..domains import DEFAULT, Domain, specification
from ..extensions import service
from ..files import check_output
from ..types import SasnetError
from .arguments import DomainName, Force
from .files import expand

if TYPE_CHECKING:
    from ..zoo import ZooModel


def train(
    run: Annotated[
        Path | None, typer.Option("--run", help="Folder for checkpoints; a stopped run there is resumed.")
    ] = None,
    images: Annotated[
        list[str] | None, typer.Argument(help="With --labels: files of the images, folders or patterns.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of training shards (sasnet simulate).")
    ] = None,
    validation: Annotated[
        Path | None,
        typer.Option("--validation", help="Folder of shards of another seed, for calibration and groups."),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="CSV of your own tags: train on IMAGES, not on shards.")
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            "--start-from",
            help=(
                "zoo (the installed model) or a model's folder. With --data: start from its weights. With"
                " --labels: adapt its tags to your labels, if that is better on held-out images."
            ),
        ),
    ] = None,
    keep_answers: Annotated[
        str | None,
        typer.Option(
            "--keep-answers",
            help=(
                "zoo or a model's folder: also learn the answers of that network to simulated curves of known"
                " models, so new kinds of samples do not worsen them."
            ),
        ),
    ] = None,
    domain: DomainName = DEFAULT,
    zoo: Annotated[
        Path | None, typer.Option("--zoo", help="Folder of the finished model; default: model_zoo/DOMAIN.")
    ] = None,
    net: Annotated[
        list[str] | None,
        typer.Option(
            "--net",
            help="Setting of the network, such as trunk=DenseNet169 or dropout=0.1; repeatable.",
        ),
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Total number of batches.")] = 12_000,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Examples a batch.")] = 512,
    learning_rate: Annotated[float, typer.Option("--learning-rate", min=0.0)] = 1.2e-3,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that measure examples.")] = 1,
    save_every: Annotated[
        int, typer.Option("--save-every", min=1, help="Batches between checkpoints.")
    ] = 500,
    per_model: Annotated[
        int, typer.Option("--per-model", min=1, help="Validation examples of each model or kind.")
    ] = 60,
    decay: Annotated[
        float,
        typer.Option(
            "--decay",
            min=0.0,
            max=1.0,
            help="Share of the batches, at the end, with a falling learning rate.",
        ),
    ] = 1.0,
    validate: Annotated[
        int, typer.Option("--validate", min=0, help="Number of held-out examples for the logged loss.")
    ] = 0,
    replay: Annotated[
        int,
        typer.Option(
            "--replay",
            min=0,
            help=(
                "With --labels and --start-from: number of simulated images added to yours, so nothing is"
                " forgotten; made once, and kept in --run."
            ),
        ),
    ] = 2000,
    mixed: Annotated[
        bool | None,
        typer.Option(
            "--mixed/--full", help="bfloat16 arithmetic, or float32; default: the faster on this machine."
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Train a network; the same command resumes a killed run from its last checkpoint."""
    kind = specification(domain)
    zoo = zoo or Path("model_zoo") / kind.name
    if start_from is not None and labels is not None:
        _adapt(kind, start_from, labels, images or [], zoo, run, replay, force=force)
        return
    if run is None:
        raise typer.BadParameter("give a folder for checkpoints with --run.")
    if not force:
        _check_folder(run, "settings.json", '"train"', ("starts", "log.csv", "*.weights.h5"))
        _check_folder(zoo, "manifest.json", '"features_version"', ("*.onnx", "*.npz"))
        _check_folder(zoo.parent, "registry.json", '"domain"', ())
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from ..train import backend

    console = Console(stderr=True)
    console.print(backend())

    from ..train.loop import TrainConfig
    from ..train.loop import train as fit
    from ..train.package import package
    from ..zoo import register

    chosen = _sizes(kind.network.sizes, net)
    config = TrainConfig(
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        seed=seed,
        workers=workers,
        save_every=min(save_every, steps),
        mixed=mixed,
        decay=decay,
        validate=validate,
    )
    if labels is not None:
        kind, data, validation = service("record_labels")(
            kind, labels, [str(x) for x in expand(images or [])], run, seed
        )
    if data is None or validation is None:
        raise typer.BadParameter("give --data and --validation, or --labels and IMAGES.")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("training", total=steps)

        def report(step: int, loss: float) -> None:
            progress.update(task, completed=step, description=f"training, loss {loss:.3f}")

        start = _open_start_model(kind, start_from) if start_from is not None else None
        keep = _open_start_model(kind, keep_answers) if keep_answers is not None else None
        fit(
            data, run, config, domain=kind, net=chosen, validation=validation, start=start, keep=keep,
            progress=report,
        )  # fmt: skip
        progress.update(task, completed=steps)
        task = progress.add_task("calibrating", total=None)
        _, summary = package(
            run,
            data,
            validation,
            zoo,
            domain=kind,
            per_model=per_model,
            progress=lambda completed: progress.update(task, completed=completed),
        )
    register(zoo)
    typer.echo(f"{zoo}: {summary}")
    typer.echo(f"next: sasnet evaluate --domain {kind.name} --test FOLDER")


def _adapt(
    kind: Domain,
    start: str,
    labels: Path,
    images: Sequence[str],
    zoo: Path,
    run: Path | None,
    scenes: int,
    *,
    force: bool,
) -> None:
    """Fit the tags of a model that is there."""
    import tempfile

    from rich.console import Console
    from rich.progress import Progress

    from ..zoo import register

    if not force:
        _check_folder(zoo, "manifest.json", '"features_version"', ("*.onnx", "*.npz"))
        _check_folder(zoo.parent, "registry.json", '"domain"', ())
    model, files = _open_start_model(kind, start), [str(path) for path in expand(images)]
    with Progress(console=Console(stderr=True)) as progress, tempfile.TemporaryDirectory() as passing:
        task = progress.add_task("simulated images", total=scenes or None)
        adapted = service("adapt")(
            kind, model, labels, files, zoo, run or Path(passing), scenes,
            progress=lambda completed: progress.update(task, completed=completed),
        )  # fmt: skip
    typer.echo(adapted.sentence())
    if adapted.better:
        register(zoo)
        typer.echo(f"{zoo}: written; use it with SASNET_MODEL_ZOO={zoo.parent}")


def _open_start_model(kind: Domain, start: str) -> ZooModel:
    from ..zoo import open_model

    folder = None if start == "zoo" else Path(start)
    if folder is not None and not (folder.parent / "registry.json").is_file():
        raise SasnetError(
            f"{folder}: is not the folder of a trained model; give 'zoo' for the installed one, or a folder"
            " that 'sasnet train --zoo' wrote."
        )
    return open_model(kind.name, folder=folder.parent if folder else None)


def _check_folder(folder: Path, about: str, mark: str, other_names: Sequence[str]) -> None:
    """Refuse a folder with files that would be replaced, but none about them that sasnet has written."""
    about_path = folder / about
    paths = (
        [about_path] if about_path.exists() else [path for name in other_names for path in folder.glob(name)]
    )
    for path in paths:
        check_output(path, mark=mark)


def _sizes(usual: Mapping[str, Any], texts: list[str] | None) -> dict[str, Any]:
    """Sizes of the network that are not the domain's own, as the user says, or wrong usage."""
    changed: dict[str, Any] = {}
    for part in texts or ():
        name, equals, text = part.partition("=")
        value = usual.get(name)
        if not equals or not isinstance(value, (str, int, float)):
            plain = ", ".join(k for k, v in usual.items() if isinstance(v, (str, int, float)))
            raise typer.BadParameter(
                f"{part!r} is not NAME=VALUE with one of these names: {plain}.", param_hint="--net"
            )
        try:
            changed[name] = type(value)(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not a value of {name}.", param_hint="--net") from None
    return changed
