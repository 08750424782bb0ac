"""What files do to the readers: mutants, hostile files, the same data in another dress; bounded and seeded.

Each file is read in a process whose time and memory are watched. A failure is a hang, too much memory, an
exception that is no `SasnetError`, a sentence that does not name the file or that would reach a terminal with
control characters, or numbers that change without a word.

Usage: ``python -m benchmarks service/robustness_files PART [--tried N] [--seed S]``.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import resource
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.workers.child import Child

from . import robustness_hostile as hostile_files
from .robustness import MOST_BYTES, MOST_SECONDS, Counts
from .robustness_kills import Run

#: Address space of a reader, bytes: what goes wrong must not take the machine along.
SPACE = 12 * 2**30
GEOMETRY = ("wavelength=1.0", "alpha_i=0.2", "phi=[-1.0, 1.0]", "alpha_f=[0.0, 2.0]", "up=top")


def worker(receive: Callable[[], Any], say: Callable[[Any], None]) -> None:
    """Read one file after the other; runs in a process of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from sasnet_plugin.types import SasnetError

    read(next(Path(__file__).parent.glob("*.md")))  # imports what reading needs
    while True:
        path = receive()
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        try:
            found = {"curves": read(path)}
        except SasnetError as error:
            found = {"refused": str(error)}
        except BaseException as error:
            found = {"raised": f"{type(error).__name__}: {error}"[:300]}
        status = Path("/proc/self/status").read_text()
        found["peak"] = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        say(found)


def read(path: Path) -> list[dict[str, Any]]:
    """Numbers and notes of what a file holds, by the domain that takes it."""
    from sasnet_plugin.domains import ReadOptions, recognised, specification
    from sasnet_plugin.types import Curve, SasnetError

    if path.suffix == ".md":
        try:
            (
                __import__("sasdata.dataloader.loader"),
                __import__("fabio"),
                __import__("sasnet_plugin.data.images.load"),
            )
        except ImportError:
            return []
        return []
    domain = specification(recognised(path))
    failed: list[SasnetError] = []
    options = ReadOptions(geometry=GEOMETRY if domain.name.startswith("gisas") else (), failed=failed.append)
    found = []
    for one in domain.read(str(path), options):
        if isinstance(one, Curve):
            values = {"q": one.q, "intensity": one.intensity, "dintensity": one.dintensity}
        else:
            values = {"intensity": np.array([one.counts[one.mask].sum(), one.mask.size, one.counts.shape[0]])}
        found.append({"values": values, "notes": one.notes, "entry": one.entry})
    if failed and not found:
        raise failed[0]
    return found


class Reader:
    """A process that reads, started again when it hangs, dies or has grown."""

    def __init__(self) -> None:
        self._heard: queue.Queue[tuple[Child, Any]] = queue.Queue()
        self._child: Child | None = None

    def __call__(self, path: Path) -> dict[str, Any]:
        """What became of a file; one that hangs is tried again, as other work may have had the machine."""
        answer = self._read(path)
        return self._read(path) if "hangs" in answer else answer

    def _read(self, path: Path) -> dict[str, Any]:
        if self._child is None:
            self._heard = queue.Queue()  # what is left of the child before is not heard
            self._child = Child(f"{__name__}:worker", self._heard, quiet=True)
            self._child.send(Path(__file__).parent / "latency.md")
            if self._heard.get(timeout=120)[1] is None:
                raise RuntimeError("the process that reads did not start")
        self._child.send(path)
        start = time.monotonic()
        try:
            _, answer = self._heard.get(timeout=MOST_SECONDS)
        except queue.Empty:
            answer = {"hangs": f"for {MOST_SECONDS:g} s"}
        answer = answer or {"raised": "the process died"}
        answer["seconds"] = time.monotonic() - start
        if "peak" not in answer or answer["peak"] > 500:
            self._child.end()
            self._child = None
        return answer


def unfit(text: str) -> bool:
    """Whether a terminal would take a part of the text for an order, or show it where it does not stand."""
    return any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in text)


def wrong(path: Path, answer: dict[str, Any]) -> str:
    """What is wrong with an answer, whatever the file; empty where nothing is."""
    for key in ("hangs", "raised"):
        if key in answer:
            return f"{key} {answer[key]}"
    if answer["peak"] > MOST_BYTES / 2**20:
        return f"took {answer['peak']:.0f} MiB"
    sentence = answer.get("refused", "")
    if sentence and (str(path) not in sentence or "\n" in sentence):
        return f"says {sentence[:200]!r}"
    texts = [sentence, *(t for one in answer.get("curves", []) for t in (*one["notes"], one["entry"]))]
    return f"would show {next(t for t in texts if unfit(t))[:80]!r}" if any(map(unfit, texts)) else ""


def same(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> bool:
    """Whether two readings hold the same numbers."""
    return len(old) == len(new) and all(
        (a is None) == (b is None) and (a is None or (len(a) == len(b) and np.allclose(a, b, rtol=2e-3)))
        for one, other in zip(old, new, strict=True)
        for a, b in ((one["values"][key], other["values"].get(key)) for key in one["values"])
    )


def silent(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether numbers changed and nothing was said."""
    if "curves" not in after or same(before["curves"], after["curves"]):
        return False
    told = {note for one in before["curves"] for note in one["notes"]}
    return not any(note not in told for one in after["curves"] for note in one["notes"])


def seeds() -> list[Path]:
    """Real curves of sasdata, beside them images made here."""
    import sasdata

    return sorted(
        p for p in (Path(sasdata.__file__).parent / "example_data" / "1d_data").iterdir() if p.is_file()
    )


def images(work: Path) -> list[Path]:
    """An image of each format."""
    import fabio.cbfimage
    import fabio.edfimage

    made = [work / f"image.{end}" for end in ("edf", "cbf", "npy", "npz", "h5", "tif", "tiff", "int")]
    fabio.edfimage.EdfImage(data=hostile_files.IMAGE).write(str(made[0]))
    fabio.cbfimage.CbfImage(data=hostile_files.IMAGE).write(str(made[1]))
    np.save(made[2], hostile_files.IMAGE)
    np.savez_compressed(made[3], counts=hostile_files.IMAGE)
    import h5py

    with h5py.File(made[4], "w") as file:
        file.create_dataset("entry/data", data=hostile_files.IMAGE, chunks=(32, 32), compression="gzip")
    hostile_files.tiff(made[5])
    hostile_files.tiff(made[6], packed=False)
    axes = "".join(
        f'# axis-{k}\nEquiDivision("{n} (deg)", 128, -1.0, 1.0)\n' for k, n in enumerate(("phi_f", "alpha_f"))
    )
    table = "\n".join(" ".join(map(str, row)) for row in hostile_files.IMAGE)
    made[7].write_text(f"# BornAgain Intensity Data\n\n{axes}# data\n{table}\n")
    return made


def mutant(data: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """Damaged content, and how."""
    body = bytearray(data)
    kind = str(rng.choice(["flip", "cut", "drop", "insert", "zero", "repeat", "word", "swap"]))
    a, b = sorted(rng.integers(0, len(body) + 1, 2).tolist())
    b = min(b, a + int(rng.choice([1, 10, 500, 20_000])))
    if kind == "flip":
        for at in rng.integers(0, len(body), int(rng.choice([1, 3, 30]))):
            body[at] ^= 1 << int(rng.integers(8))
    elif kind == "cut":
        del body[a:]
    elif kind == "drop":
        del body[a:b]
    elif kind == "insert":
        body[a:a] = rng.bytes(b - a)
    elif kind == "zero":
        body[a:b] = bytes(b - a)
    elif kind == "repeat":
        body[a:a] = body[a:b] * int(rng.choice([1, 50]))
    elif kind == "word":
        words = (
            b"nan",
            b"1e999",
            b"-",
            b"1,234.5",
            b"99999999999",
            b"\x1b[2J",
            b"(",
            b"\xff\xfe",
            b"\0",
            b"1_0",
            b"\n",
        )
        body[a:b] = words[int(rng.integers(len(words)))]
    else:
        body = body[b:] + body[a:b] + body[:a]
    return bytes(body), kind


def mutants(work: Path, tried: int, seed: int) -> Counts:
    """Damaged files through Python."""
    rng, reader = np.random.default_rng(seed), Reader()
    sources = [*seeds(), *images(work) * 3]
    whole: dict[Path, dict[str, Any]] = {}
    failures = []
    for number in range(tried):
        source = sources[int(rng.integers(len(sources)))]
        data, kind = mutant(source.read_bytes(), rng)
        path = work / f"mutant{number}{source.suffix}"
        path.write_bytes(data)
        answer = reader(path)
        problem = wrong(path, answer)
        if (
            not problem
            and kind == "cut"
            and source.suffix in (".tif", ".tiff", ".cbf", ".edf", ".npy", ".npz")
        ):
            whole.setdefault(source, reader(source))
            problem = "cut in silence" if silent(whole[source], answer) else ""
        if problem:
            failures.append(f"{path.name} ({source.name}, {kind}): {problem}")
        else:
            path.unlink()
    return Counts(tried, tried - len(failures), failures)


def commands(work: Path, tried: int, seed: int) -> Counts:
    """Damaged files through ``sasnet classify``."""
    rng = np.random.default_rng(seed)
    sources = [*seeds(), *images(work)]
    failures = []
    for number in range(tried):
        source = sources[int(rng.integers(len(sources)))]
        path = work / f"command{number}{source.suffix}"
        path.write_bytes(mutant(source.read_bytes(), rng)[0])
        as_json = bool(rng.integers(2))
        if problem := commanded(path, ["--json"] * as_json):
            failures.append(f"{path.name} ({source.name}): {problem}")
        else:
            path.unlink()
    return Counts(tried, tried - len(failures), failures)


def commanded(path: Path, options: list[str]) -> str:
    """What is wrong with the answer of ``sasnet classify``; empty where nothing is."""
    command = ["-P", "-m", "sasnet_plugin", "classify", str(path), *options]
    for _ in range(2):  # as a reader's file
        run = Run(command, dict(os.environ), path.parent)
        wrong = run.wrong(MOST_SECONDS)
        if not (wrong and wrong.startswith("hangs")):
            break
    if wrong and (run.code != 1 or "Traceback" in run.error):
        return wrong
    if run.peak > MOST_BYTES:
        return f"took {run.peak / 2**20:.0f} MiB"
    shown = run.out + run.error
    if unfit(shown.replace("\n", "").replace("\t", "")):
        return "would show control characters"
    try:
        rows = [json.loads(line) for line in run.out.splitlines()] if options else [1]
    except json.JSONDecodeError:
        return f"no JSON: {run.out[:200]!r}"
    return "" if rows or run.code else "says nothing"


def hostile(work: Path, tried: int, seed: int) -> Counts:
    """Files made to harm, the first `tried` of `CASES`."""
    reader, failures = Reader(), []
    names = list(hostile_files.CASES)[:tried]
    for name in names:
        expected, make = hostile_files.CASES[name]
        path = work / name
        make(path)
        answer = reader(path)
        problem = wrong(path, answer)
        if not problem and expected == "refused" and "refused" not in answer:
            problem = "was read: " + "; ".join(n for one in answer["curves"] for n in one["notes"])[:200]
        if problem:
            failures.append(f"{name}: {problem} ({answer['seconds']:.1f} s)")
        path.unlink(missing_ok=True)
    return Counts(len(names), len(names) - len(failures), failures)


def dresses(rows: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """The same table written as people and programs do: name and text."""
    form = str(rng.choice(["%.6f", "%.8g", "%.6e"]))
    cells = [[form % value for value in row] for row in rows]
    some = set(rng.choice(len(rows), max(1, len(rows) // 6), replace=False).tolist())

    def table(join: str, change: Callable[[int, int, str], str] = lambda r, c, w: w, end: str = "\n") -> str:
        return (
            end.join(join.join(change(r, c, w) for c, w in enumerate(row)) for r, row in enumerate(cells))
            + end
        )

    def big(sign: str, point: str) -> Callable[[int, int, str], str]:
        return lambda r, c, w: (
            f"{500 * rows[r, c]:,.3f}".translate(str.maketrans(",.", sign + point))
            if c
            else w.replace(".", point)
        )

    for join in (" ", "\t", ",", ";", ", ", " ; ", "  ,  "):
        yield f"join {join!r}", table(join)
    for join in (" ", "\t", ";", "; "):
        yield f"comma {join!r}", table(join, lambda r, c, w: w.replace(".", ","))
        yield f"some commas {join!r}", table(join, lambda r, c, w: w.replace(".", ",") if r in some else w)
    for sign, point in (",.", ".,", "'.", " .", "_.", "\u00a0,", "\u202f."):
        yield f"thousands {sign!r}", table("\t", big(sign, point))
        yield f"thousands; {sign!r}", table(";", big(sign, point))
    for end in ("\r\n", "\r", "\n\n", "\x85", "\u2028", "\x0c\n"):
        yield f"end {end!r}", table(" ", end=end)
    for mark in ("#", "%", "//", "'", "x ", "-", "*"):
        yield f"mark {mark!r}", table(" ", lambda r, c, w, mark=mark: mark + w if c == 0 and r in some else w)
    for bad in ("nan", "", "-", "1.#INF", "***", "1e", "0x1p3", "1e5000", "--", "<5"):
        yield f"cell {bad!r}", table("\t", lambda r, c, w, bad=bad: bad if c == 1 and r in some else w)
    yield "quoted", table(",", lambda r, c, w: f'"{w}"')
    yield "fortran", table(" ", lambda r, c, w: w.replace("e", "D"))
    yield (
        "fourth column early",
        "".join(
            line + (" 1\n" if n < len(rows) // 3 else "\n") for n, line in enumerate(table(" ").splitlines())
        ),
    )
    yield (
        "fourth column late",
        "".join(
            line + (" 1\n" if n > len(rows) // 2 else "\n") for n, line in enumerate(table(" ").splitlines())
        ),
    )
    yield (
        "remarks",
        "".join(
            f"{line}\n# remark\n" if n in some else f"{line}\n"
            for n, line in enumerate(table(" ").splitlines())
        ),
    )
    yield (
        "blank lines",
        "".join(
            f"{line}\n\n\n\n" if n in some else f"{line}\n" for n, line in enumerate(table(" ").splitlines())
        ),
    )
    yield (
        "words",
        "".join(
            f"{line}\nsome words\nmore\nwords 1 2\n" if n in some else f"{line}\n"
            for n, line in enumerate(table(" ").splitlines())
        ),
    )
    yield "numbered", "".join(f"{n} {line}\n" for n, line in enumerate(table(" ").splitlines()))
    yield "exponents apart", table(" ", lambda r, c, w: w.replace("e", " e") if r in some else w)
    yield "reversed", "\n".join(reversed(table(" ").splitlines()))
    yield "full width", table(" ").translate({48 + n: 0xFF10 + n for n in range(10)})
    yield "minus", table(" ", lambda r, c, w: w.replace("-", "\u2212"))


def rewritings(work: Path, tried: int, seed: int) -> Counts:
    """The same numbers in another dress: the same curve, or a word about it."""
    rng, reader = np.random.default_rng(seed), Reader()
    failures: list[str] = []
    number = 0
    while number < tried:
        size = int(rng.choice([9, 40, 160]))
        q = np.geomspace(0.004, 0.4, size)
        signal = np.exp(-((q * rng.uniform(20, 60)) ** 2) / 3) * 10 ** rng.uniform(-1, 1) + 0.1
        rows = np.column_stack([q, signal, 0.03 * signal])
        for name, content in dresses(rows, rng):
            if number == tried:
                break
            number += 1
            scale = 500.0 if name.startswith("thousands") else 1.0
            truth = {"q": q, "intensity": scale * rows[:, 1], "dintensity": scale * rows[:, 2]}
            path = work / f"dress{number}.dat"
            path.write_text(content, encoding="utf-8", newline="")
            answer = reader(path)
            problem = wrong(path, answer)
            if not problem and silent({"curves": [{"values": truth, "notes": ()}]}, answer):
                problem = "reads other numbers in silence"
            if problem:
                failures.append(f"{path.name} ({name}, {size} rows): {problem}")
    return Counts(number, number - len(failures), failures)


PARTS: dict[str, tuple[Callable[[Path, int, int], Counts], int]] = {
    "mutants": (mutants, 5000),
    "commands": (commands, 300),
    "hostile": (hostile, 1000),
    "rewritings": (rewritings, 1000),
}


def main() -> None:
    """One part alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--tried", type=int)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    part, usual = PARTS[given.part]
    counts = part(Path(tempfile.mkdtemp(prefix="sasnet-files-")), given.tried or usual, given.seed)
    print(*counts.failures, sep="\n")
    print(f"{given.part}: {counts.tried} tried, {counts.survived} survived, {len(counts.failures)} failures")
