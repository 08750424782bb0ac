"""Gradient-boosted trees (LightGBM) on log I and its slope, coarsened, and principal components."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .neighbours import components

#: A tree of each class in each round: few bins and half of rows and features keep a round at seconds.
SETTINGS: dict[str, Any] = {
    "objective": "multiclass",
    "learning_rate": 0.12,
    "num_leaves": 24,
    "max_bin": 63,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.5,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
}
EVERY = 10


def blocks(curves: NDArray[np.floating[Any]], count: int) -> NDArray[np.float32]:
    """Mean of neighbouring points in `count` blocks, and the differences between blocks: (n, 2 count - 1)."""
    parts = [
        part.mean(axis=1) for part in np.array_split(np.asarray(curves, dtype=np.float32), count, axis=1)
    ]
    means = np.stack(parts, axis=1)
    return np.concatenate((means, np.diff(means, axis=1)), axis=1)


def tree_features(
    train: NDArray[np.floating[Any]], test: NDArray[np.floating[Any]], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """25 block means, their 24 differences and 16 principal components of either set."""
    mean, axes = components(train, min(16, train.shape[1]), rng)
    count = min(25, train.shape[1])
    first, second = (
        np.concatenate((blocks(part, count), (np.asarray(part, dtype=np.float32) - mean) @ axes), axis=1)
        for part in (train, test)
    )
    return first, second


def boost(
    train: NDArray[np.float32],
    label: NDArray[np.integer[Any]],
    test: NDArray[np.float32],
    n_classes: int,
    folder: Path,
    say: Callable[[str], None],
    *,
    rounds: int = 120,
    threads: int = 2,
    seed: int = 0,
) -> tuple[NDArray[np.float32], float, int]:
    """Train round by round with a checkpoint every ten, or go on where a killed run stopped.

    Returns
    -------
    probability : (m, n_classes) float32 array
        Of the test rows.
    seconds : float
        Of training, resumed runs included.
    leaves : int
        Of all trees together, which stand for parameters.
    """
    import lightgbm

    folder.mkdir(parents=True, exist_ok=True)
    state, model_path = folder / "clock.json", folder / "model.txt"
    settings = {**SETTINGS, "num_class": n_classes, "num_threads": threads, "seed": seed}
    data = lightgbm.Dataset(train, label, free_raw_data=False, params=settings)
    resumed = state.exists() and model_path.exists()
    seconds = float(json.loads(state.read_text(encoding="utf-8"))) if resumed else 0.0
    booster: Any = lightgbm.Booster(model_file=str(model_path)) if resumed else None
    training = False
    while booster is None or booster.current_iteration() < rounds:
        began = time.perf_counter()
        if training:
            for _ in range(min(EVERY, rounds - booster.current_iteration())):
                booster.update()
        else:
            done = booster.current_iteration() if resumed else 0
            booster = lightgbm.train(
                {**settings, "seed": seed + done},
                data,
                num_boost_round=min(EVERY, rounds - done),
                init_model=booster,
                keep_training_booster=True,
            )
            training = True
        seconds += time.perf_counter() - began
        temporary = folder / "tmp.txt"
        booster.save_model(str(temporary))
        os.replace(temporary, model_path)
        state.write_text(json.dumps(seconds), encoding="utf-8")
        say(f"{booster.current_iteration()} rounds, {seconds / 60:.1f} min")
    trees = booster.dump_model()["tree_info"]
    probability = np.asarray(booster.predict(test, num_threads=threads), dtype=np.float32)
    return probability, seconds, sum(int(tree["num_leaves"]) for tree in trees)
