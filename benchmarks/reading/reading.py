"""Is what comes out of a file what was measured? Many ways of writing three measurements.

Usage: ``python -m benchmarks reading/reading [--seed S] [--seeds N] [--only WORD] [--keep FOLDER] [--each]
[--write]``

Each way writes a sphere, a coil and lamellae (`samples`) as an instrument or a program does
(`programs`, `instruments`, `containers`), with its units in words of its own
(`units`), in columns (`columns`), under names (`names`) and in cells
(`cells`) of its own, against an angle or another function of q (`functions`), beside
other samples (`samples_beside`), with slits, frames, masks or damage (`layouts`), in a layout put together
at random (`mixed`), or under headers of several words, on its side, and against the same axes in each
container (`words`). What is
read is compared with what was measured: q within 0.1 % in Å⁻¹, the intensity up to one factor, its
uncertainty with the same factor, the resolution, and how many points and data sets there are. The seed
decides digits, noise, wordings and the number of points.

- **right**: the numbers, and what must be said is said.
- **refused truly**: a sentence that names the cause, where the file does not hold a curve, or does not say
  enough.
- **said**: nothing in the file tells the unit, so that q is off by it, and a note says that it is assumed.
- **lost**: the numbers are right, but an uncertainty or resolution is left out without a word, or what must
  be said is not.
- **refused needlessly**: a file that can be read.
- **raised**: an error that is no sentence.
- **silently wrong**: other numbers than were measured. There must be none.

A way counts as its worst of the three measurements.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import sasnet_plugin
from sasnet_plugin.types import Curve, SasnetError

from ..common import parser_of
from . import (
    cells,
    columns,
    containers,
    functions,
    instruments,
    layouts,
    mixed,
    names,
    programs,
    samples_beside,
    units,
    words,
)  # fmt: skip
from .report import count_outcomes, show_reading
from .samples import KINDS, Array, File, Measurement, Truth, measured

#: From the best to the worst.
OUTCOMES = ("right", "refused truly", "said", "lost", "refused needlessly", "raised", "silently wrong")
GOOD = OUTCOMES[:3]
#: Relative; of q, of the intensity (what is written has six digits and more), of uncertainty and resolution.
Q_OFF, I_OFF, ERROR_OFF = 1e-3, 2e-3, 0.03
#: What a note must hold where an uncertainty or a resolution of the file is not taken.
ERROR_WORDS = ("uncertaint", "error", "σ", "sigma", "deviation", "model", "fit", "weight")
DQ_WORDS = ("resolution", "dq", "slit")
#: The same of rows.
ROW_WORDS = ("row", "line", "point")


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    kind: str
    why: str = ""
    path: Path | None = None


def close(found: Array, true: Array, relative: float, absolute: float = 0.0) -> bool:
    """Whether all points agree."""
    return found.shape == true.shape and bool(np.allclose(found, true, rtol=relative, atol=absolute))


def compared(curve: Curve, truth: Truth) -> Outcome:
    """One data set with what was measured."""
    if len(curve) != truth.q.size:
        return Outcome(*fewer(curve, truth))
    if not close(curve.q, truth.q, Q_OFF):
        return Outcome("silently wrong", f"q is {np.median(curve.q / truth.q):.4g} of the true one")
    scale = float(np.median(curve.intensity / truth.intensity))
    level = float(np.abs(truth.intensity).max())
    if not close(curve.intensity, scale * truth.intensity, I_OFF, 2e-5 * abs(scale) * level):
        return Outcome("silently wrong", "the intensity is another one")
    error = column("uncertainty", curve.dintensity, truth.error, scale, curve.notes, ERROR_WORDS)
    if error.kind == "silently wrong":
        return error
    dq = column("resolution", curve.dq, truth.dq, 1.0, curve.notes, DQ_WORDS)
    true = None if truth.slit is None else np.full(len(curve), truth.slit)
    slit = column("slit", curve.dxl, true, 1.0, curve.notes, DQ_WORDS)
    return max(error, dq, slit, key=lambda one: OUTCOMES.index(one.kind))


def fewer(curve: Curve, truth: Truth) -> tuple[str, str]:
    """Another number of points: lost where they are some of the true ones, and a note says it."""
    why = f"{len(curve)} points of {truth.q.size}"
    nearest = np.abs(curve.q[:, None] / truth.q - 1).min(axis=1)
    some = len(curve) < truth.q.size and bool((nearest < Q_OFF).all())
    return "lost" if some and spoken(curve.notes, ROW_WORDS) else "silently wrong", why


def column(
    name: str, found: Array | None, true: Array | None, scale: float, notes: tuple[str, ...],
    words: tuple[str, ...],
) -> Outcome:  # fmt: skip
    """The uncertainty or the resolution."""
    if found is None:
        lost = true is not None and not spoken(notes, words)
        return Outcome("lost", f"the {name} is left out without a word") if lost else Outcome("right")
    if true is None:
        return Outcome("silently wrong", f"a {name} where the file has none")
    if close(found, scale * true, ERROR_OFF, 1e-9 * float(np.abs(scale * true).max())):
        return Outcome("right")
    return Outcome("silently wrong", f"the {name} is {np.median(found / (scale * true)):.3g} of the true one")


def spoken(notes: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Whether one of the words stands in one of the notes."""
    text = " ".join(notes).lower()
    return any(word in text for word in words)


def against(curves: tuple[Curve, ...], right: tuple[Truth, ...]) -> Outcome:
    """All data sets of a file with one of the readings that are right."""
    if len(curves) != len(right):
        return Outcome("silently wrong", f"{len(curves)} data sets instead of {len(right)}")
    found = [compared(curve, truth) for curve, truth in zip(curves, right, strict=True)]
    return max(found, key=lambda one: OUTCOMES.index(one.kind))


def judged(path: Path, file: File) -> Outcome:
    """Read a file and say what came of it."""
    try:
        curves = sasnet_plugin.load(path, **dict(file.options))  # type: ignore[arg-type]
    except SasnetError as error:
        return of_refusal(str(error).replace(str(path), path.name), path, file)
    except Exception as error:
        return Outcome("raised", f"{type(error).__name__}: {error}")
    notes = tuple(line for curve in curves for line in said_of(curve))
    choices = [against(curves, right) for right in file.right]
    if not choices:
        honest = bool(file.said) and spoken(notes, file.said)
        return Outcome("said" if honest else "silently wrong", "must be refused, and is read")
    best = min(choices, key=lambda one: OUTCOMES.index(one.kind))
    if best.kind == "silently wrong" and best.why.startswith("q is"):
        return of_wrong_unit(best, file, notes)
    if best.kind == "right":
        return of_unit(curves, file, notes)
    return best


def of_refusal(sentence: str, path: Path, file: File) -> Outcome:
    """Whether a refusal names the cause; the name of the file says nothing."""
    plain = sentence.replace(path.name, "").lower()
    if any(word in plain for word in file.refusal):
        return Outcome("refused truly", sentence)
    return Outcome("refused needlessly" if file.right else "lost", sentence)


def said_of(curve: Curve) -> tuple[str, ...]:
    """All that a data set says of how it was read."""
    unit = getattr(curve, "q_unit", None)
    return curve.notes if unit is None else (*curve.notes, str(unit), unit.doubt)


def of_wrong_unit(outcome: Outcome, file: File, notes: tuple[str, ...]) -> Outcome:
    """Where q is off by its unit alone: whether that is said, with the unit that is likelier."""
    if not spoken(notes, file.said):
        return outcome
    if file.said is units.ASSUMED and not spoken(notes, ("nm",)):
        return Outcome("lost", "the unit is said to be assumed, but not that nm⁻¹ is likelier")
    return Outcome("said", outcome.why)


def of_unit(curves: tuple[Curve, ...], file: File, notes: tuple[str, ...]) -> Outcome:
    """Where all numbers are right: whether what is said of the unit is right too."""
    silent = file.says is units.ASSUMED
    if file.says and not spoken(notes, file.says):
        return Outcome("lost", "that the unit is assumed is not said")
    given = [getattr(curve, "q_unit", None) for curve in curves]
    if not silent and not file.loose and any(unit is not None and not unit.stated for unit in given):
        return Outcome("lost", "the unit is said to be assumed, and the file names it")
    if silent and any(unit is not None and unit.doubt for unit in given):
        return Outcome("lost", "a unit that is right is doubted")
    return Outcome("right")


Way = Callable[[Measurement], File]


def ways() -> dict[str, Way]:
    """All of them, by title."""
    modules = (
        programs, instruments, containers, units, columns, names, cells, functions, samples_beside, layouts,
        mixed, words,
    )  # fmt: skip
    return {title: way for module in modules for title, way in module.ways().items()}


def tried(title: str, way: Way, seed: int, folder: Path) -> list[tuple[str, Outcome]]:
    """One way of writing, of each measurement."""
    found = []
    folder.mkdir(parents=True, exist_ok=True)
    for kind, (name, *_) in enumerate(KINDS):
        file = way(measured(kind, seed))
        stem = "".join(c if c.isalnum() else "_" for c in title)[:60]
        path = folder / f"{stem}_{name}{file.suffix}"
        path.write_bytes(file.content)
        found.append((name, replace(judged(path, file), path=path)))
    return found


def worst(found: list[tuple[str, Outcome]]) -> tuple[str, Outcome]:
    """Of the measurements of one way."""
    return max(found, key=lambda one: OUTCOMES.index(one[1].kind))


def each(results: dict[str, list[tuple[str, Outcome]]]) -> str:
    """Every single file that is not as it should be."""
    lines = [
        f"- {one.path}: {one.kind}, {one.why[:160]}\n"
        for found in results.values()
        for _, one in found
        if one.kind not in GOOD
    ]
    return f"\n{len(lines)} files:\n\n" + "".join(lines)


def report(results: dict[str, list[tuple[str, Outcome]]]) -> str:
    """Counts by kind of way, and every way that is not read rightly."""
    parts, lines = [], []
    for title, found in results.items():
        name, outcome = worst(found)
        parts.append((title.partition(":")[0], outcome.kind))
        if outcome.kind not in GOOD:
            bad = sum(one.kind not in GOOD for _, one in found)
            lines.append(
                f"- {title}: **{outcome.kind}** ({bad} of {len(found)}, {name}): {outcome.why[:200]}"
            )
    text = count_outcomes(parts, ["ways", "tried"], OUTCOMES)
    return text + ("\nNot as it should be:\n\n" + "\n".join(lines) + "\n" if lines else "")


def main() -> int:
    """Write, read, compare, print; exit code 1 where something is silently wrong."""
    parser = parser_of(
        __doc__,
        seed=(0, "0 is the published one; others are held out."),
        seeds=(1, "How many seeds, from that one on."),
    )
    parser.add_argument("--only", default="", help="Only ways whose title holds this word.")
    parser.add_argument("--keep", type=Path, help="Keep the files in this folder.")
    parser.add_argument("--each", action="store_true", help="List each single file (keep them with --keep).")
    given = parser.parse_args()
    began = time.process_time()
    results: dict[str, list[tuple[str, Outcome]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        for title, way in ways().items():
            if given.only.lower() not in title.lower():
                continue
            results[title] = [
                one
                for seed in range(given.seed, given.seed + given.seeds)
                for one in tried(title, way, seed, folder / str(seed))
            ]
        table = report(results)
        table += each(results) if given.each else ""
    seeds = f"{given.seed}" if given.seeds == 1 else f"{given.seed} to {given.seed + given.seeds - 1}"
    show_reading("Reading", __doc__, seeds, table, given.write, __file__)
    print(f"{time.process_time() - began:.0f} CPU-seconds", file=sys.stderr)
    return int(any(worst(found)[1].kind == "silently wrong" for found in results.values()))
