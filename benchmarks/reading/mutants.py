"""What comes of a good file in which something small is damaged?

Usage: ``python -m benchmarks reading/mutants [--seed S] [--each N] [--only WORD] [--keep FOLDER] [--write]``

Twelve good files in eight formats (columns of text, CSV, canSAS XML, NXcanSAS, plain NeXus, PDH, NIST's ABS
and USANS) hold a sphere, a coil or lamellae. Each is damaged in N ways drawn at random (`mutations`): a
value, a token, a line, a delimiter, a byte. Each mutant is read by `sasnet_plugin.load` in another process,
and the model that the sample is known to be is fitted to it (`size_of`), as to the good file.

- **same**: the size is that of the good file within 3 %.
- **noted**: another size, and a note that the good file has not.
- **refused**: one sentence, no answer.
- **silent**: another size without a word. There must be none.
- **traceback**: an error that is no sentence. There must be none.
- **too long, too large**: more than 30 s or 1.5 GB. There must be none.

Names and units of columns are not exchanged for other valid ones: no reader can see that.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import TimeoutError as MutantTimeout
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from ..common import parser_of
from . import instruments
from .containers import DAWN, cansas, nexus, nxcansas
from .mutations import of_file
from .report import count_outcomes, show_reading
from .samples import KINDS, Array, File, Measurement, measured
from .units import PER_NM, Table

MOST_OFF = 0.03
MOST_SECONDS, MOST_BYTES = 30.0, 1.5e9
OUTCOMES = ("same", "noted", "refused", "silent", "traceback", "too long", "too large")
BAD = OUTCOMES[3:]


@dataclass(frozen=True)
class Good:
    """A good file."""

    kind: str  #: "text", "xml" or "hdf5": how it can be damaged.
    sample: int  #: One of `KINDS`.
    write: Callable[[Measurement], File]

    @property
    def size(self) -> float:
        """Radius, Rg or spacing, Å."""
        return (60.0, 60.0, 120.0)[self.sample]

    def form(self, q: Array, size: float) -> Array:
        """The curve of the sample, of another size."""
        return KINDS[self.sample][1](q, size)


GOOD_FILES = {
    "text": Good("text", 0, Table(".dat", "# q (1/A)  I (1/cm)  dI (1/cm)\n", form="%.6e")),
    "text of a coil": Good(
        "text", 1, Table(".txt", "Sample 1\nq(1/nm)\tI\tsigma\n", "nm I dI", "%.5e", "\t")
    ),
    "text with dq": Good("text", 2, Table(".dat", "# q(1/A) I dI dq\n", "q I dI dQ", "%.6g", "  ")),
    "CSV": Good("text", 0, Table(".csv", "q (1/A),I (1/cm),dI (1/cm)\n", form="%.7g", gap=",")),
    "CSV of a coil": Good("text", 1, Table(".csv", "q_nm^-1;I;error\n", "nm I dI", "%.6e", ";")),
    "canSAS XML": Good("xml", 0, partial(cansas, "1/A", 1.0, "1.1")),
    "canSAS XML of lamellae": Good("xml", 2, partial(cansas, "1/nm", PER_NM, "1.1")),
    "NXcanSAS": Good("hdf5", 0, partial(nxcansas, "1/angstrom", 1.0, "plain")),
    "NeXus": Good("hdf5", 1, partial(nexus, *DAWN, "errors")),
    "PDH": Good("text", 0, instruments.pdh),
    "ABS": Good("text", 1, instruments.nist_abs),
    "USANS": Good("text", 1, partial(instruments.usans, half=1e-4)),  # a slit too short to matter
}


def size_of(curve: Any, good: Good) -> float:
    """The size of the model that the sample is known to be, by least squares from the true one."""
    from scipy.optimize import least_squares

    q, intensity = curve.q, curve.intensity
    error = (
        curve.dintensity
        if curve.dintensity is not None
        else 0.03 * np.abs(intensity) + 1e-3 * intensity.max()
    )
    level = float(np.median(intensity[:8]))

    def left(p: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.nan_to_num((level * (p[0] * good.form(q, p[1] * good.size) + p[2]) - intensity) / error)

    found = least_squares(left, [1.0, 1.0, 0.01], x_scale=[1.0, 0.1, 0.01], max_nfev=60)
    return float(found.x[1] * good.size)


def answer_of(path: Path, good: Good) -> dict[str, Any]:
    """What comes of reading a file: an outcome's ingredients, or the class of an error."""
    import sasnet_plugin
    from sasnet_plugin.types import SasnetError

    try:
        curves = sasnet_plugin.load(path)
        notes = [note for curve in curves for note in (*curve.notes, str(curve.q_unit), curve.q_unit.doubt)]
        return {"sizes": [size_of(curve, good) for curve in curves], "notes": list(filter(None, notes))}
    except SasnetError as error:
        return {"refused": str(error).replace(str(path), path.name)}
    except Exception as error:
        return {"traceback": f"{type(error).__name__}: {error}"}


def judged(answer: dict[str, Any], right: dict[str, Any]) -> tuple[str, str]:
    """The outcome of a mutant beside the good file's answer, and why."""
    for kind in ("traceback", "refused"):
        if kind in answer:
            return kind, answer[kind]
    sizes = np.array(answer["sizes"])
    true = right["sizes"][0]
    off = float(np.max(np.abs(sizes / true - 1)))
    if sizes.size == len(right["sizes"]) and off < MOST_OFF:
        return "same", ""
    new = [note for note in answer["notes"] if note not in right["notes"]]
    return (
        "noted" if new else "silent"
    ), f"{sizes.size} curves, size off by {off:.1%}; {' '.join(new)[:120]}"


@cache
def good_answer(name: str, folder: Path) -> tuple[File, dict[str, Any]]:
    """A good file, and what comes of reading it."""
    good = GOOD_FILES[name]
    file = good.write(measured(good.sample, 3))
    path = folder / f"{name.replace(' ', '_')}{file.suffix}"
    path.write_bytes(file.content)
    right = answer_of(path, good)
    if "sizes" not in right or abs(right["sizes"][0] / good.size - 1) > 0.05:
        raise ValueError(f"{name}: the good file is not read: {right}")
    return file, right


def read_mutant(name: str, folder: Path, seed: int, number: int) -> dict[str, Any]:
    """Read one mutant of a good file, which stays in the folder where it must not end so."""
    good, (file, right) = GOOD_FILES[name], good_answer(name, folder)
    rng = np.random.default_rng([seed, crc32(name.encode()), number])
    how, content = of_file(file.content, good.kind, rng)
    mutant = folder / f"{name.replace(' ', '_')}_{number}{file.suffix}"
    mutant.write_bytes(content)
    began = time.monotonic()
    outcome, why = judged(answer_of(mutant, good), right)
    seconds, peak = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if outcome not in BAD:
        outcome = "too long" if seconds > MOST_SECONDS else "too large" if peak > MOST_BYTES else outcome
    if outcome not in BAD:
        mutant.unlink()
    return {
        "how": how,
        "outcome": outcome,
        "why": why,
        "seconds": seconds,
        "bytes": peak,
        "path": str(mutant),
    }


def tried(names: Sequence[str], folder: Path, seed: int, each: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """A line of each mutant; a process that has ended or takes too long is replaced."""

    def start() -> Any:
        return get_context("spawn").Pool(1, np.seterr, ("ignore",))

    pool = start()
    for name in names:
        for number in range(each):
            job = pool.apply_async(read_mutant, (name, folder, seed, number))
            try:
                yield name, job.get(MOST_SECONDS + 60)
            except MutantTimeout:
                pool.terminate()
                pool = start()
                why, path = f"no answer to mutant {number}", f"{folder / name}_{number}"
                yield name, {"how": "?", "outcome": "too long", "why": why, "seconds": MOST_SECONDS,
                             "bytes": 0.0, "path": path}  # fmt: skip
    pool.terminate()


def main() -> int:
    """Damage, read, compare, print; exit code 1 where something must not be."""
    parser = parser_of(
        __doc__, seed=(0, "0 is the published one; others are held out."), each=(180, "Mutants of each file.")
    )
    parser.add_argument("--only", default="", help="Only files whose name holds this word.")
    parser.add_argument("--keep", type=Path, help="Keep the mutants that fail in this folder.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        names = [name for name in GOOD_FILES if given.only in name]
        lines = list(tried(names, folder, given.seed, given.each))
    bad = [(name, line) for name, line in lines if line["outcome"] in BAD]
    table = count_outcomes(((name, line["outcome"]) for name, line in lines), ["file", "mutants"], OUTCOMES)
    table += "\n" + count_outcomes(
        sorted((line["how"], line["outcome"]) for _, line in lines), ["damage", "mutants"], OUTCOMES
    )
    most = max(line["seconds"] for _, line in lines), max(line["bytes"] for _, line in lines) / 1e6
    table += f"\nThe slowest mutant took {most[0]:.1f} s, the largest process {most[1]:.0f} MB.\n"
    if bad:
        table += "\nNot as it should be:\n\n"
        table += "".join(
            f"- {name}, {line['how']}: **{line['outcome']}**, {line['why'][:160]}\n" for name, line in bad
        )
    show_reading("Mutants", __doc__, f"{given.seed}", table, given.write, __file__)
    if given.keep:
        print("\n".join(line["path"] for _, line in bad))
    return int(bool(bad))
