"""Contestants on the same labelled diffraction images: a residual network and a network of VGG's kind on
pixels, boosted trees on harmonics, the domain's network from scratch, as it is installed, and as
`sasnet train --labels --start-from zoo` leaves it.

Each gives logits of the tags; what is made of them is the same for all (`diffraction_labels.py`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.domains.diffraction import LABELS
from sasnet_plugin.kinds.diffraction import DIFFRACTION
from sasnet_plugin.predict.predictor import Predictor
from sasnet_plugin.train.adapted import adapt
from sasnet_plugin.train.gated_fit import Settings
from sasnet_plugin.zoo import open_model, register

from .diffraction_images import table

Sets = dict[str, dict[str, np.ndarray]]
#: Images a step of the networks on pixels, and the decades of counts that are brought to 1.
_BATCH, _DECADES = 32, 3.0


def turned(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pictures turned by any angle, half of them mirrored: tags stay as they are."""
    from scipy.ndimage import map_coordinates

    side = pictures.shape[1]
    at = np.arange(side) - (side - 1) / 2
    y, x = np.meshgrid(at, at, indexing="ij")
    found = np.empty_like(pictures)
    for row, (picture, angle) in enumerate(
        zip(pictures, rng.uniform(0, 2 * np.pi, len(pictures)), strict=True)
    ):
        c, s = np.cos(angle), np.sin(angle)
        flip = rng.choice([-1, 1])
        places = [flip * (c * y + s * x) + (side - 1) / 2, c * x - s * y + (side - 1) / 2]
        found[row] = map_coordinates(picture, places, order=1, mode="constant")
    return found


def pixel_network(
    name: str,
    train: np.ndarray,
    tags: np.ndarray,
    tests: Sequence[np.ndarray],
    epochs: int,
    held: tuple[np.ndarray, np.ndarray],
) -> tuple[list[np.ndarray], np.ndarray]:
    """A network on decades of the counts, eleven sigmoids, from scratch.

    "residual": K. He et al., ECCV 2016 (arXiv:1603.05027), pre-activated, 18 layers, as in Zimmermann et al.;
    "plain": pairs of convolutions and maxima, K. Simonyan, A. Zisserman, ICLR 2015 (arXiv:1409.1556), with
    batch normalisation.

    Parameters
    ----------
    train, tags : (n, side, side), (n, labels) array
    tests : sequence of (m, side, side) array
    epochs : int
    held : (images, tags)
        Whose loss is followed; nothing is chosen by it.

    Returns
    -------
    logits : list of (m, labels) array
    losses : (epochs,) array
        Of the held-out images, nats, summed over tags.
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    start = keras.Input((train.shape[1], train.shape[2], 1))

    def conv(x: Any, filters: int, stride: int = 1, size: int = 3) -> Any:
        return layers.Conv2D(filters, size, stride, "same", use_bias=False)(x)

    def active(x: Any) -> Any:
        return layers.ReLU()(layers.BatchNormalization()(x))

    if name == "residual":
        x = conv(start, 32, 2, 5)
        for filters, stride in ((24, 1), (48, 2), (96, 2), (192, 2)):
            for step in (stride, 1):
                y = active(x)
                short = x if step == 1 and x.shape[-1] == filters else conv(y, filters, step, 1)
                x = short + conv(active(conv(y, filters, step)), filters)
        x = layers.GlobalAveragePooling2D()(active(x))
    else:
        x = start
        for filters in (16, 32, 64, 128):
            x = layers.MaxPooling2D(2)(active(conv(active(conv(x, filters)), filters)))
        x = layers.Dropout(0.5)(layers.Dense(256, activation="relu")(layers.Flatten()(x)))
    model = keras.Model(start, layers.Dense(len(LABELS))(x))
    steps = epochs * -(-len(train) // _BATCH)
    rate = keras.optimizers.schedules.CosineDecay(1e-5, steps, warmup_target=2e-3, warmup_steps=steps // 20)
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.01), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    rng, losses = np.random.default_rng(1), []
    for _ in range(epochs):
        model.fit(turned(train, rng)[..., None], tags, batch_size=_BATCH, epochs=1, verbose=0)
        losses.append(len(LABELS) * model.evaluate(held[0][..., None], held[1], batch_size=256, verbose=0))
        print(name, len(train), len(losses), f"{losses[-1]:.3f}", flush=True)
    return [model.predict(one[..., None], batch_size=256, verbose=0) for one in tests], np.array(losses)


def pictures(some: dict[str, np.ndarray]) -> np.ndarray:
    """What networks on pixels read."""
    return some["pixels"].astype(np.float32) / _DECADES


def trees(train: np.ndarray, tags: np.ndarray, tests: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Boosted trees, tag by tag, on profile and harmonics of the rings."""
    import lightgbm

    flat = train.reshape(len(train), -1)
    scores = [np.zeros((len(one), tags.shape[1])) for one in tests]
    few = len(train) < 1000
    for k in range(tags.shape[1]):
        if not 0 < tags[:, k].sum() < len(tags):
            for score in scores:
                score[:, k] = -10.0
            continue
        model = lightgbm.LGBMClassifier(
            n_estimators=200, learning_rate=0.05, num_leaves=8 if few else 24, feature_fraction=0.3,
            min_child_samples=3 if few else 10, subsample=0.8, subsample_freq=1, n_jobs=1, verbose=-1,
            random_state=0,
        ).fit(flat, tags[:, k])  # fmt: skip
        for score, one in zip(scores, tests, strict=True):
            score[:, k] = model.predict(one.reshape(len(one), -1), raw_score=True)
    return scores


def own(train: np.ndarray, tags: np.ndarray, tests: Sequence[np.ndarray], epochs: int) -> list[np.ndarray]:
    """The domain's network from scratch, its tags alone, as `sasnet train --labels` has it."""
    import keras

    from sasnet_plugin.train.network import build

    keras.utils.set_random_seed(0)
    domain = replace(DIFFRACTION, heads=DIFFRACTION.heads[:1])
    sizes = dict(DIFFRACTION.network.sizes)
    model = build(domain, {"net": sizes, "inputs": {"features": train.shape[1:]}, "labels": {}})
    steps = epochs * -(-len(train) // 64)
    rate = keras.optimizers.schedules.CosineDecay(1e-5, steps, warmup_target=1e-3, warmup_steps=steps // 20)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=0.02, global_clipnorm=1.0))
    model.fit(train, {"tags": tags}, batch_size=64, epochs=epochs, verbose=0)
    return [model.predict(one, batch_size=256, verbose=0)["tags"] for one in tests]


def installed(features: np.ndarray, predictor: Predictor) -> np.ndarray:
    """Logits of a packaged network."""
    return np.asarray(predictor.runtime.run({"features": features})["tags"])


def following(
    work: Path, file: Path, tags: np.ndarray, rows: np.ndarray, scenes: int, name: str
) -> tuple[Predictor, str]:
    """What `sasnet train --labels … --start-from zoo --replay SCENES` makes of the installed network.

    Parameters
    ----------
    work : Path
    file : Path
        Of the kept training set.
    tags : (n, labels) array
        Of the set.
    rows : (m,) int array
        Images of the set that are labelled.
    scenes : int
        Simulated ones that are replayed.
    name : str
        Of the new model's folder.
    """
    model, target = open_model(DIFFRACTION.name), work / name / DIFFRACTION.name
    labels = work / f"{name}.csv"
    table(labels, tags, rows, file)
    domain = replace(DIFFRACTION, read="diffraction_images:read")
    began = time.process_time()
    done = adapt(domain, model, labels, [str(file)], target, work / "replay", Settings(scenes=scenes))
    said = f"{name}: {done.sentence()} {time.process_time() - began:.0f} s"
    print(said, flush=True)
    if done.better:
        register(target)
        model = open_model(DIFFRACTION.name, folder=target.parent)
    return Predictor.of(model), said
