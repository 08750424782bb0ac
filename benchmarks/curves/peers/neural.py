"""The loop that every neural contestant is trained with: the same optimiser, schedule and fresh noise."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

#: From stored curves to what a network reads; the generator is for noise, None asks for none to be added.
Inputs = Callable[[NDArray[Any], "np.random.Generator | None"], NDArray[np.float32]]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    batch: int = 256
    learning_rate: float = 1e-3  #: Peak, after a warm-up of 2 % of the steps and before a cosine decay.
    weight_decay: float = 0.01
    mixed: bool = False  #: bfloat16 arithmetic with float32 weights.
    seed: int = 0


class Batches(keras.utils.PyDataset):
    """Shuffled batches, a new order and new noise in each epoch, the same again after a resume."""

    def __init__(
        self,
        curves: NDArray[Any],
        label: NDArray[np.integer[Any]],
        inputs: Inputs,
        schedule: Schedule,
        start: int,
    ) -> None:
        super().__init__(workers=1)
        self.curves, self.label, self.inputs, self.schedule = curves, label, inputs, schedule
        self.epoch = start
        self._shuffle()

    def _shuffle(self) -> None:
        rng = np.random.default_rng([self.schedule.seed, self.epoch, 7])
        self.order = rng.permutation(len(self.label))

    def __len__(self) -> int:
        return max(1, len(self.label) // self.schedule.batch)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
        rows = self.order[index * self.schedule.batch : (index + 1) * self.schedule.batch]
        rng = np.random.default_rng([self.schedule.seed, self.epoch, 8, index])
        return self.inputs(self.curves[rows], rng), self.label[rows]

    def on_epoch_end(self) -> None:
        """Shuffle again."""
        self.epoch += 1
        self._shuffle()


class Clock(keras.callbacks.Callback):
    """Seconds and epochs of training, summed over resumed runs, kept beside the checkpoint."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        super().__init__()
        self.path, self.say = path, say

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start."""
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Add what the epoch took."""
        spent = read_clock(self.path)[0] + time.perf_counter() - self.began
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps([spent, epoch + 1]), encoding="utf-8")
        os.replace(temporary, self.path)
        self.say(
            f"epoch {epoch + 1}: loss {float((logs or {}).get('loss', np.nan)):.3f}, {spent / 60:.1f} min"
        )


def read_clock(path: Path) -> tuple[float, int]:
    """Seconds and epochs so far; zeros before the first epoch has ended."""
    if not path.exists():
        return 0.0, 0
    seconds, epochs = json.loads(path.read_text(encoding="utf-8"))
    return float(seconds), int(epochs)


def train(
    build: Callable[[], Any],
    inputs: Inputs,
    curves: NDArray[Any],
    label: NDArray[np.integer[Any]],
    schedule: Schedule,
    folder: Path,
    say: Callable[[str], None],
) -> tuple[Any, float]:
    """Train a network that ends in logits, or go on where a killed run stopped.

    Parameters
    ----------
    build : callable
        Makes the network; called after the seed and the arithmetic are set.
    inputs : callable
    curves, label : (n, ...), (n,) arrays
    schedule : Schedule
    folder : Path
        For the checkpoint after each epoch.
    say : callable
        Told of progress.

    Returns
    -------
    network : keras.Model
        With the average of its last weights.
    seconds : float
        Of training, resumed runs included.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(schedule.seed)
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if schedule.mixed else "float32")
    network = build()
    clock = folder / "clock.json"
    batches = Batches(curves, label, inputs, schedule, read_clock(clock)[1])
    steps = schedule.epochs * len(batches)
    warm = max(1, steps // 50)
    rate = keras.optimizers.schedules.CosineDecay(
        schedule.learning_rate / 50,
        max(1, steps - warm),
        alpha=0.01,
        warmup_target=schedule.learning_rate,
        warmup_steps=warm,
    )
    # Weights averaged over about the last twentieth of the steps.
    momentum = float(np.clip(1 - 20 / steps, 0.5, 0.999))
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=schedule.weight_decay,
        global_clipnorm=1.0,
        use_ema=True,
        ema_momentum=momentum,
        ema_overwrite_frequency=None,
    )
    network.compile(optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    # A kill between the two leaves the clock one epoch behind, which costs no more than its minutes.
    callbacks = [
        keras.callbacks.BackupAndRestore(str(folder / "backup"), delete_checkpoint=False),
        Clock(clock, say),
    ]
    network.fit(batches, epochs=schedule.epochs, callbacks=callbacks, verbose=0, shuffle=False)
    optimizer.finalize_variable_values(network.trainable_variables)
    return network, read_clock(clock)[0]


def probabilities(
    network: Any, inputs: Inputs, curves: NDArray[Any], *, batch: int = 1024
) -> NDArray[np.float32]:
    """Softmax of the network's logits, (n, classes); no noise is added."""
    parts = []
    for start in range(0, len(curves), batch):
        logits = keras.ops.convert_to_numpy(
            network(inputs(curves[start : start + batch], None), training=False)
        ).astype(np.float32)
        weight = np.exp(logits - logits.max(axis=1, keepdims=True))
        parts.append(weight / weight.sum(axis=1, keepdims=True))
    return np.concatenate(parts)
