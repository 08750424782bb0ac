"""``sasnet evaluate``: how good the model is on curves that it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    test: Annotated[
        Path,
        typer.Option("--test", help="Folder of shards of a seed that training never saw (sasnet simulate)."),
    ],
    per_model: Annotated[int, typer.Option("--per-model", min=1, help="Test curves of each model.")] = 100,
    seed: Annotated[int, typer.Option("--seed", help="Of the measurement.")] = 2,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw calibration and accuracy into this PNG file.")
    ] = None,
    card: Annotated[
        Path | None, typer.Option("--card", help="Write the model card (Markdown) into this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
) -> None:
    """Measure accuracy and calibration under the frozen realistic protocol."""
    import json

    import numpy as np
    from rich.console import Console
    from rich.progress import Progress

    from sasnet_plugin.report.card import model_card
    from sasnet_plugin.report.evaluation import draw, markdown, predict
    from sasnet_plugin.report.evaluation import evaluate as measure
    from sasnet_plugin.simulate.examples import mixed_set
    from sasnet_plugin.simulate.library import Library
    from sasnet_plugin.types import SasnetError
    from sasnet_plugin.zoo import open_model

    model = open_model("sas1d")
    library = Library(test)
    if library.forms != model.manifest.forms:
        raise SasnetError(
            f"{test}: holds other models than the network knows; simulate those of the network."
        )
    rng = np.random.default_rng(seed)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("measuring", total=len(library))
        examples = mixed_set(
            library,
            rng,
            per_model=per_model,
            stranger_share=0.125,
            progress=lambda done: progress.update(task, completed=done),
        )
    answers = predict(examples, model.onnx, model.manifest)
    result = measure(answers, examples, model.manifest)
    table = markdown(result, model.manifest)
    typer.echo(json.dumps(result) if as_json else table)
    if plot is not None:
        draw(result, plot)
    if card is not None:
        card.write_text(model_card(model.manifest, table), encoding="utf-8")
