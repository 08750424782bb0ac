"""Are answers right or cautious on everyday data that shares nothing with sasmodels or the simulation?

``python -m benchmarks independent --work W`` measures samples of 37 kinds, nine curves of each and fifty of a
Lorentzian with a Porod upturn. Intensities come from published formulas in numpy or from Monte Carlo
(``benchmarks/independent_curves``), and so do instruments and noise. ``sasnet fit --json`` answers, nothing
given. ``--part`` runs one of five parts:

curves         the samples: is the answer right, cautioned or wrong, and do the errors hold the values?
flat           50 curves of a constant with noise: is "no structure" the answer, without a size?
gaps           24 curves of particles that do not interact, 20 points removed at three places: does
               ``classify`` see a structure factor?
reflectometry  100 specular curves: are they refused?
small-angle    500 small-angle curves: is none refused?

A third of the curves are drawn from ``--seed``, to be chosen after the work; ``--third 0`` and
``--third 1`` have fixed seeds, ``--third 2`` those. Every answer is kept in ``W`` as it comes, so a killed
run goes on; ``--kept`` only reports what is there. ``--curve KIND SEED FILE`` writes the file of one curve
and ends. ``--failures FILE`` lists what is wrong; ``--write`` puts the table into
``benchmarks/independent.md``. How answers are judged:
``benchmarks/independent_curves/scoring.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .common import markdown, parser_of, resumed, show
from .independent_curves.instruments import INSTRUMENTS, Measurement
from .independent_curves.kinds import BY_NAME, KINDS, curve_of, drawn_of
from .independent_curves.reflectivity import measured_reflectivity
from .independent_curves.scoring import CAUTIONED, REFUSED, RIGHT, WRONG, name_of, stated, values, verdict

#: Curves of a kind in each third of the seeds, and of the kind that has fifty.
EACH, MANY, MANY_KIND = 3, (17, 17, 16), "Lorentzian and Porod"
#: Files that one command answers: its start costs some CPU-seconds.
TOGETHER = 25
FLAT, REFLECTIVITIES, SMALL_ANGLE, GAP_KINDS, GAP = 50, 100, 500, 24, 20
#: Where a gap begins, as a share of the points.
GAP_PLACES = (0.2, 0.45, 0.7)
#: Faults of the errors, and what the table calls curves with each.
FAULTS = {
    "": "errors right", "systematic": "a systematic error of up to 2 % of I",
    "misstated": "errors misstated by up to 2.5", "missing": "errors and resolution not given",
}  # fmt: skip
PARTS = ("curves", "flat", "gaps", "reflectometry", "small-angle")
#: Reflectivities that begin below this part of the critical edge show total reflection.
EDGE_SHOWN = 0.7
_SEED = 2026


@dataclass(frozen=True)
class Job:
    """A file to be answered."""

    key: str  #: Under which its row is kept.
    #: Writes the file, at this path with a suffix of its own, and returns that path and what its row says
    #: in addition to the answer.
    write: Callable[[Path], tuple[Path, dict[str, Any]]]


def seeds_of(kind: str, third: int, drawn: int) -> list[int]:
    """Seeds of a third of the curves of a kind; the last third is drawn from a seed given at the end."""
    counts = MANY if kind == MANY_KIND else (EACH,) * 3
    if third == 2:
        return [int(s) for s in np.random.SeedSequence(drawn).generate_state(counts[2])]
    return list(range(1 + sum(counts[:third]), 1 + sum(counts[: third + 1])))


def jobs_of(part: str, thirds: Sequence[int], drawn: int, only: Sequence[str]) -> list[Job]:
    """All files of a part; `thirds` and `only` (kinds) choose among the samples."""
    if part == "curves":
        asked = [kind.name for kind in KINDS if not only or kind.name in only]
        numbered = [
            (place, kind, seed)
            for third in thirds
            for kind in asked
            for place, seed in enumerate(seeds_of(kind, third, drawn))
        ]
        # One curve of each kind before the second of any, so that a part of a run shows all kinds.
        return [_sample_job(kind, seed) for _, kind, seed in sorted(numbered, key=lambda one: one[0])]
    if part == "flat":
        return [Job(f"flat {n}", partial(_write_flat, n)) for n in range(FLAT)]
    if part == "gaps":
        kinds = [kind.name for kind in KINDS if not kind.interacting and not kind.said][:GAP_KINDS]
        places = (None, *GAP_PLACES)
        return [
            Job(f"{kind} {place}", partial(_write_gap, kind, place)) for kind in kinds for place in places
        ]
    if part == "reflectometry":
        return [Job(f"reflectivity {n}", partial(write_reflectivity, n)) for n in range(REFLECTIVITIES)]
    return [_sample_job(KINDS[n % len(KINDS)].name, 1000 + n // len(KINDS)) for n in range(SMALL_ANGLE)]


def _sample_job(kind: str, seed: int) -> Job:
    return Job(f"{kind} {seed}", partial(_write_sample, kind, seed))


def _write_sample(kind: str, seed: int, path: Path) -> tuple[Path, dict[str, Any]]:
    curve = curve_of(BY_NAME[kind], seed)
    facts = {"instrument": curve.measurement.instrument, "faults": curve.measurement.faults}
    path = path.with_suffix(".xml" if curve.measurement.slit else ".dat")
    curve.measurement.save(path)
    return path, {"kind": kind, "seed": seed, **facts}


def _write_gap(kind: str, place: float | None, path: Path) -> tuple[Path, dict[str, Any]]:
    whole = curve_of(BY_NAME[kind], 1, "SANS, distances merged", faults=False).measurement
    low, path = int((place or 0) * whole.q.size), path.with_suffix(".dat")
    (whole if place is None else whole.without(low, low + GAP)).save(path)
    return path, {"kind": kind, "place": place}


def _write_flat(number: int, path: Path) -> tuple[Path, dict[str, Any]]:
    flat(number).save(path.with_suffix(".dat"))
    return path.with_suffix(".dat"), {}


def flat(number: int) -> Measurement:
    """A constant with noise, on the points of any of the instruments."""
    rng = np.random.default_rng([number, _SEED])
    instrument = str(rng.choice([name for name in INSTRUMENTS if name != "slit"]))
    low = float(np.exp(rng.uniform(np.log(0.003), np.log(0.02))))
    q, dq, _ = INSTRUMENTS[instrument](low, float(rng.uniform(0.2, 0.5)), rng)
    level = float(np.exp(rng.uniform(np.log(0.01), np.log(50))))
    sigma = (
        level
        * float(np.exp(rng.uniform(np.log(0.003), np.log(0.1))))
        * np.sqrt(q[-1] / q) ** rng.uniform(0, 1)
    )
    known = rng.random() > 0.15
    return Measurement(
        q, level + sigma * rng.standard_normal(q.size), sigma if known else None, dq, None, instrument
    )


def write_reflectivity(number: int, path: Path) -> tuple[Path, dict[str, Any]]:
    """A reflectivity, in half of the files without a word on what it is."""
    rng = np.random.default_rng([number, _SEED])
    q, values, errors, dq = measured_reflectivity(rng)
    columns = [q, values, errors, *([dq] if rng.random() < 0.5 else [])]
    names = "q (1/A)  R  dR" if rng.random() < 0.5 else "q (1/A)  I  dI"
    header = names + ("  dq (1/A)" if columns[3:] else "")
    path = path.with_suffix(".dat")
    np.savetxt(path, np.column_stack(columns), fmt="%.6e", header=header)
    # How far below the edge it begins: where R has fallen to a half.
    return path, {"header": header, "begins": float(q[0] / q[np.argmax(values < 0.5 * values.max())])}


def answers(jobs: Sequence[Job], command: str, checkout: Path) -> Iterator[dict[str, Any]]:
    """Of each file a row with what ``sasnet fit`` or ``classify`` prints as JSON, and its CPU-seconds."""
    for first in range(0, len(jobs), TOGETHER):
        yield from _answers_of(jobs[first : first + TOGETHER], command, checkout)


def _answers_of(jobs: Sequence[Job], command: str, checkout: Path) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        rows = {}
        for number, job in enumerate(jobs):
            path, facts = job.write(Path(folder) / f"curve{number:02d}")
            rows[path.name] = {"key": job.key, **facts}
        options = ["--json", "--quiet", *(["--workers", "1"] if command == "fit" else [])]
        own = [str(checkout.resolve()), *filter(None, [os.environ.get("PYTHONPATH")])]
        process = subprocess.Popen(
            [sys.executable, "-m", "sasnet_plugin", command, *options, *rows],
            cwd=folder, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(own)},
        )  # fmt: skip
        assert process.stdout is not None
        before = 0.0
        with process:
            for line in process.stdout:
                used = cpu_of(process.pid)
                answer = json.loads(line) if line.startswith("{") else {}
                if answer.get("file") in rows:
                    row = rows.pop(answer["file"])
                    yield row | {"seconds": round(used - before, 2), "answer": short(answer)}
                    before = used
        for row in rows.values():
            sentence = f"no answer; the command ended with {process.returncode}"
            yield row | {"seconds": 0.0, "answer": {"error": sentence}}


def cpu_of(pid: int) -> float:
    """CPU-seconds of a process and its children so far (Linux); 0 elsewhere."""
    total, tick = 0.0, os.sysconf("SC_CLK_TCK")
    for process in [pid, *_children(pid)]:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15])) / tick  # user, system, and those of children that have ended
    return total


def _children(pid: int) -> list[int]:
    try:
        found = [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return found + [grandchild for child in found for grandchild in _children(child)]


def short(answer: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an answer."""
    fields = (
        "error", "headline", "doubt", "doubts", "verdict", "limit_met", "notes", "in_scope", "interaction",
    )  # fmt: skip
    kept = {name: answer[name] for name in fields if name in answer}
    if "fits" in answer:
        kept["fits"] = [
            {key: fit[key] for key in ("model", "structure_factor", "weight", "reduced_chisq")}
            | {
                "values": {
                    n: [p["value"], p["error"]] for n, p in fit["parameters"].items() if not p["fixed"]
                }
            }
            for fit in answer["fits"][:6]
        ]
    return kept


def run_part(part: str, jobs: Sequence[Job], work: Path, checkout: Path | None) -> list[dict[str, Any]]:
    """The rows of a part: what is kept and, by the package of a checkout, what is new."""
    by_key = {job.key: job for job in jobs}

    def answer(missing: list[str]) -> Iterator[dict[str, Any]]:
        command = "fit" if part in ("curves", "flat") else "classify"
        return answers([by_key[key] for key in missing], command, checkout) if checkout else iter(())

    rows = resumed(
        work / f"{part}.jsonl", list(by_key), answer,
        lambda row: f"{row['key']}: {_said(row['answer'])} ({row['seconds']:.1f} s)", "key",
    )  # fmt: skip
    return [judged(row) for row in rows] if part == "curves" else rows


def _said(answer: dict[str, Any]) -> str:
    return str(answer.get("headline") or answer.get("error") or "answered")


def judged(row: dict[str, Any]) -> dict[str, Any]:
    """A row with the verdict on its answer, and its values."""
    kind = BY_NAME[row["kind"]]
    how, truth = verdict(row["answer"], kind), drawn_of(kind, row["seed"])[0].values
    known = values(row["answer"], truth) if how == RIGHT else {}
    return row | {"judged": how, "truth": dict(truth), "values": known}


def share(count: int, of: int) -> str:
    """A percentage with its binomial standard error."""
    if of == 0:
        return "–"
    part = count / of
    error = np.sqrt(max(part * (1 - part), 0.25 / of) / of)
    return f"{100 * part:.0f} ± {100 * error:.0f}"


def curves_table(rows: Sequence[dict[str, Any]]) -> str:
    """All kinds, and the values."""
    usual = [row for row in rows if BY_NAME[row["kind"]].everyday]
    many = [row for row in rows if row["kind"] == MANY_KIND]
    header = [
        "curves", "number", "right %", "cautioned %", "wrong, no caution %", "refused %", "CPU-s, mean",
        "median",
    ]  # fmt: skip
    lines = [_line("all", rows), _line("everyday kinds", usual), _line(MANY_KIND, many)]
    text = "## Answers\n\n" + markdown(header, lines) + "\n" + values_table(rows)
    per_kind = [
        _line(kind.name + ("" if kind.everyday else " *"), own)
        for kind in KINDS
        if (own := [row for row in rows if row["kind"] == kind.name])
    ]
    return (
        text
        + "\n## Kinds\n\nAn asterisk marks kinds that are not everyday ones.\n\n"
        + markdown(header, per_kind)
    )


def _line(title: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    counts = [
        share(sum(row["judged"] == how for row in rows), len(rows))
        for how in (RIGHT, CAUTIONED, WRONG, REFUSED)
    ]
    seconds = [row["seconds"] for row in rows] or [np.nan]
    return [title, str(len(rows)), *counts, f"{np.mean(seconds):.1f}", f"{np.median(seconds):.1f}"]


def values_table(rows: Sequence[dict[str, Any]]) -> str:
    """How many errors values are off, all and by quantity; and of which the truth is known but not stated."""
    header = ["values", "number", "within 1 error %", "within 2 %", "beyond 3 %", "median error %"]
    found = [(name, value) for row in rows for name, value in row["values"].items()]
    lines = [_values_line("all", found)]
    for fault, title in FAULTS.items():
        own = [row for row in rows if (fault in row["faults"] if fault else not row["faults"])]
        lines.append(_values_line(title, [item for row in own for item in row["values"].items()]))
    lines += [
        _values_line(q, [f for f in found if f[0] == q]) for q in dict.fromkeys(name for name, _ in found)
    ]
    known = sum(len(row["truth"]) for row in rows if row["judged"] == RIGHT)
    return f"## Values of right answers\n\n{len(found)} of {known} known values are stated.\n\n" + markdown(
        header, lines
    )


def _values_line(title: str, found: Sequence[tuple[str, dict[str, float]]]) -> list[str]:
    pulls = np.array([abs(value["pull"]) for _, value in found])
    relative = [abs(value["error"] / value["value"]) for _, value in found if value["value"]]
    counts = [share(int(np.sum(kept)), len(found)) for kept in (pulls <= 1, pulls <= 2, pulls > 3)]
    return [title, str(len(found)), *counts, f"{100 * np.median(relative):.2g}" if relative else "–"]


def flat_line(rows: Sequence[dict[str, Any]]) -> str:
    """How many flat curves are said to have no structure, and how many are given a size."""
    texts = [str(row["answer"].get("headline", "")) for row in rows]
    none = sum("no structure" in text.lower() or "constant" in text.lower() for text in texts)
    sizes = sum(any(value.unit == "Å" for value in stated(text)) for text in texts)
    return f"Flat noise: {none} of {len(rows)} said to have no structure; {sizes} given a size.\n"


def gaps_line(rows: Sequence[dict[str, Any]]) -> str:
    """In how many curves a structure factor is seen."""

    def seen(place: float | None) -> str:
        own = [row for row in rows if row["place"] == place]
        likely = sum((row["answer"].get("interaction") or {}).get("interacting", 0) >= 0.5 for row in own)
        return f"{likely} of {len(own)}"

    places = ", ".join(f"{seen(place)} at {100 * place:.0f} % of the points" for place in GAP_PLACES)
    return (
        f"A structure factor is seen without a gap in {seen(None)}; with a gap of {GAP} points in {places}.\n"
    )


def reflectometry_line(rows: Sequence[dict[str, Any]]) -> str:
    """How many reflectivities are refused, by how much of total reflection they show."""
    early = [row for row in rows if row["begins"] < EDGE_SHOWN]
    which = f"Of them those that begin below {EDGE_SHOWN} of the critical edge"
    return refusals_line("Reflectometry", rows) + "\n" + refusals_line(which, early)


def refusals_line(what: str, rows: Sequence[dict[str, Any]]) -> str:
    """How many curves are refused."""
    refused = [row for row in rows if "error" in row["answer"]]
    return f"{what}: {len(refused)} of {len(rows)} refused.\n"


def failures(rows: Sequence[dict[str, Any]]) -> str:
    """All wrong answers, and the values that are off by more than three errors."""
    lines = ["# Wrong answers without a caution\n"]
    for row in rows:
        if row["judged"] in (WRONG, REFUSED):
            lines.append(_failure(row))
    lines.append("\n# Cautioned\n")
    lines += [_failure(row) for row in rows if row["judged"] == CAUTIONED]
    lines.append("\n# Values beyond three errors\n")
    for row in rows:
        off = {name: value for name, value in row["values"].items() if abs(value["pull"]) > 3}
        if off:
            lines.append(_failure(row))
            lines += [
                f"  - {name}: {_written(v)}, truth {v['truth']:.5g}: {v['pull']:+.1f} errors"
                for name, v in off.items()
            ]
    return "\n".join(lines) + "\n"


def _written(value: dict[str, float]) -> str:
    return f"{value['value']:.5g} ± {value['error']:.2g}"


def _failure(row: dict[str, Any]) -> str:
    answer, kind = row["answer"], BY_NAME[row["kind"]]
    models = ", ".join(
        f"{name_of(fit)} ({fit['weight'] or 0.0:.3f}, {fit['reduced_chisq']:.3g})"
        for fit in answer.get("fits", [])[:5]
    )
    faults = ", ".join(f"{name} {size:.3g}" for name, size in row["faults"].items()) or "none"
    known = ", ".join(f"{name} {value:.5g}" for name, value in row["truth"].items())
    right = ", ".join(sorted(kind.right)) or "a caution"
    about = f"{row['instrument']}; faults of errors: {faults}; {row['seconds']:.0f} CPU-s"
    return (
        f'- **{row["judged"]}** `--curve "{row["kind"]}" {row["seed"]} FILE` ({about}).'
        f" Right: {right}; {known}.\n"
        f"  Answer: {answer.get('headline') or answer.get('error')} Caution: {answer.get('doubt') or '–'}\n"
        f"  Fits (weight, reduced χ²): {models}"
    )


def report(rows: dict[str, list[dict[str, Any]]]) -> str:
    text = "# Curves from independent formulas\n\n"
    if rows.get("curves"):
        text += curves_table(rows["curves"])
    lines = {
        "flat": flat_line,
        "gaps": gaps_line,
        "reflectometry": reflectometry_line,
        "small-angle": lambda own: refusals_line("Small-angle curves", own),
    }
    own = [line(rows[part]) for part, line in lines.items() if rows.get(part)]
    return text + ("\n## Other parts\n\n" + "\n".join(own) if own else "")


def main() -> None:
    parser = parser_of(__doc__, seed=(_SEED, "of the third that is drawn at the end"))
    parser.add_argument("--work", type=Path, help="folder of answers; a killed run goes on")
    parser.add_argument("--part", choices=PARTS, action="append", help="default: all")
    parser.add_argument("--third", type=int, choices=(0, 1, 2), action="append", help="of the samples")
    parser.add_argument("--only", action="append", metavar="KIND", default=[])
    parser.add_argument(
        "--curve", nargs=3, metavar=("KIND", "SEED", "FILE"), help="write the file of one curve"
    )
    parser.add_argument("--checkout", type=Path, default=Path(), help="whose package answers; default: this")
    parser.add_argument("--kept", action="store_true", help="report what is kept; answer nothing")
    parser.add_argument("--failures", type=Path, metavar="FILE", help="list wrong answers in this file")
    asked = parser.parse_args()
    if asked.curve:
        kind, seed, path = asked.curve
        curve_of(BY_NAME[kind], int(seed)).measurement.save(Path(path))
        return
    if asked.work is None:
        parser.error("--work W is needed: a folder where answers are kept")
    rows = {
        part: run_part(
            part,
            jobs_of(part, asked.third or (0, 1, 2), asked.seed, asked.only),
            asked.work,
            None if asked.kept else asked.checkout,
        )
        for part in asked.part or PARTS
    }
    page = report(rows)
    show(page, asked.write, __file__)
    if asked.failures and "curves" in rows:
        asked.failures.write_text(failures(rows["curves"]), encoding="utf-8")
