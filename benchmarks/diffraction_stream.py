"""`sasnet sort` on a long stack: frames a second, memory, and what a kill costs.

``python benchmarks/diffraction_stream.py --work W --frames 100000`` writes the table beside this file. Frames
are some simulated shots, mirrored and with counts drawn anew.
"""

from __future__ import annotations

import argparse
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

_SHOTS, _BLOCK = 48, 480


def stack(path: Path, frames: int) -> None:
    """So many frames in one ``.npy``."""
    rng = np.random.default_rng(1)
    rows = [SIMULATOR.clean(SIMULATOR.sample(rng)) for _ in range(_SHOTS)]
    images, _ = SIMULATOR.measure(rows, rng, exposure=1e4)
    shapes = np.stack([image.counts for image in images])
    found = np.lib.format.open_memmap(path, "w+", np.uint16, (frames, *shapes.shape[1:]))
    for at in range(0, frames, _BLOCK):
        some = shapes[rng.integers(_SHOTS, size=min(_BLOCK, frames - at))]
        some = some[:, ::-1] if rng.random() < 0.5 else some.transpose(0, 2, 1)
        found[at : at + len(some)] = np.minimum(rng.poisson(some), 65_000)
    found.flush()


def sort(path: Path, out: Path, *, killed_after: int = 0) -> tuple[float, float, float]:
    """Run the command, killed when so many parts are there: seconds, CPU-seconds, largest memory in MiB."""
    words = ["-m", "sasnet_plugin", "sort", str(path), "--out", str(out), "--clusters", "6"]
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    parts = out.with_name(f"{out.stem}.parts")
    while killed_after and len(list(parts.glob("part-*.npz"))) < killed_after:
        time.sleep(0.02)
    if killed_after:
        process.send_signal(signal.SIGKILL)
    _, status, usage = os.wait4(process.pid, 0)
    if status and not killed_after:
        raise SystemExit(f"sasnet sort ended with {status}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Make the stacks, sort them, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=100_000)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    lines = [
        "| frames of 96 × 96 | seconds | CPU-seconds | frames a CPU-second | largest memory, MiB |",
        "|---|---|---|---|---|",
    ]
    for frames in (options.frames // 4, options.frames):
        path, out = options.work / f"{frames}.npy", options.work / f"{frames}.h5"
        stack(path, frames)
        seconds, spent, memory = sort(path, out)
        lines.append(f"| {frames:,} | {seconds:.0f} | {spent:.0f} | {frames / spent:.0f} | {memory:.0f} |")
        print(lines[-1], flush=True)
    again = options.work / "killed.h5"
    sort(path, again, killed_after=2)
    kept = len(list((options.work / "killed.parts").glob("part-*.npz")))
    sort(path, again)
    one, two = sorted_file.read(out), sorted_file.read(again)
    same = np.array_equal(one.cluster, two.cluster) and np.array_equal(one.entry, two.entry)
    text = (
        f"Killed (SIGKILL) when {kept} of {-(-frames // SORTING.part)} parts were there and repeated: the"
        f" same clusters for all {len(two.cluster):,} frames: {'yes' if same else 'NO'}."
    )
    page = ["# Sorting a stream", "", *lines, "", text]
    Path(__file__).with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
