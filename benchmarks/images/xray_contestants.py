"""Contestants on the same X-ray images: SVMs on pixels, on words of patches, on what the network reads;
AlexNet, ResNet-50 and its features; the domain's own network, from scratch and as it is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sasnet_plugin.domains.xray_tags import LABELS
from sasnet_plugin.kinds.xray_tags import XRAY_TAGS

#: Patches and words of the dictionary.
PATCH, WORDS = 6, 128
#: What the network reads.
READ = ("profile", "map", "picture", "beam")


def svm(
    train: np.ndarray, truth: np.ndarray, tests: list[np.ndarray], components: int = 120
) -> list[np.ndarray]:
    """PCA and, tag by tag, an SVM with Gaussian kernel; classes weighted by their frequency."""
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    before = make_pipeline(
        StandardScaler(), PCA(min(components, len(train) // 2), whiten=False, random_state=0)
    )
    x = before.fit_transform(train)
    others = [before.transform(one) for one in tests]
    scores = [np.zeros((len(one), truth.shape[1])) for one in tests]
    for k in range(truth.shape[1]):
        if 0 < truth[:, k].sum() < len(truth):
            model = SVC(C=3.0, class_weight="balanced", gamma="scale").fit(x, truth[:, k])
            for score, one in zip(scores, others, strict=True):
                score[:, k] = model.decision_function(one)
    return scores


def pyramid(train: np.ndarray, truth: np.ndarray, tests: list[np.ndarray]) -> list[np.ndarray]:
    """Patches, a dictionary by k-means, soft words, their largest over 1, 4 and 16 parts; linear SVM.

    S. Lazebnik, C. Schmid, J. Ponce, CVPR 2006, 2169; J. Yang et al., CVPR 2009, 1794 (maxima).
    """
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    def patches(picture: np.ndarray) -> np.ndarray:
        view = np.lib.stride_tricks.sliding_window_view(picture, (PATCH, PATCH))[::3, ::3]
        flat = view.reshape(*view.shape[:2], -1)
        return (flat - flat.mean(-1, keepdims=True)) / (flat.std(-1, keepdims=True) + 0.02)

    rng = np.random.default_rng(0)
    some = np.concatenate([patches(p).reshape(-1, PATCH**2)[rng.integers(0, 400, 25)] for p in train])
    words = MiniBatchKMeans(WORDS, random_state=0, n_init=1, batch_size=2048).fit(some).cluster_centers_

    def coded(pictures: np.ndarray) -> np.ndarray:
        found = []
        for picture in pictures:
            all_ = patches(picture)
            near = (all_**2).sum(-1)[..., None] - 2 * all_ @ words.T + (words**2).sum(1)
            # Triangle coding: how much nearer than the mean word (A. Coates et al., AISTATS 2011).
            code = np.maximum(near.mean(-1, keepdims=True) - near, 0)
            parts = [
                code[a:b, c:d].max(axis=(0, 1))
                for n in (1, 2, 4)
                for a, b in np.linspace(0, len(code), n + 1, dtype=int).repeat(2)[1:-1].reshape(-1, 2)
                for c, d in np.linspace(0, len(code), n + 1, dtype=int).repeat(2)[1:-1].reshape(-1, 2)
            ]
            found.append(np.append(np.concatenate(parts), picture.mean() * np.ones(8)))
        return np.array(found)

    scale = StandardScaler().fit(x := coded(train))
    x, others = scale.transform(x), [scale.transform(coded(one)) for one in tests]
    scores = [np.zeros((len(one), truth.shape[1])) for one in tests]
    for k in range(truth.shape[1]):
        if 0 < truth[:, k].sum() < len(truth):
            model = LinearSVC(C=0.001, class_weight="balanced").fit(x, truth[:, k])
            for score, one in zip(scores, others, strict=True):
                score[:, k] = model.decision_function(one)
    return scores


def keras_network(
    name: str, train: np.ndarray, truth: np.ndarray, tests: list[np.ndarray], epochs: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """AlexNet (A. Krizhevsky et al., 2012) for small pictures, or Keras' ResNet-50, from scratch.

    Returns
    -------
    scores, features : list of array
        Of the tests; of the training images and the tests, before the last layer.
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    side = train.shape[1]
    start = keras.Input((side, side, 1))
    if name == "ResNet-50":
        body = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(side, side, 3))
        x = layers.GlobalAveragePooling2D()(body(layers.Concatenate()([start] * 3)))
    else:
        x = start
        for filters, size, pooled in ((64, 7, 1), (192, 5, 1), (384, 3, 0), (256, 3, 0), (256, 3, 1)):
            x = layers.Conv2D(
                filters, size, strides=2 if x is start else 1, padding="same", activation="relu"
            )(x)
            x = layers.MaxPooling2D(2)(x) if pooled else x
        x = layers.Flatten()(x)
        for _ in range(2):
            x = layers.Dropout(0.5)(layers.Dense(2048, activation="relu")(x))
    model = keras.Model(start, layers.Dense(len(LABELS))(x))
    steps = epochs * -(-len(train) // 32)
    rate = keras.optimizers.schedules.CosineDecay(1e-5, steps - 50, warmup_target=3e-4, warmup_steps=50)
    model.compile(keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=True))
    rng = np.random.default_rng(1)
    for _ in range(epochs):
        # Turned by quarters and mirrored, as ours is.
        seen = np.stack([np.rot90(one, rng.integers(4)) for one in train])
        seen = np.where((rng.random(len(seen)) < 0.5)[:, None, None], seen[:, :, ::-1], seen)
        model.fit(seen[..., None], truth, batch_size=32, epochs=1, verbose=0)
    inner = keras.Model(start, x)
    return (
        [model.predict(one[..., None], verbose=0) for one in tests],
        [inner.predict(one[..., None], verbose=0) for one in (train, *tests)],
    )


def own(sets: dict[str, Any], order: Sequence[str], epochs: int) -> list[np.ndarray]:
    """The domain's network from scratch on the same images and their mirror images, and on foreign ones."""
    import keras

    from sasnet_plugin.simulate.stream import augmented
    from sasnet_plugin.train.network import build

    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(1)
    read = {name: np.concatenate([sets[n][name] for n in ("train", "foreign")]) for name in READ}
    known, count = len(sets["train"]["truth"]), len(read["map"])
    truth = np.full((count, len(LABELS)), np.nan, np.float32)
    truth[:known] = sets["train"]["truth"]
    targets = {"tags": truth, "scope": (np.arange(count) < known).astype(np.float32)}
    shapes = {name: values.shape[1:] for name, values in read.items()}
    model = build(XRAY_TAGS, {"net": dict(XRAY_TAGS.network.sizes), "inputs": shapes, "labels": {}})
    steps = epochs * -(-count // 64)
    rate = keras.optimizers.schedules.CosineDecay(1e-4, steps - 100, warmup_target=1e-3, warmup_steps=100)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=0.05, global_clipnorm=1.0))
    for _ in range(epochs):
        seen, true = augmented(XRAY_TAGS, read, targets, rng)
        model.fit(seen, true, batch_size=64, verbose=0)
    return [averaged({k: sets[n][k] for k in READ}, model) for n in order]


def averaged(read: dict[str, np.ndarray], model: Any) -> np.ndarray:
    """Logits of a network, averaged over the domain's symmetries as in prediction."""
    found = model.predict(read, verbose=0)["tags"]
    for symmetry in XRAY_TAGS.symmetries:
        found = (found + model.predict(symmetry(read), verbose=0)["tags"]) / 2
    return np.asarray(found)


def installed(read: dict[str, np.ndarray], predictor: Any = None) -> np.ndarray:
    """Logits of the installed network, or of another predictor, calibrated."""
    if predictor is None:
        from sasnet_plugin.predict.predictor import open_predictor

        predictor = open_predictor(XRAY_TAGS.name)
    said = predictor.manifest.calibration["tags"]
    parts = []
    for start in range(0, len(read["map"]), 64):
        some = {name: read[name][start : start + 64] for name in (*READ, "level")}
        parts.append(predictor.outputs(some)["tags"])
    return np.asarray(np.concatenate(parts) * np.array(said["slope"]) + np.array(said["offset"]))
