"""Ranges of q that pyirena's author marked by hand on 31 USAXS curves."""

from __future__ import annotations

from ..common import markdown
from ..regions import FOLDER, Range, ask_pyirena, count_marks, half_of, read_curve, read_marks
from ..repositories import folder_of
from .section import Request, Row, Section, cpu_seconds

#: What is counted, and the column of `count_marks` with its total.
COUNTS = (
    ("right kind", 1, 0),
    ("right kind, overlap/union in ln q ≥ 1/2", 2, 0),
    ("segments on no mark", 4, 3),
)


def section(request: Request) -> Section:
    folder = folder_of(request.data, "pyirena") / FOLDER
    marks = read_marks(folder)
    curves = {name: read_curve(folder, name) for name in marks}
    began = cpu_seconds()
    found = {
        name: [Range(region.kind, region.q_min, region.q_max) for region in curve.regions().regions]
        for name, curve in curves.items()
    }
    seconds = (cpu_seconds() - began) / len(curves)
    answers = {"sasnet": found}
    if request.peers:
        answers["pyirena 1.2.0"] = ask_pyirena(request.peers, curves)
    counted = {name: count_marks(marks, answer, curves, every=False) for name, answer in answers.items()}
    peer = counted.get("pyirena 1.2.0")
    rows = [
        Row(
            task,
            "none",
            f"pyirena 1.2.0: {peer[column]} of {peer[total]}" if peer else "not run",
            f"{counted['sasnet'][column]} of {counted['sasnet'][total]}",
            seconds if column == 1 else None,
        )
        for task, column, total in COUNTS
    ]
    halves = [
        [half, program, *count_marks(marks, part, curves, every=False)]
        for half in ("odd", "even")
        for program, answer in answers.items()
        for part in [{name: one for name, one in answer.items() if half_of(name) == half}]
    ]
    header = ("half", "program", "marks", "right kind", "and place", "segments", "on no mark")
    return Section(
        rows,
        markdown(header, halves, texts=2),
    )
