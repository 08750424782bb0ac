"""The data and the scores of the realistic protocol: test curves to the letter of realistic_protocol.toml.

Peers train on examples drawn once from the stream that our network is trained with (at least as broad as the
protocol) out of the same clean curves; they read log I or raw I on the same resampled grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.data.preprocess import CHANNELS
from sasnet_plugin.simulate.examples import Stream, protocol_set
from sasnet_plugin.simulate.labelled import SOURCES, Examples
from sasnet_plugin.simulate.library import Library
from sasnet_plugin.train.metrics import expected_calibration_error, group_accuracy, top_k
from sasnet_plugin.workers.spread import unordered_map

from .contest import replacing

#: Channels that peers are given: log I and the window it is known in.
KEPT = (CHANNELS.index("log_intensity"), CHANNELS.index("valid"))
#: ``log_intensity`` is ln I less its mean, over this.
LOG_UNIT = 3.0
PART = 8192


@dataclass(frozen=True)
class Part:
    """Some training examples for peers; which ones depends on seed and index alone."""

    shards: str
    folder: str
    index: int
    count: int
    seed: int

    @property
    def path(self) -> Path:
        """Where the finished part lies."""
        return Path(self.folder) / f"peers-{self.index:04d}-{self.count}.npz"


def fingerprint(shards: Path) -> str:
    """Eight characters that change with the shards of a folder: what is kept of others is not used."""
    import hashlib

    listing = [(path.name, path.stat().st_size) for path in sorted(shards.glob("*.h5"))]
    return hashlib.sha256(repr(listing).encode()).hexdigest()[:8]


def plan(shards: Path, folder: Path, *, total: int, seed: int) -> list[Part]:
    """All parts of `total` examples."""
    counts = [min(PART, total - start) for start in range(0, total, PART)]
    return [Part(str(shards), str(folder), i, count, seed) for i, count in enumerate(counts)]


@lru_cache(maxsize=1)
def _library(folder: str) -> Library:
    return Library(Path(folder))


def make_part(part: Part) -> Part:
    """Draw one part and put its file in place in one step."""
    stream = Stream(_library(part.shards), np.random.default_rng([part.seed, part.index]))
    rows, forms, count = [], [], 0
    while count < part.count:
        found = stream.chunk()
        known = found.take(found.form >= 0)
        rows.append(known.features[..., KEPT].astype(np.float16))
        forms.append(known.form)
        count += len(known)
    with replacing(part.path) as file:
        np.savez(
            file,
            features=np.concatenate(rows)[: part.count],
            form=np.concatenate(forms)[: part.count].astype(np.int16),
        )
    return part


def build(parts: list[Part], *, workers: int = 1) -> Iterator[Part]:
    """Draw the parts that are missing; yields each as it is done."""
    for folder in {p.folder for p in parts}:
        Path(folder).mkdir(parents=True, exist_ok=True)
    yield from unordered_map(make_part, [p for p in parts if not p.path.exists()], workers=workers)


def load(parts: list[Part]) -> tuple[NDArray[np.float16], NDArray[np.intp]]:
    """Features (n, N_GRID, 2) and form models of all parts."""
    features, forms = [], []
    for part in parts:
        with np.load(part.path) as file:
            features.append(file["features"])
            forms.append(file["form"].astype(np.intp))
    return np.concatenate(features), np.concatenate(forms)


def frozen_test(shards: Path, path: Path, *, per_model: int, seed: int, progress: Any = None) -> Examples:
    """The frozen protocol's test set, kept in a file."""
    from dataclasses import fields

    if not path.exists():
        examples = protocol_set(
            Library(shards), np.random.default_rng(seed), per_model=per_model, progress=progress
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            np.savez(file, **{f.name: getattr(examples, f.name) for f in fields(Examples)})
    with np.load(path) as file:
        return Examples(**{f.name: file[f.name] for f in fields(Examples)})


def log_input(rows: NDArray[Any], rng: np.random.Generator | None = None) -> NDArray[np.float32]:
    """Log I on the window, zeros outside: (n, N_GRID, 1)."""
    return rows[..., :1].astype(np.float32)


def raw_input(rows: NDArray[Any], rng: np.random.Generator | None = None) -> NDArray[np.float32]:
    """I over its largest value on the window, zeros outside: (n, N_GRID, 1)."""
    log_i, valid = rows[..., :1].astype(np.float32), rows[..., 1:] > 0
    top = np.max(np.where(valid, log_i, -np.inf), axis=1, keepdims=True)
    return np.where(valid, np.exp(LOG_UNIT * np.minimum(log_i - top, 0)), 0).astype(np.float32)


def flat(rows: NDArray[Any]) -> NDArray[np.float16]:
    """Log I and the mask side by side, means of four neighbours: (n, N_GRID / 2)."""
    n, grid, kept = rows.shape
    means = rows.astype(np.float16).reshape(n, grid // 4, 4, kept).mean(axis=2, dtype=np.float32)
    return np.concatenate((means[..., 0], means[..., 1]), axis=1).astype(np.float16)


def structure_factor_scores(found: NDArray[Any], true: NDArray[Any]) -> dict[str, float]:
    """Share of structure factors right: overall, of dilute samples, of those with one, and the mean of both.

    Parameters
    ----------
    found, true : (n,) int arrays
        0 for none.
    """
    right = np.asarray(found) == np.asarray(true)
    dilute = np.asarray(true) == 0
    without = float(right[dilute].mean()) if dilute.any() else float("nan")
    with_one = float(right[~dilute].mean()) if not dilute.all() else float("nan")
    return {
        "overall": float(right.mean()),
        "without": without,
        "with": with_one,
        "balanced": 0.5 * (without + with_one),
    }


def scores(
    probability: NDArray[Any],
    test: Examples,
    groups: NDArray[np.intp] | None,
    factor: NDArray[Any] | None = None,
) -> dict[str, float]:
    """All figures of the realistic protocol; NaN for what a contestant does not answer.

    Parameters
    ----------
    probability : (n, F) array
        Of the form models, in the order of the test set's library.
    test : Examples
    groups : (F,) int array, optional
        Group of each form model.
    factor : (n,) int array, optional
        The structure factor named.
    """
    right = probability.argmax(axis=1) == test.form
    found = {f"top{k}": top_k(probability, test.form, k) for k in (1, 3, 5)}
    found["group"] = float("nan") if groups is None else group_accuracy(probability, test.form, groups)
    found["ece"] = expected_calibration_error(probability.max(axis=1), right)
    blank = dict.fromkeys(("overall", "without", "with", "balanced"), float("nan"))
    parts = blank if factor is None else structure_factor_scores(factor, test.structure_factor)
    return found | {f"structure_factor_{key}": value for key, value in parts.items()}


def by_instrument(test: Examples) -> dict[str, NDArray[np.bool_]]:
    """Rows of each instrument that occurs."""
    return {
        name: test.instrument == index
        for index, name in enumerate(SOURCES)
        if np.any(test.instrument == index)
    }
