"""`sasnet sort` on a long stack: frames a second, memory, and what a kill costs.

``python -m benchmarks images/diffraction_stream --work W --frames 100000 --side 32`` writes the table beside
this file. Frames are some simulated shots, mirrored and with counts drawn anew. Memory is looked at whenever
a part is there, the largest is that of the whole command; the kill is tried on the shorter stack.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from sasnet_plugin.batch.sorting import sorted_file
from sasnet_plugin.batch.sorting.settings import SORTING
from sasnet_plugin.simulate.diffraction.simulator import SIMULATOR

from ..asked import parser_of

_SHOTS, _BLOCK = 48, 480


def stack(path: Path, frames: int, side: int) -> None:
    """So many frames of `side` pixels a side in one ``.npy``."""
    rng = np.random.default_rng(1)
    rows = [SIMULATOR.clean(SIMULATOR.sample(rng)) for _ in range(_SHOTS)]
    images, _ = SIMULATOR.measure(rows, rng, exposure=1e4)
    wide = np.stack([image.counts for image in images])
    each = wide.shape[1] // side
    shapes = wide.reshape(_SHOTS, side, each, side, each).sum(axis=(2, 4))
    found = np.lib.format.open_memmap(path, "w+", np.uint16, (frames, *shapes.shape[1:]))
    for at in range(0, frames, _BLOCK):
        some = shapes[rng.integers(_SHOTS, size=min(_BLOCK, frames - at))]
        some = some[:, ::-1] if rng.random() < 0.5 else some.transpose(0, 2, 1)
        found[at : at + len(some)] = np.minimum(rng.poisson(some), 65_000)
    found.flush()


def sort(path: Path, out: Path, *, killed_after: int = 0) -> tuple[float, float, float, list[float]]:
    """Run the command, killed when so many parts are there.

    Returns
    -------
    seconds, CPU-seconds, largest memory in MiB, and memory in MiB as each part was done
    """
    words = ["-m", "sasnet_plugin", "sort", str(path), "--out", str(out), "--clusters", "6"]
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    parts, seen, done, largest = out.with_name(f"{out.stem}.parts"), [], 0, 0.0
    while process.returncode is None:
        now, so_far = _memory(process.pid)
        largest = max(largest, so_far)
        found, status, usage = os.wait4(process.pid, os.WNOHANG)
        if found:
            process.returncode = status
            break
        there = len(list(parts.glob("part-*.npz")))
        if there > done:
            done = there
            seen.append(now)
        if killed_after and there >= killed_after:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.05)
    if process.returncode and not killed_after:
        raise SystemExit(f"sasnet sort ended with {process.returncode}")
    spent = usage.ru_utime + usage.ru_stime
    return time.monotonic() - began, spent, largest, seen


def _memory(pid: int) -> tuple[float, float]:
    """Memory of a process, now and at its most so far, MiB; 0 where it has ended.

    What `os.wait4` says is at least that of this process, which has made the stacks.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        lines = []
    found = {
        name: int(rest.split()[0]) / 1024
        for name, _, rest in (x.partition(":") for x in lines)
        if "Vm" in name
    }
    return found.get("VmRSS", 0.0), found.get("VmHWM", 0.0)


def main() -> None:
    """Make the stacks, sort them, and write the table."""
    parser = parser_of(__doc__, work=True, write=False, frames=100_000, side=(96, "pixels: 96, 48 or 32"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    lines = [
        f"| frames of {options.side} × {options.side} | seconds | CPU-seconds | frames a CPU-second"
        " | MiB after the first part | in the middle | after the last | largest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    few = options.frames // 4
    for frames in (few, options.frames):
        path, out = options.work / f"{frames}.npy", options.work / f"{frames}.h5"
        stack(path, frames, options.side)
        seconds, spent, memory, seen = sort(path, out)
        told = " | ".join(f"{x:.0f}" for x in (seen[0], seen[len(seen) // 2], seen[-1], memory))
        lines.append(f"| {frames:,} | {seconds:.0f} | {spent:.0f} | {frames / spent:.0f} | {told} |")
        print(lines[-1], flush=True)
    path, again = options.work / f"{few}.npy", options.work / "killed.h5"
    sort(path, again, killed_after=2)
    kept = len(list((options.work / "killed.parts").glob("part-*.npz")))
    sort(path, again)
    one, two = sorted_file.read(options.work / f"{few}.h5"), sorted_file.read(again)
    same = np.array_equal(one.cluster, two.cluster) and np.array_equal(one.entry, two.entry)
    text = (
        f"Killed (SIGKILL) when {kept} of {-(-few // SORTING.part)} parts were there and repeated: the"
        f" same clusters for all {len(two.cluster):,} frames: {'yes' if same else 'NO'}."
    )
    page = ["# Sorting a stream", "", *lines, "", text]
    Path(__file__).with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")
