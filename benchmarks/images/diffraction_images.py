"""7,264 simulated diffraction images with the kinds as frequent as among those of helium droplets.

Kinds are exactly as frequent as J. Zimmermann, D. Rupp et al., Phys. Rev. E 99 (2019) 063309, found them;
everything else is drawn as in training (`docs/diffraction.md`), the detector and its faults anew each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from sasnet_plugin.data.diffraction.features import inputs
from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.domains.diffraction import LABELS
from sasnet_plugin.simulate.diffraction.measurement import PIXELS, WINDOW
from sasnet_plugin.simulate.diffraction.samples import SEED, SEED_MORE, draw_sample
from sasnet_plugin.simulate.diffraction.simulator import SIMULATOR
from sasnet_plugin.types import Image

#: Share of the images that are learned from, and pixels of a side that networks on pixels see.
SHARE, SIDE = 0.85, 64
#: Sets of the test images, by photons expected within the window; drawn between 10² and 10⁷ in the first.
TESTS: dict[str, float | None] = {"drawn": None, "1e2": 1e2, "1e3": 1e3, "1e4": 1e4, "1e6": 1e6}
#: The set that is learned from.
TRAINING = "training"


def kept(path: Path, make: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Arrays of a file, made where it is missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part.npz")
        np.savez_compressed(aside, **make())
        aside.rename(path)
        print(path.stem, flush=True)
    with np.load(path) as file:
        return dict(file)


def kinds(rng: np.random.Generator) -> list[tuple[str, str]]:
    """Kind of each image and what is on top, "" for nothing.

    In an order in which every part has as much of everything as the whole, as far as it goes: rare kinds are
    learned from and judged by as many images as their share says.
    """
    names = np.repeat(list(SEED), list(SEED.values()))
    more = np.full(names.size, "", dtype=object)
    whole = rng.permutation(np.flatnonzero((names != "irregular") & (names != "empty")))
    extra = np.repeat(list(SEED_MORE), list(SEED_MORE.values()))
    more[whole[: extra.size]] = extra
    place = np.empty(names.size)
    groups = np.where(more != "", more, names)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        place[rows] = (rng.permutation(rows.size) + rng.random(rows.size)) / rows.size
    return [(str(names[row]), str(more[row])) for row in np.argsort(place)]


def sets(work: Path, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Training images and the same test images at each number of photons.

    Returns
    -------
    dict of dict
        By set, ``counts`` and ``mask`` (n, PIXELS, PIXELS), ``tags`` (n, labels), ``features`` as the
        domain's network reads them, and ``pixels`` (n, SIDE, SIDE), decades of the counts.
    """
    paths = {name: work / f"set-{seed}-{name}.npz" for name in (TRAINING, *TESTS)}
    if not all(path.exists() for path in paths.values()):
        rng = np.random.default_rng(seed)
        rows = [
            SIMULATOR.clean(draw_sample(rng, {kind: 1}, {more: 1} if more else {}, 0 if more else 1))
            for kind, more in kinds(rng)
        ]
        first = round(SHARE * len(rows))
        for name, path in paths.items():
            some = rows[:first] if name == TRAINING else rows[first:]
            images, targets = SIMULATOR.measure(some, rng, exposure=TESTS.get(name))
            kept(path, lambda images=images, tags=targets["tags"]: _read(images, tags))
    return {name: kept(path, dict) for name, path in paths.items()}


def _read(images: list[Image], tags: np.ndarray) -> dict[str, np.ndarray]:
    counts = np.stack([one.counts for one in images]).astype(np.float32)
    return {
        "counts": counts,
        "mask": np.stack([one.mask for one in images]),
        "tags": tags,
        "pixels": np.log10(1 + smaller(counts)).astype(np.float16),
        **inputs(images),
    }


def smaller(counts: np.ndarray) -> np.ndarray:
    """Counts of (n, PIXELS, PIXELS) in pixels of SIDE a side, each shared by area."""
    edges = np.linspace(0, PIXELS, SIDE + 1)
    at = np.arange(PIXELS)
    part = np.clip(np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at), 0, None)
    return np.asarray(part @ counts @ part.T)


def read(path: str, options: ReadOptions) -> Iterator[Image]:
    """Images of a kept set one by one, each with its own mask: what a domain's reader does with a file."""
    with np.load(path) as file:
        both = zip(file["counts"], file["mask"], strict=True)
    for number, (counts, mask) in enumerate(both, start=1):
        yield Image(counts.astype(float), mask, WINDOW, path, f"frame {number}")


def table(path: Path, tags: np.ndarray, rows: np.ndarray, file: Path) -> None:
    """Labels of some images of a kept set, as `sasnet train --labels` reads them."""
    lines = [",".join(["file", "entry", *LABELS])]
    lines += [",".join([file.name, str(row + 1), *map(str, tags[row].astype(int))]) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
