"""Six shapes simulated by Roberts and others (2025)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin import Curve, fit, suggest
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.zoo import bank_path

from ..common import markdown, resumed
from ..independent_curves.scoring import RIGHT, RightAnswers, verdict
from ..repositories import folder_of
from .scores import f1_scores, likeliest_class, share_right
from .section import Request, Row, Section, cpu_seconds

#: Class → published f1 (`results/classification_results.txt`), of the curves of `is_extrapolation`.
PUBLISHED = {
    "cylinder": 0.93, "disk": 0.85, "sphere": 0.95, "cs_cylinder": 0.82, "cs_disk": 0.76, "cs_sphere": 0.80,
}  # fmt: skip
SOLID, LAYERED = "solid cylinder or disk", "core-shell cylinder or disk"
#: sasmodels has one model for cylinders and disks: their diameter decides.
CLASSES = {
    SOLID: (
        "cylinder", "elliptical_cylinder", "capped_cylinder", "flexible_cylinder",
        "flexible_cylinder_elliptical",
    ),
    LAYERED: (
        "core_shell_cylinder", "hollow_cylinder", "core_shell_bicelle", "core_shell_bicelle_elliptical",
        "core_shell_bicelle_elliptical_belt_rough",
    ),
    "sphere": ("sphere", "fuzzy_sphere"),
    "cs_sphere": ("core_shell_sphere", "vesicle", "core_multi_shell"),
}  # fmt: skip
#: The models of the six classes as the authors simulated them.
SIX = ("cylinder", "sphere", "core_shell_cylinder", "core_shell_sphere")
PARTS = 20  #: Each class is asked in so many parts; a part is every so manieth curve.


def is_extrapolation(row: Mapping[str, str]) -> bool:
    """Whether a curve is one of those that the published figures count, with ratios beyond the training."""
    aspect, shell = float(row["aspect_ratio"]), float(row["shell_ratio"])
    return aspect > 8 or aspect <= 1 / 8 or shell >= 0.65


@cache
def read_class(folder: Path, name: str) -> tuple[list[Curve], list[dict[str, str]]]:
    """All test curves of a class, without uncertainties as the files, and their parameters."""
    with (folder / "data" / f"TEST_{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    texts = (folder / "data" / "q_200.txt").read_text(encoding="utf-8").split()
    q = np.array([float(text) for text in texts])
    # The names of columns have all digits, as q_200.txt.
    return [Curve(q, np.array([float(row[text]) for text in texts])) for row in rows], rows


@cache
def _bank() -> Bank:
    return Bank(bank_path())


def is_disk(curve: Curve, model: str) -> bool:
    """Whether the nearest curve of the library is of a disk, shorter than its diameter."""
    from sasnet_plugin.fitting.api import uncertainties
    from sasnet_plugin.fitting.start_values.screening import from_bank
    from sasnet_plugin.fitting.task import Task

    start = from_bank(Task(curve, uncertainties(curve)[0], model, None), _bank())[0]
    return flat(start)


def flat(parameters: Mapping[str, float]) -> bool:
    """Whether a cylinder, with its shell, is shorter than its diameter."""
    shell = parameters.get("thickness", 0.0)
    return parameters["length"] + 2 * shell < 2 * (parameters["radius"] + shell)


def name_class(curve: Curve, probabilities: Mapping[str, float]) -> str:
    """One of the six classes, or a model that means none of them."""
    found = likeliest_class(probabilities, CLASSES)
    if found == SOLID:
        return "disk" if is_disk(curve, "cylinder") else "cylinder"
    if found == LAYERED:
        return "cs_disk" if is_disk(curve, "core_shell_cylinder") else "cs_cylinder"
    return found


def classify_part(folder: Path, key: str) -> dict[str, Any]:
    """Answers of a part of a class, with all models and with those of the six classes alone."""
    name, part = key.split()
    curves, rows = read_class(folder, name)
    curves, rows = curves[int(part) :: PARTS], rows[int(part) :: PARTS]
    began = cpu_seconds()
    answers = {}
    for among, models in (("all", None), ("six", SIX)):
        suggestions = suggest(curves, top=200, models=models)
        answers[among] = [
            name_class(curve, {guess.name: guess.probability for guess in suggestion.models})
            for curve, suggestion in zip(curves, suggestions, strict=True)
        ]
    seconds = (cpu_seconds() - began) / (2 * len(curves))
    return {
        "index": key, "truth": name, "extrapolation": list(map(is_extrapolation, rows)), "seconds": seconds,
        **answers,
    }  # fmt: skip


def fit_curve(folder: Path, key: str) -> dict[str, Any]:
    """What ``sasnet fit`` says of one curve, with no model given."""
    name, number = key.split()
    curves, rows = read_class(folder, name)
    curve, row = curves[int(number)], rows[int(number)]
    began = cpu_seconds()
    result = fit(curve, time_limit=20, workers=1, progress=False)
    model = {
        "cylinder": "cylinder",
        "disk": "cylinder",
        "sphere": "sphere",
        "cs_sphere": "core_shell_sphere",
    }.get(name, "core_shell_cylinder")
    kind = verdict(result.as_dict(), RightAnswers(frozenset({model})))
    best = result.best
    if kind == RIGHT and "sphere" not in name and best is not None and best.name == model:
        values = {parameter: found.value for parameter, found in best.parameters.items()}
        kind = RIGHT if flat(values) == name.endswith("disk") else "wrong"
    return {
        "index": key, "truth": name, "verdict": kind, "seconds": cpu_seconds() - began,
        "answer": result.headline, "row": {k: row[k] for k in ("radius", "length", "shell") if row.get(k)},
    }  # fmt: skip


def section(request: Request) -> Section:
    folder = folder_of(request.data, "AutomatedSAS")
    parts = [f"{name} {part}" for part in range(1 if request.quick else PARTS) for name in PUBLISHED]
    answers = resumed(
        request.checkpoint("roberts"), parts, lambda keys: (classify_part(folder, key) for key in keys),
        lambda row: f"{np.mean([one == row['truth'] for one in row['all']]):.2f}",
    )  # fmt: skip
    numbers = range(0, 1000, 1000 if request.quick else 50)
    fits = resumed(
        request.checkpoint("roberts_fits"), [f"{name} {number}" for number in numbers for name in PUBLISHED],
        lambda keys: (fit_curve(folder, key) for key in keys),
        lambda row: f"{row['verdict']} {row['answer'][:90]}",
    )  # fmt: skip
    return Section(
        [*classification_rows(answers), fit_row(fits)],
        details(answers),
    )


def pooled(answers: Iterable[Mapping[str, Any]], among: str, *, beyond: bool) -> tuple[list[str], list[str]]:
    """Truths and answers of all curves, or of those of the published figures."""
    truths, found = [], []
    for part in answers:
        for answer, is_counted in zip(part[among], part["extrapolation"], strict=True):
            if is_counted or not beyond:
                truths.append(part["truth"])
                found.append(answer)
    return truths, found


def classification_rows(answers: list[dict[str, Any]]) -> list[Row]:
    seconds = float(np.mean([part["seconds"] for part in answers]))
    rows = []
    for beyond, curves in ((True, "the published subset"), (False, "all curves")):
        for among, models in (("all", "all models allowed"), ("six", "only the models of the six classes")):
            truths, found = pooled(answers, among, beyond=beyond)
            right = [truth == one for truth, one in zip(truths, found, strict=True)]
            rows.append(
                Row(
                    f"right class, {curves}, {models}", "85 % of 3,232 (2025)" if beyond else "none",
                    "not run", share_right(right), seconds if beyond and among == "all" else None,
                )
            )  # fmt: skip
    return rows


def fit_row(fits: list[dict[str, Any]]) -> Row:
    right = [row["verdict"] == RIGHT for row in fits]
    cautioned = sum(row["verdict"] == "cautioned" for row in fits)
    return Row(
        "`sasnet fit`: right model and right side of the diameter", "none", "not run",
        f"{share_right(right)}; cautioned {cautioned}, wrong {len(fits) - sum(right) - cautioned}",
        float(np.mean([row["seconds"] for row in fits])),
    )  # fmt: skip


def details(answers: list[dict[str, Any]]) -> str:
    scores = [
        f1_scores(*pooled(answers, among, beyond=beyond))
        for beyond in (True, False)
        for among in ("all", "six")
    ]
    lines = [
        [name, f"{published:.2f}", *(f"{one.get(name, float('nan')):.2f}" for one in scores)]
        for name, published in PUBLISHED.items()
    ]
    header = ("class", "published f1", "subset, all models", "subset, six classes", "all curves, all models",
              "all curves, six classes")  # fmt: skip
    truths, found = pooled(answers, "all", beyond=False)
    confused: dict[str, dict[str, int]] = {name: {} for name in PUBLISHED}
    for truth, answer in zip(truths, found, strict=True):
        if truth != answer:
            confused[truth][answer] = confused[truth].get(answer, 0) + 1
    misses = [
        [name, ", ".join(f"{one} {n}" for one, n in sorted(errors.items(), key=lambda item: -item[1])[:6])]
        for name, errors in confused.items()
    ]
    return (
        f"{markdown(header, lines)}\nMost frequent wrong answers among all models, of all curves:\n\n"
        f"{markdown(('class', 'answered as'), misses, texts=2)}"
    )
