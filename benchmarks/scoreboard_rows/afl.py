"""Fifty synthetic SANS curves with five labels that AFL-agent ships."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin import Curve, fit, suggest

from ..common import markdown, resumed
from ..independent_curves.scoring import RIGHT, RightAnswers, verdict
from ..repositories import folder_of
from .scores import share_right
from .section import Request, Row, Section, cpu_seconds

BACKGROUND = "background"
MODELS = ("broad_peak", "mass_fractal", "polymer_excl_volume", "surface_fractal")


@cache
def read_curves(path: Path) -> tuple[list[Curve], list[str]]:
    """Curves and their labels."""
    import h5py

    with h5py.File(path) as file:
        q, intensity, error = (file[name][()].astype(float) for name in ("q", "I", "dI"))
        labels = [label.decode() if isinstance(label, bytes) else str(label) for label in file["model"][()]]
    return [Curve(q, i, e) for i, e in zip(intensity, error, strict=True)], labels


def answer_curve(path: Path, number: int) -> dict[str, Any]:
    """Answers of the classifier and of fits, with all models and with the four of the labels."""
    curves, labels = read_curves(path)
    curve = curves[number]
    row: dict[str, Any] = {"index": number, "truth": labels[number]}
    for among, models in (("all", None), ("four", MODELS)):
        began = cpu_seconds()
        suggestion = suggest(curve, models=models)
        flat = any(note.startswith("No structure") for note in suggestion.notes)
        row[f"classify {among}"] = BACKGROUND if flat else suggestion.models[0].name
        row[f"classify {among} seconds"] = cpu_seconds() - began
        began = cpu_seconds()
        result = fit(curve, models=models, time_limit=15, workers=1, progress=False)
        # A named model is fitted even to a constant.
        row[f"fit {among}"] = result.best.name if result.best and not flat else BACKGROUND
        named = RightAnswers(frozenset({labels[number]}))
        row[f"named {among}"] = (
            row[f"fit {among}"] == labels[number] or verdict(result.as_dict(), named) == RIGHT
        )
        row[f"fit {among} chisq"] = result.best.reduced_chisq if result.best else None
        row[f"fit {among} seconds"] = cpu_seconds() - began
        row[f"headline {among}"] = result.headline
    return row


def section(request: Request) -> Section:
    path = folder_of(request.data, "AFL-agent") / "AFL/double_agent/data/synthetic_sans.nc"
    numbers = range(0, 50, 3 if request.quick else 1)
    answers = resumed(
        request.checkpoint("afl"), numbers, lambda asked: (answer_curve(path, number) for number in asked),
        lambda row: f"{row['truth']}: {row['fit all']}, {row['fit four']}",
    )  # fmt: skip

    def row(how: str, among: str, task: str) -> Row:
        right = [one["truth"] == one[f"{how} {among}"] for one in answers]
        seconds = float(np.mean([one[f"{how} {among} seconds"] for one in answers]))
        return Row(task, "none", "not run", share_right(right), seconds)

    rows = [
        row("classify", "all", "first model of `sasnet classify`"),
        row("classify", "four", "first model, only the four of the labels and a constant"),
        row("fit", "all", "best fit of `sasnet fit`"),
        Row(
            "best fit, or stated as indistinguishable from it", "none", "not run",
            share_right([one["named all"] for one in answers]),
        ),
        row("fit", "four", "best fit, only the four models of the labels and a constant"),
    ]  # fmt: skip
    fitted = [one["fit all chisq"] for one in answers if one["fit all chisq"] is not None]
    return Section(
        rows,
        f"The best of all models has a median reduced χ² of {np.median(fitted):.2f}.\n\n"
        f"{list_answers(answers)}",
    )


def list_answers(answers: list[dict[str, Any]]) -> str:
    def count(label: str, column: str) -> str:
        found: dict[str, int] = {}
        for one in answers:
            if one["truth"] == label:
                found[one[column]] = found.get(one[column], 0) + 1
        return ", ".join(f"{name} {n}" for name, n in sorted(found.items(), key=lambda item: -item[1]))

    columns: Mapping[str, str] = {
        "classify all": "classified", "classify four": "of four", "fit all": "fitted", "fit four": "of four",
    }  # fmt: skip
    lines = [[label, *(count(label, column) for column in columns)] for label in (*MODELS, BACKGROUND)]
    return markdown(["label", *columns.values()], lines, texts=5)
