"""Labelled images of the other code, as files, and what `sasnet train --labels` makes of a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sasnet_plugin.domains.xray_tags import LABELS
from sasnet_plugin.kinds.xray_tags import XRAY_TAGS
from sasnet_plugin.train.adapted import adapt
from sasnet_plugin.train.gated_fit import Settings
from sasnet_plugin.train.recorded import LEAST
from sasnet_plugin.zoo import ZooModel, open_model, register

from .xray_second_domain import image


def second_frames(number: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Frames of the other code, and which tags they have."""
    rng = np.random.default_rng(seed)
    frames, truth = [], []
    for _ in range(number):
        counts, tags, _ = image(rng)
        frames.append(counts)
        truth.append([float(name in tags) for name in LABELS])
    return frames, np.array(truth, dtype=np.float32)


def labelled_files(folder: Path, number: int, seed: int = 103) -> list[str]:
    """Frames of the other code as files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{n:04d}.npy" for n in range(number)]
    if not all(path.exists() for path in files):
        for path, counts in zip(files, second_frames(number, seed)[0], strict=True):
            np.save(path, counts)
    return [str(path) for path in files]


def retrained(
    model: ZooModel, files: Sequence[str], truth: np.ndarray, work: Path, name: str, scenes: int
) -> ZooModel:
    """What the command makes of a model by some labels: itself where it takes nothing from them."""
    if len(files) < LEAST:
        return model
    rows = zip(files, truth.astype(int), strict=True)
    lines = [",".join([Path(file).name, *map(str, row)]) for file, row in rows]
    table, target = work / f"{name}.csv", work / name / XRAY_TAGS.name
    table.write_text("\n".join([",".join(["file", *LABELS]), *lines]) + "\n", encoding="utf-8")
    done = adapt(XRAY_TAGS, model, table, files, target, work / "replay", Settings(scenes=scenes))
    print(name, done.sentence(), flush=True)
    if not done.better:
        return model
    register(target)
    return open_model(XRAY_TAGS.name, folder=target.parent)
