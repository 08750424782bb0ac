"""What an earlier network answers of known examples is learned beside the truth, so that none is forgotten.

Learning without forgetting (Z. Li & D. Hoiem, IEEE Trans. Pattern Anal. 40 (2018) 2935). A network that is
shown new kinds of examples with few simulated curves of the old ones learns these few by heart; what the
earlier network makes of them says how sure of each one may be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from ..domains import Domain
from ..domains.heads import Classes, Head, Scope, Tags
from ..files import put_in_one_step, remove_leftovers
from ..predict.arithmetic import find_allowed_labels, sigmoid, softmax
from ..predict.predictor import Runtime
from ..simulate.dataset import Stream, as_read, network_inputs
from ..types import SasnetError
from ..zoo import ZooModel
from .feed import Feed
from .network import BEFORE, build
from .started import begin_with, describe_start

# --- What an earlier network answers of known examples is learned beside the truth, so that none is
# --- forgotten.

_NEVER = -1e9


class Earlier:
    """An earlier network and the answers kept of it; classes have the same labels in both."""

    def __init__(self, model: ZooModel, heads: Sequence[Head]) -> None:
        theirs = {head.name: head for head in model.manifest.heads}
        self.heads = [h for h in heads if isinstance(h, Classes | Scope | Tags) and _same(h, theirs)]
        self._form = next(h for h in heads if isinstance(h, Classes) and not h.given)
        names = [head.name for head in self.heads]
        # One thread: the new network's steps have the others.
        self._runtime = Runtime(model.onnx, outputs=names, threads=1, where=str(model.folder))

    def add_answers(
        self, batches: Iterator[tuple[Any, Mapping[str, Any]]]
    ) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Batches of one input, with its answers among the targets."""
        for inputs, targets in batches:
            yield inputs, {**targets, **self.answers(inputs, targets)}

    def answers(self, inputs: NDArray[np.float32], targets: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Probabilities by `BEFORE` and the head's name; NaN but for examples in scope of a single class."""
        right = np.asarray(targets[self._form.name], dtype=float)
        is_known = (right.sum(axis=1) == 1) & (np.asarray(targets["scope"]) == 1)
        index = right.argmax(axis=1)
        outputs = self._runtime.run({"features": inputs})
        answers = {}
        for head in self.heads:
            logits = outputs[head.name].astype(float)
            if isinstance(head, Classes) and head.given:
                allowed = find_allowed_labels(head, self._form.labels)[index]
                logits = np.where(allowed, logits[np.arange(len(index)), index], _NEVER)
            p = softmax(logits) if isinstance(head, Classes) else sigmoid(logits)
            answers[BEFORE + head.name] = np.where(is_known[:, None], p, np.nan).astype(np.float32)
        return answers


def _same(head: Head, theirs: Mapping[str, Head]) -> bool:
    their_head = theirs.get(head.name)
    return their_head is not None and getattr(their_head, "labels", ()) == getattr(head, "labels", ())


# --- The training loop: a schedule, averaged weights, checkpoints that survive a kill.


@dataclass(frozen=True)
class TrainConfig:
    """How to train."""

    #: Batches in all. A run may go on with another number: with fewer to end it sooner, its decay included.
    steps: int = 12_000
    batch: int = 512
    learning_rate: float = 1.2e-3  #: Peak, after a linear warm-up, before the cosine decay.
    #: Share of the batches over which the learning rate falls, at the end; 1 from the warm-up on.
    decay: float = 1.0
    weight_decay: float = 0.02
    seed: int = 0
    workers: int = 1  #: Processes that measure examples.
    save_every: int = 500  #: Steps between checkpoints.
    #: bfloat16 arithmetic with float32 weights; None where it pays (`bfloat16_pays`).
    mixed: bool | None = None
    validate: int = 0  #: Held-out examples whose loss is logged at each checkpoint; 0 none.


#: Of the examples that are validated on: the same whenever a run goes on.
_VALIDATION_SEED = 5


def train(
    data: Path,
    run: Path,
    config: TrainConfig,
    *,
    domain: Domain,
    net: Mapping[str, Any] | None = None,
    validation: Path | None = None,
    start: ZooModel | None = None,
    keep: ZooModel | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Path:
    """Train on shards, or resume a run of the same settings; returns the path of final, averaged weights.
    Raises SasnetError if the run has another configuration.
    """
    # `net` overrides trunk sizes; `validation` shards have another seed; `start` gives initial weights, and
    # `keep` answers to known examples to learn besides the truth; `progress` gets (step, loss).

    run.mkdir(parents=True, exist_ok=True)
    remove_leftovers(run)
    settings = {
        "train": asdict(config),
        "domain": domain.name,
        "net": {**domain.network.sizes, **(net or {})},
        **_shape_of(domain, data),
    }
    settings |= _earlier(start, keep)
    settings = json.loads(json.dumps(settings))
    _settle(run / "settings.json", settings)
    final = run / "final.weights.h5"
    if final.exists():
        return final

    _prepare(keras, config)
    model = build(domain, settings)
    # The average over the last steps (a twentieth of all) is a better network than the last one
    # (Polyak & Juditsky, SIAM J. Control Optim. 30 (1992) 838).
    optimizer = keras.optimizers.AdamW(
        _schedule(keras, config),
        weight_decay=config.weight_decay,
        global_clipnorm=1.0,
        use_ema=True,
        ema_momentum=float(np.clip(1 - 20 / config.steps, 0.8, 0.9995)),
        ema_overwrite_frequency=None,
    )
    model.compile(optimizer=optimizer, jit_compile=keras.backend.backend() == "jax")
    # A checkpoint is loaded into its variables; a first step that creates them is traced twice by TensorFlow.
    optimizer.build(model.trainable_variables)
    rounds = -(-config.steps // config.save_every)
    epochs_done = restore(model, run)
    if start is not None and not epochs_done:
        begin_with(model, start.onnx, str(start.folder))
    log = keras.callbacks.CSVLogger(str(run / "log.csv"), append=True)
    callbacks: list[Any] = [
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: checkpoint(model, run, epoch + 1)),
    ]
    held_out = None
    if config.validate and validation is not None:
        held_out = _draw_held_out(domain, validation, config.validate)
        # The averaged weights are what a run ends with.
        callbacks.append(keras.callbacks.SwapEMAWeights())
    callbacks.append(log)
    if progress is not None:
        callbacks.append(_reporter(keras, progress, config.save_every))
    # A resumed run reads other examples than the ones it has seen: the stream never repeats.
    feed = Feed(
        domain,
        data,
        seed=config.seed + 1000 * _restarts(run),
        batch=config.batch,
        workers=config.workers,
    )
    try:
        model.fit(
            _batches(feed, keep, model.heads),
            initial_epoch=epochs_done,
            epochs=rounds,
            steps_per_epoch=config.save_every,
            validation_data=held_out,
            validation_batch_size=config.batch,
            callbacks=callbacks,
            verbose=0,
            shuffle=False,
        )
    finally:
        feed.close()
        if log.csv_file is not None:  # after an interruption Keras leaves it open
            log.csv_file.close()
    optimizer.finalize_variable_values(model.trainable_variables)
    with put_in_one_step(final, ending=".weights.h5") as aside:
        model.save_weights(aside)
    return final


def _prepare(keras: Any, config: TrainConfig) -> None:
    """Seed, devices and precision, before anything is built."""
    keras.utils.set_random_seed(config.seed)
    if keras.backend.backend() == "jax" and len(keras.distribution.list_devices("gpu")) > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel())
    if bfloat16_pays() if config.mixed is None else config.mixed:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")


def bfloat16_pays() -> bool:
    """Whether bfloat16 is faster here: on a GPU, or in TensorFlow on a CPU that has it."""
    # The network for curves took 0.7 of float32's time with ``amx_bf16``, that for diffraction images 0.75
    # with ``avx512_bf16``; without either curves took 1.6 to 3.5 times as long (TensorFlow 2.21).

    if keras.distribution.list_devices("gpu"):
        return True
    file = Path("/proc/cpuinfo")
    if keras.backend.backend() != "tensorflow" or not file.exists():
        return False
    flags = file.read_text(encoding="utf-8", errors="replace")
    return any(flag in flags for flag in ("amx_bf16", "avx512_bf16"))


def _schedule(keras: Any, config: TrainConfig) -> Any:
    """Linear warm-up over a fiftieth, then the peak, then a cosine down to a hundredth of it."""
    warm = max(1, config.steps // 50)
    fall = max(1.0, config.decay * (config.steps - warm))

    class Schedule(keras.optimizers.schedules.LearningRateSchedule):
        """Of the batch's number alone, so that it goes on where a run was stopped."""

        def __call__(self, step: Any) -> Any:
            step = ops.cast(step, "float32")
            up = ops.minimum(1 / 50 + (1 - 1 / 50) * step / warm, 1.0)
            share = ops.clip((step - (config.steps - fall)) / fall, 0.0, 1.0)
            down = 0.01 + 0.99 * 0.5 * (1 + ops.cos(np.pi * share))
            return config.learning_rate * up * down

    return Schedule()


def _draw_held_out(domain: Domain, folder: Path, count: int) -> tuple[Any, dict[str, Any]]:
    """What the network reads of `count` held-out examples, drawn as those of training, and what is true."""
    stream = Stream(domain, folder, np.random.default_rng(_VALIDATION_SEED))
    parts, total = [], 0
    while total < count:
        parts.append(stream.take())
        total += len(next(iter(parts[-1][1].values())))
    inputs, targets = (
        {name: np.concatenate([part[k][name] for part in parts])[:count] for name in parts[0][k]}
        for k in (0, 1)
    )
    return as_read(inputs), targets


def _reporter(keras: Any, progress: Callable[[int, float], None], per_epoch: int) -> Any:
    class Reporter(keras.callbacks.Callback):
        """Tells the caller how far training is."""

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.start = epoch * per_epoch

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch % 20 == 19:
                progress(self.start + batch + 1, float((logs or {}).get("loss", float("nan"))))

    return Reporter()


def _settle(path: Path, settings: dict[str, Any]) -> None:
    if path.exists():
        stored = json.loads(path.read_text(encoding="utf-8"))
        # Neither changes what the weights are of.
        free = {name: settings["train"][name] for name in ("steps", "workers", "mixed", "validate")}
        if {**stored, "train": {**stored["train"], **free}} != settings:
            differing = ", ".join(k for k in settings if stored.get(k) != settings[k])
            raise SasnetError(
                f"{path.parent}: holds a run with other settings ({differing});"
                " choose another folder or repeat its options."
            )
    # In one step: a kill must leave no half of a file, which would make the run impossible to resume.
    with put_in_one_step(path) as aside:
        aside.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def _restarts(run: Path) -> int:
    path = run / "starts"
    count = int(path.read_text(encoding="utf-8")) + 1 if path.exists() else 0
    path.write_text(str(count), encoding="utf-8")
    return count


def _shape_of(domain: Domain, data: Path) -> dict[str, Any]:
    """What a network for the shards in a folder is built for: inputs, and labels that the shards decide."""
    inputs, _ = Stream(domain, data, np.random.default_rng(0)).take()
    return {"inputs": network_inputs(inputs), "labels": domain.open_simulator().labels(data)}


def _earlier(start: ZooModel | None, keep: ZooModel | None) -> dict[str, Any]:
    settings: dict[str, Any] = {} if start is None else {"start": describe_start(start)}
    if keep is not None:
        settings["keep"] = {"name": keep.manifest.name, "sha256": keep.manifest.sha256["model.onnx"]}
    return settings


def _batches(feed: Feed, keep: ZooModel | None, heads: Sequence[Head]) -> Iterator[Any]:
    return iter(feed) if keep is None else Earlier(keep, heads).add_answers(iter(feed))


_PATTERN = "epoch-[0-9][0-9][0-9][0-9][0-9][0-9].weights.h5"


def checkpoint(model: Any, run: Path, epochs: int) -> None:
    """Keep the weights and the optimizer's state after so many epochs; older checkpoints go."""
    # Keras' own BackupAndRestore writes over its only file: a kill within the second that this takes
    # leaves nothing to resume from.
    path = run / f"epoch-{epochs:06d}.weights.h5"
    with put_in_one_step(path, ending=".weights.h5") as aside:
        model.save_weights(aside)
    for old in run.glob(_PATTERN):
        if old != path:
            old.unlink()


def restore(model: Any, run: Path) -> int:
    """Load the newest checkpoint, if there is one, and say how many epochs it has behind it."""
    checkpoints = sorted(run.glob(_PATTERN))
    if not checkpoints:
        return 0
    model.load_weights(checkpoints[-1])
    return int(checkpoints[-1].name.removeprefix("epoch-").split(".")[0])
