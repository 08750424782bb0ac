"""Memory of `sasnet follow` over a long series: resident size after many frames over that after a few.

A film grows over so many frames, which lie in a folder of CBF files, a TIFF of many pages, or a NeXus
stream. They are read, masked, put on the window and answered by the network of gisas_growth, or, where the
zoo has none, by the place of the first maximum alone, which goes the same way up to the network. The table is
written line by line.

Usage: ``python -m benchmarks images/growth_stream [--frames 1000] [--pixels 192] [--write]``; ``--write``
keeps the table in ``benchmarks/images/growth_stream.md``.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.batch.follow import Frame, follow, write
from sasnet_plugin.cli.files import curves_of, expand
from sasnet_plugin.data.images import iter_images, to_window
from sasnet_plugin.data.images.features import features
from sasnet_plugin.domains.gisas_growth import FILM, HEADS
from sasnet_plugin.predict import Answer, open_predictor
from sasnet_plugin.predict.findings import QuantitiesFinding, Value
from sasnet_plugin.simulate.growth.film import WINDOW
from sasnet_plugin.simulate.growth.pattern import pattern
from sasnet_plugin.simulate.growth.priors import growing
from sasnet_plugin.simulate.images.window import Window
from sasnet_plugin.types import Image, ModelZooError

from ..asked import parser_of
from ..tables import markdown

WARM = 50
COUNTS = 3e5


def rss() -> float:
    """Resident size of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def frames(number: int, pixels: int, seed: int) -> Iterator[np.ndarray]:
    """Counts of a film that grows from 3 to 60 Å of metal, row 0 on top."""
    rng = np.random.default_rng(seed)
    seen = Window(pixels, pixels, phi=(-2.2, 2.2), alpha_f=(0.0, 2.7))
    shapes = [pattern(growing(t, 60 + t), seen) for t in np.linspace(3, 60, 12)]
    for index in range(number):
        clean = shapes[index * len(shapes) // number]
        yield rng.poisson(COUNTS * clean / clean.sum())[::-1].astype(np.int32)


def geometry(pixels: int) -> str:
    """The series' TOML."""
    across, up = 2.2 / pixels, 1.35 / pixels
    return (
        "wavelength = 0.96\nalpha_i = 0.4\n"
        f"phi = [{-2.2 + across}, {2.2 - across}]\nalpha_f = [{2.7 - up}, {up}]\n"
    )


def cbf_folder(folder: Path, source: Iterator[np.ndarray]) -> Path:
    """One CBF for each frame."""
    from fabio.cbfimage import CbfImage

    for number, frame in enumerate(source):
        CbfImage(data=frame).write(str(folder / f"film_{number:05d}.cbf"))
    return folder


def tiff_stack(folder: Path, source: Iterator[np.ndarray]) -> Path:
    """A TIFF of many pages."""
    import tifffile

    with tifffile.TiffWriter(folder / "film.tif") as file:
        for frame in source:
            file.write(frame, contiguous=True)
    return folder / "film.tif"


def nexus_stream(folder: Path, source: Iterator[np.ndarray]) -> Path:
    """One dataset of all frames, compressed."""
    import h5py

    first = next(source)
    with h5py.File(folder / "film.nxs", "w") as file:
        data = file.create_dataset(
            "entry/data/data", (1, *first.shape), "i4", chunks=(1, *first.shape),
            maxshape=(None, *first.shape), compression="gzip", compression_opts=1,
        )  # fmt: skip
        data[0] = first
        for number, frame in enumerate(source, start=1):
            data.resize(number + 1, axis=0)
            data[number] = frame
        file["entry"].attrs.update(NX_class="NXentry", default="data")
        file["entry/data"].attrs.update(NX_class="NXdata", signal="data")
        data.attrs["interpretation"] = "image"
    return folder / "film.nxs"


def by_the_maximum(images: Sequence[Image]) -> list[Answer]:
    """A distance from the place of the first maximum, by the features that the network would read."""
    found = []
    for image in images:
        seen = to_window(image, phi=WINDOW.phi, alpha_f=WINDOW.alpha_f, shape=WINDOW.shape)
        features([seen])
        profile = np.where(seen.geometry.phi > 0.2, seen.counts.sum(axis=0), 0)
        distance = image.geometry.wavelength / np.sin(np.radians(seen.geometry.phi[np.argmax(profile)]))
        value = Value(distance, 0.1 * distance, 0.9 * distance, 1.1 * distance, "Å")
        found.append(
            Answer(image.file, image.entry, 1.0, (QuantitiesFinding(HEADS[0], {"distance": value}),))
        )
    return found


@dataclass(frozen=True)
class Memory:
    """What was measured."""

    frames: int
    failures: int
    #: early, most: resident size after `WARM` frames, and at most afterwards, MB.
    early: float
    most: float
    milliseconds: float  #: CPU time of a frame.
    megabytes: float  #: Of the series on disk.


def measured(source: Path, judge: Callable[[Sequence[Any]], Sequence[Any]], out: Path) -> Memory:
    """Follow a series and look at the process after every frame."""
    sizes: list[float] = []
    start = time.process_time()

    def looked_at(answers: Iterator[Frame]) -> Iterator[Frame]:
        for frame in answers:
            sizes.append(rss())
            yield frame

    found = (
        pair
        for path in expand([str(source)])
        if not str(path).endswith(".toml")
        for pair in curves_of(path, iter_images, None)
    )
    number, failures = write(looked_at(follow(found, judge, [one.name for one in FILM])), out, FILM)
    cost = 1e3 * (time.process_time() - start) / max(number, 1)
    files = source.rglob("*") if source.is_dir() else [source]
    disk = sum(path.stat().st_size for path in files) / 1e6
    return Memory(number, failures, sizes[min(WARM, number) - 1], max(sizes[WARM - 1 :]), cost, disk)


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = parser_of(__doc__, frames=1000, pixels=192)
    options = parser.parse_args()
    try:
        judge: Callable[[Sequence[Any]], Sequence[Any]] = open_predictor("gisas_growth").outcomes
        judged = "answered by the network"
    except ModelZooError:
        judge, judged = by_the_maximum, "answered by the place of the first maximum"
    lines = [
        f"{options.frames:,} frames of {options.pixels} × {options.pixels} pixels, {judged}. Resident size of"
        f" the process after {WARM} frames, at most afterwards, and their ratio.",
        "",
    ]
    rows = []
    makers = {"folder of CBF": cbf_folder, "TIFF of many pages": tiff_stack, "NeXus stream": nexus_stream}
    for name, make in makers.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "series"
            folder.mkdir()
            source = make(folder, frames(options.frames, options.pixels, 1))
            (folder / "geometry.toml").write_text(geometry(options.pixels), encoding="utf-8")
            found = measured(source, judge, Path(temporary) / "growth.csv")
        sizes = [f"{x:,.0f}" for x in (found.megabytes, found.early, found.most)]
        ratio, cost = f"{found.most / found.early:.3f}", f"{found.milliseconds:.0f}"
        rows.append([name, *sizes, ratio, cost, str(found.failures)])
        print(*rows[-1], flush=True)
    head = [
        "series",
        "on disk, MB",
        f"after {WARM}, MB",
        "at most, MB",
        "ratio",
        "CPU-ms a frame",
        "failures",
    ]
    report = "\n".join([*lines, markdown(head, rows)])
    print(report)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(f"# Memory of a series\n\n{report}\n", encoding="utf-8")
