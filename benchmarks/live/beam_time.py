"""Is every frame of a beam time answered once, soon, whatever is killed or cut?

    python -m benchmarks live/beam_time --work W [--minutes 10] [--rate 1] [--write]

An instrument writes curves at 10 Hz and SANS frames at 2 Hz, as files that it registers with a real Tiled
server on this machine, or with `--send` to the server alone, as its client does; two
`sasnet follow tiled:… --watch --write-back …` answer them, over a network of their own. Meanwhile the
followers are killed ten times, the server five times, and the network is cut for a thirtieth of the time;
who is killed is started again at once. The latency of a frame is from when it was on the server as a whole
to when its answer was in the table. Quiet are frames that were written while nothing was wrong and all
before were answered. At the end each frame has to have one answer, in the order of writing, and the same on
the server. The table is kept every half a minute, in the folder and with `--write` beside this file: a run
that is cut off (Ctrl-C, a kill) leaves what it has measured, and says so.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..asked import parser_of
from ..tables import markdown
from .instrument import GEOMETRY, KEY, Network, TiledServer, Writer, curve, frame, free_port, seconds

CURVES, FRAMES = 10.0, 2.0
#: Of followers and of the server.
KILLS, RESTARTS = 10, 5
#: Seconds between two looks at the tables, and at the memory.
LOOK, SAMPLE = 0.02, 1.0
#: Seconds between two times that the table is kept.
KEPT = 30.0
#: Seconds after the last frame within which all have to be answered.
END = 300.0
RADII = {"curves": (40.0, 52.0), "frames": (60.0, 75.0)}


@dataclass(frozen=True)
class Asked:
    """What is simulated, as `main` has it from the command line."""

    work: Path
    minutes: float
    rate: float
    write_back: str
    kills: int
    restarts: int
    seed: int
    send: bool


@dataclass
class Follow:
    """A follower that is started again when it ends."""

    name: str
    address: str
    out: Path
    log: Path
    back: str
    #: When the answer of each frame was first in the table, by its key, Unix time.
    seen: dict[str, float] = field(default_factory=dict)
    #: Resident memory, of which life, and frames answered by then.
    held: list[tuple[int, float, int]] = field(default_factory=list)
    used: dict[int, float] = field(default_factory=dict)  #: CPU-seconds by life, as they were last looked at.
    lives: int = 0
    process: Any = None
    stopped: bool = False

    def run(self) -> None:
        """Start it again and again."""
        command = [
            sys.executable, "-m", "sasnet_plugin", "follow", f"tiled:{self.address}/{self.name}", "--out",
            str(self.out), "--watch", "--write-back", self.back,
        ]  # fmt: skip
        while not self.stopped:
            self.lives += 1
            with self.log.open("a") as log:
                self.process = subprocess.Popen(
                    command, stdout=log, stderr=log, env={**os.environ, "TILED_API_KEY": KEY}
                )
                self.process.wait()
            time.sleep(0.2)

    def look(self, at: int) -> int:
        """Note what is new in the table from a place on; the place behind it."""
        if not self.out.exists():
            return 0
        with self.out.open("rb") as file:
            file.seek(at)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        now = time.time()
        for line in whole.decode().splitlines():
            cells = line.split(",", 2)
            if len(cells) > 2 and cells[1].startswith("tiled:"):
                self.seen.setdefault(cells[1].rpartition("/")[2], now)
        return at + len(whole)

    def watch(self) -> None:
        """Look at table and memory until it is stopped."""
        at, sampled = 0, 0.0
        while not self.stopped:
            at = self.look(at)
            if time.monotonic() - sampled > SAMPLE and self.process is not None:
                sampled = time.monotonic()
                life, pid = self.lives, self.process.pid
                self.held.append((life, resident_memory(pid), len(self.seen)))
                self.used[life] = max(seconds(pid), self.used.get(life, 0.0))
            time.sleep(LOOK)


def resident_memory(pid: int) -> float:
    """Return the resident memory of a process, MB; 0 once it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def events(asked: Asked, rng: np.random.Generator) -> list[tuple[float, str]]:
    """What goes wrong when, in seconds from the start, evenly with some jitter; the cut is in the middle."""
    names = ["follow"] * asked.kills + ["server"] * asked.restarts
    names = [str(name) for name in rng.permutation(names)]
    names.insert(len(names) // 2, "cut")
    step = 60 * asked.minutes / (len(names) + 1)
    return [((k + 1 + rng.uniform(-0.2, 0.2)) * step, name) for k, name in enumerate(names)]


@dataclass
class BeamTime:
    """A beam time under way."""

    asked: Asked
    server: TiledServer
    network: Network
    writers: list[Writer]
    followers: list[Follow]
    #: (what, begin, end), what went wrong, Unix times.
    wrong: list[tuple[str, float, float]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)  #: Seconds that the server's starts took.
    loads: list[float] = field(default_factory=list)  #: Of the machine.
    began: float = field(default_factory=time.time)  #: Unix time.

    @property
    def uri(self) -> str:
        """Of the server itself."""
        return f"http://127.0.0.1:{self.server.port}"

    def figures(self, *, cut_off: bool) -> dict[str, Any]:
        """What was measured so far, but for what only the server can say."""
        asked, answered = self.asked, [len(one.seen) for one in self.followers]
        return _times(self.writers, self.followers, self.wrong) | {
            "minutes": asked.minutes,
            "cut off": round((time.time() - self.began) / 60, 1) if cut_off else 0.0,
            "written": [len(one.written) for one in self.writers],
            "answered": answered,
            "reached": [_rate(list(one.written.values())) for one in self.writers],
            "followed": [_rate(list(one.seen.values())) for one in self.followers],
            "wrong": [sum(name == one for name, _, _ in self.wrong) for one in ("follow", "server", "cut")],
            "rate": asked.rate,
            "back": asked.write_back,
            "sent": asked.send,
            "used": [
                self.server.used + seconds(self.server.process.pid),
                time.process_time(),
                *(sum(one.used.values()) for one in self.followers),
            ],
            "load": float(np.median(self.loads or [0.0])),
            "server starts": float(np.median(self.starts or [0.0])),
            "lives": sum(one.lives for one in self.followers),
            "memory": {one.name: _memory(one.held) for one in self.followers},
        }


def begun(asked: Asked) -> BeamTime:
    """The server, the instrument and the followers are started."""
    work, rate = asked.work, asked.rate
    work.mkdir(parents=True, exist_ok=True)
    server = TiledServer(work / "server", free_port())
    first = server.start()
    network = Network(server.port)
    network.start()
    counts = {
        "curves": int(60 * asked.minutes * rate * CURVES),
        "frames": int(60 * asked.minutes * rate * FRAMES),
    }
    writers = _writers(f"http://127.0.0.1:{server.port}", counts, asked, None if asked.send else server.files)
    address = f"http://127.0.0.1:{network.port}"
    followers = [
        Follow(name, address, work / f"{name}.csv", work / f"{name}.log", asked.write_back) for name in counts
    ]
    _prepare(writers)
    for one in (*writers, *followers):
        threading.Thread(target=one.run, daemon=True).start()
    for follower in followers:
        threading.Thread(target=follower.watch, daemon=True).start()
    return BeamTime(asked, server, network, writers, followers, starts=[first])


def beam_time(asked: Asked, kept: Callable[[dict[str, Any]], None]) -> None:
    """Run it.

    Parameters
    ----------
    kept : callable
        Given what is measured so far, from time to time, and at last what was measured.
    """
    run = begun(asked)
    over, cut_off = threading.Event(), True

    def keep() -> None:
        while not over.wait(KEPT):
            kept(run.figures(cut_off=True))

    threading.Thread(target=keep, daemon=True).start()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            _go_wrong(run)
            _until_answered(run)
            cut_off = False
    finally:  # whatever has ended it; a signal often comes twice
        heard = [signal.signal(one, signal.SIG_IGN) for one in (signal.SIGINT, signal.SIGTERM)]
        over.set()
        kept(run.figures(cut_off=cut_off))
        _stop(run.followers)
        for one, handler in zip((signal.SIGINT, signal.SIGTERM), heard, strict=True):
            signal.signal(one, handler)
    with contextlib.suppress(KeyboardInterrupt):
        kept(run.figures(cut_off=cut_off) | _checked(run, cut_off=cut_off))
    run.server.kill()


def _go_wrong(run: BeamTime) -> None:
    """Kill and cut as planned."""
    for number, (when, name) in enumerate(events(run.asked, np.random.default_rng(run.asked.seed))):
        _sleep_until(run.began + when, run.loads)
        at = time.time()
        if name == "follow":
            run.followers[number % 2].process.kill()
        elif name == "server":
            run.server.kill()
            run.starts.append(run.server.start())
        else:
            run.network.cut()
            time.sleep(2 * run.asked.minutes)
            run.network.mend()
        run.wrong.append((name, at, time.time()))


def _writers(uri: str, counts: dict[str, int], asked: Asked, files: Path | None) -> list[Writer]:
    rngs = {name: np.random.default_rng((asked.seed, number)) for number, name in enumerate(counts)}
    rate = asked.rate

    def radius(name: str, number: int) -> float:
        return RADII[name][number >= counts[name] // 2]

    return [
        Writer(
            uri, "curves", {"units": {"q": "1/nm", "I": "1/cm"}}, files, rate * CURVES, counts["curves"],
            lambda number: curve(rngs["curves"], radius("curves", number)),
        ),
        Writer(
            uri, "frames", {"domain": "sans2d", "geometry": GEOMETRY}, files, rate * FRAMES, counts["frames"],
            lambda number: frame(rngs["frames"], radius("frames", number)),
        ),
    ]  # fmt: skip


def _prepare(writers: Sequence[Writer]) -> None:
    """Make the containers, so that there is something to follow from the first moment on."""
    for one in writers:
        one._place()


def _sleep_until(when: float, loads: list[float]) -> None:
    while time.time() < when:
        loads.append(os.getloadavg()[0])
        time.sleep(min(1.0, max(when - time.time(), 0.0)))


def _until_answered(run: BeamTime) -> None:
    loads, pairs = run.loads, list(zip(run.writers, run.followers, strict=True))
    while any(len(one.written) < one.count for one in run.writers):
        loads.append(os.getloadavg()[0])
        time.sleep(0.5)
    end = time.time() + END
    while time.time() < end and any(len(two.seen) < one.count for one, two in pairs):
        loads.append(os.getloadavg()[0])
        time.sleep(0.5)
    time.sleep(5.0)  # the last answers go back


def _stop(followers: Sequence[Follow]) -> None:
    for one in followers:
        one.stopped = True
        one.process.terminate()
        one.process.wait()
        one.look(0)


def _checked(run: BeamTime, *, cut_off: bool) -> dict[str, Any]:
    """Frames without one answer, out of order, and whose answer is not on the server, if it can be asked.

    Of a run that was cut off frames behind the last answer are not lost: they had still to come.
    """
    from tiled.client import from_uri

    try:
        if run.server.process.poll() is not None:
            run.server.start()
        root = from_uri(run.uri, api_key=KEY)
    except Exception as error:  # where it was ended while the server was away, the tables here say the rest
        print(f"the server cannot be asked: {error}")
        root = None
    found: dict[str, Any] = {"lost": 0, "twice": 0, "notes": 0, "order": 0, "missing back": 0}
    for writer, follower in zip(run.writers, run.followers, strict=True):
        rows = _rows(follower.out)
        answers = [row for row in rows if not row["note"]]
        keys = [row["file"].rpartition("/")[2] for row in answers]
        counted = Counter(keys)
        last = max(keys, default="")
        owed = [key for key in dict(writer.written) if key <= last or not cut_off]
        found["lost"] += sum(key not in counted for key in owed)
        found["twice"] += sum(n - 1 for n in counted.values())
        found["notes"] += len(rows) - len(answers)
        found["order"] += sum(one > other for one, other in zip(keys, keys[1:], strict=False))
        if root is not None:
            found["missing back"] += _missing_back(
                root, writer.container, run.asked.write_back, keys, [row["frame"] for row in answers]
            )
    return found if root is not None else found | {"missing back": "not asked"}


def _rows(table: Path) -> list[dict[str, str]]:
    if not table.exists():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _missing_back(root: Any, name: str, back: str, keys: Sequence[str], frames: Sequence[str]) -> int:
    """Answers that are not on the server, or not the same, in one of the ways in which they went back."""
    missing = 0
    if back in ("metadata", "both"):
        said = {key: node.metadata.get("sasnet", {}) for key, node in root[name].items()}
        missing += sum(str(said[key].get("frame")) != one for key, one in zip(keys, frames, strict=True))
    if back in ("table", "both"):
        there = Counter(str(k) for one in root[f"{name}_sasnet"].values() for k in one.read()["frame"])
        missing += sum(there[one] != 1 for one in frames)
    return missing


def _times(
    writers: Sequence[Writer], followers: Sequence[Follow], wrong: Sequence[tuple[str, float, float]]
) -> dict[str, Any]:
    """Latencies, of quiet frames and of all, and the time to catch up after each kind of trouble, s."""
    every, quiet = [], []
    caught: dict[str, list[float]] = {"follow": [], "server": [], "cut": []}
    for writer, follower in zip(writers, followers, strict=True):
        pairs = sorted((at, follower.seen.get(key, np.inf)) for key, at in list(writer.written.items()))
        if not pairs:
            continue
        written, seen = (np.array(some) for some in zip(*pairs, strict=True))
        late = np.maximum.accumulate(seen)
        bad = np.zeros(written.size, bool)
        for name, begin, end in wrong:
            behind = (written <= end) & (seen > begin)
            over = float(late[behind].max()) if behind.any() else end
            # Frames that came while those from before were still being answered wait for them, too.
            while written[written <= over].size and (more := late[written <= over].max()) > over + 0.5:
                over = float(more)
                if over - end > END:
                    break
            if np.isfinite(over):
                caught[name].append(max(over - end, 0.0))
            bad |= (written >= begin - 0.5) & (written <= over)
        answered = np.isfinite(seen)
        every += list((seen - written)[answered])
        quiet += list((seen - written)[answered & ~bad])
    times = {name: [float(np.median(some)), float(max(some))] for name, some in caught.items() if some}
    return {"quiet": _quantiles(quiet), "all": _quantiles(every), "caught up": times}


def _rate(times: Sequence[float]) -> float:
    """From the first to the last, Hz."""
    long = max(times) - min(times) if len(times) > 1 else 0.0
    return (len(times) - 1) / long if long > 0 else 0.0


def _quantiles(seconds: Sequence[float]) -> list[float]:
    if not seconds:
        return [0, float("nan"), float("nan"), float("nan")]
    return [len(seconds), *(float(np.quantile(seconds, one)) for one in (0.5, 0.95)), float(max(seconds))]


def _memory(held: Sequence[tuple[int, float, int]]) -> list[float]:
    """Largest, and by how much the longest life grew from its second third to its last, MB."""
    if not held:
        return [0.0, 0.0]
    held = list(held)
    longest = Counter(life for life, _, _ in held).most_common(1)[0][0]
    sizes = [size for life, size, _ in held if life == longest]
    third = max(len(sizes) // 3, 1)
    grown = float(np.median(sizes[-third:]) - np.median(sizes[third : 2 * third] or sizes))
    return [max(size for _, size, _ in held), grown]


def table(found: dict[str, Any]) -> str:
    """What was measured, for people."""
    n, median, p95, worst = found["quiet"]
    _, all_median, all_p95, all_worst = found["all"]
    rows = [
        ["minutes; rates of curves and frames / Hz", _rates(found)],
        *([["cut off after / minutes", f"{found['cut off']:g}"]] if found["cut off"] else []),
        ["curves and frames come as", "sent to the server" if found["sent"] else "files, registered"],
        ["answers written back as", found["back"]],
        ["curves; SANS frames", "; ".join(f"{n:,}" for n in found["written"])],
        ["of these answered", "; ".join(f"{n:,}" for n in found["answered"])],
        ["rates at which they came to be written / Hz", "; ".join(f"{x:.1f}" for x in found["reached"])],
        ["rates at which they were answered / Hz", "; ".join(f"{x:.1f}" for x in found["followed"])],
        ["kills of followers; of the server; cuts", "; ".join(map(str, found["wrong"]))],
        ["starts of the two followers, until one held", f"{found['lives']}"],
        *_counts(found),
        [
            f"latency of {n:,} quiet frames: median; 95 %; largest / s",
            f"{median:.2f}; {p95:.2f}; {worst:.2f}",
        ],
        ["latency of all: median; 95 %; largest / s", f"{all_median:.2f}; {all_p95:.2f}; {all_worst:.2f}"],
        *(
            [f"caught up after {_WHAT[name]}: median; longest / s", f"{one:.1f}; {most:.1f}"]
            for name, (one, most) in found["caught up"].items()
        ),
        *(
            [
                f"memory following {name}: largest; growth in the longest life / MB",
                f"{most:.0f}; {grown:+.1f}",
            ]
            for name, (most, grown) in found["memory"].items()
        ),
        ["the server's start, median / s", f"{found['server starts']:.1f}"],
        [
            "CPU-seconds of the server; instrument and network; following curves; frames",
            "; ".join(f"{x:,.0f}" for x in found["used"]),
        ],
        ["load of the machine (two cores), median", f"{found['load']:.1f}"],
    ]
    return markdown(["", ""], rows)


def _counts(found: dict[str, Any]) -> list[list[str]]:
    """What the server and the tables say at the end; nothing before."""
    if "lost" not in found:
        return []
    return [
        ["lost; answered twice; out of order", f"{found['lost']}; {found['twice']}; {found['order']}"],
        ["lines that say that a frame cannot be read yet", f"{found['notes']}"],
        ["answers missing or other on the server", f"{found['missing back']}"],
    ]


def _rates(found: dict[str, Any]) -> str:
    return f"{found['minutes']:g}; {CURVES * found['rate']:g} and {FRAMES * found['rate']:g}"


_WHAT = {
    "follow": "a follower was killed",
    "server": "the server was up again",
    "cut": "the network was mended",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it and print the table."""
    parser = parser_of(
        __doc__,
        work=True,
        kills=(KILLS, "of the followers"),
        restarts=(RESTARTS, "kills of the server"),
        seed=1,
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=1.0, help="times 10 and 2 Hz; less on a busy machine")
    parser.add_argument("--write-back", default="table", choices=("metadata", "table", "both"))
    parser.add_argument("--send", action="store_true", help="everything goes to the server, not into files")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def kept(found: dict[str, Any]) -> None:
        text = table(found)
        (options.work / "found.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        (options.work / "found.md").write_text(text, encoding="utf-8")
        if options.write:
            Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")

    asked = Asked(**{name: value for name, value in vars(options).items() if name != "write"})
    beam_time(asked, kept)
    print((options.work / "found.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
