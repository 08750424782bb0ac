"""Tags of X-ray scattering images: contestants in one run on the same images, and their transfer.

``python benchmarks/xray_tags.py --work W --train 1800 --test 600`` writes the table beside this file. Each
contestant's scores are kept in W: what is there is not computed again. Contestants: PCA + SVM on pixels; a
dictionary of patches, spatial pyramid and SVM; the same SVM on the rings and the map that the network reads;
the domain's network from scratch on the same images. ``--packaged`` adds the installed network, whose
images are others; ``--networks`` an AlexNet-sized network and Keras' ResNet-50 from scratch.
The second domain is built by other code (``xray_second_domain.py``).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import zoom
from xray_second_domain import image as second

from sasnet_plugin.data.xray_tags.centre import centre_of
from sasnet_plugin.data.xray_tags.features import inputs, window
from sasnet_plugin.domains.xray_tags import LABELS, XRAY_TAGS
from sasnet_plugin.simulate.xray_tags.simulator import SIMULATOR
from sasnet_plugin.types import Image

#: Pixels of a side that contestants on pixels see; patches and words of the dictionary; rare tags.
SIDE, PATCH, WORDS, RARE = 64, 6, 128, 50
SHOTS = (10, 30, 100, 300)


def pixels(image: Image) -> np.ndarray:
    """A square of the logarithm of the counts, each image by itself between 0 and 1, its level beside it."""
    picture = np.log10(1 + image.counts)
    picture = zoom(picture, (SIDE / picture.shape[0], SIDE / picture.shape[1]), order=1)
    return np.asarray(picture / 5, dtype=np.float32)


def first_domain(number: int, seed: int) -> tuple[list[Image], np.ndarray]:
    """Images of the simulator."""
    rng = np.random.default_rng(seed)
    rows = [SIMULATOR.clean(SIMULATOR.sample(rng)) for _ in range(number)]
    images, targets = SIMULATOR.measure(rows, rng)
    return images, targets["tags"]


def second_domain(number: int, seed: int) -> tuple[list[Image], np.ndarray]:
    """Images of the other code; the beam is found in the image, never stated."""
    rng = np.random.default_rng(seed)
    images, truth = [], []
    for _ in range(number):
        counts, tags, _ = second(rng)
        good = np.ones(counts.shape, dtype=bool)
        images.append(Image(counts, good, window(counts.shape, centre_of(counts, good)[0])))
        truth.append([float(name in tags) for name in LABELS])
    return images, np.array(truth, dtype=np.float32)


def kept(path: Path, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Arrays of a file, made where it is missing."""
    if not path.exists():
        made = make()
        aside = path.with_suffix(".part.npz")
        np.savez_compressed(aside, **made)
        aside.rename(path)
        print(path.stem, flush=True)
    with np.load(path) as file:
        return dict(file)


def of_set(images: list[Image], truth: np.ndarray) -> dict[str, np.ndarray]:
    """What contestants read of a set: pixels; rings and map as the network reads them, and as one row."""
    read = inputs(images)
    found = {"pixels": np.stack([pixels(one) for one in images]), "truth": truth}
    rings = np.concatenate(
        [read["profile"].reshape(len(images), -1), read["map"][:, ::2, ::2].reshape(len(images), -1)], axis=1
    )
    return found | {"rings": rings.astype(np.float32), "profile": read["profile"], "map": read["map"]}


def foreign(number: int, seed: int) -> tuple[list[Image], np.ndarray]:
    """Images of no material."""
    rng = np.random.default_rng(seed)
    kinds = [SIMULATOR.kinds[n % len(SIMULATOR.kinds)] for n in range(number)]
    return [SIMULATOR.out_of_distribution(kind, {}, rng) for kind in kinds], np.zeros((number, len(LABELS)))


def network(read: Any) -> np.ndarray:
    """Logits of the packaged network, calibrated."""
    from sasnet_plugin.predict.predictor import open_predictor

    predictor = open_predictor(XRAY_TAGS.name)
    said = predictor.manifest.calibration["tags"]
    return np.asarray(predictor.outputs(read)["tags"] * np.array(said["slope"]) + np.array(said["offset"]))


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
) -> list[np.ndarray]:
    """AlexNet (A. Krizhevsky et al., 2012) for 64² pixels, or Keras' ResNet-50, from scratch."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    start = keras.Input((SIDE, SIDE, 1))
    if name == "ResNet-50":
        body = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
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
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(train[..., None], truth, batch_size=32, epochs=epochs, verbose=0)
    return [model.predict(one[..., None], verbose=0) for one in tests]


def own(sets: dict[str, Any], order: Sequence[str], run: Path, epochs: int) -> list[np.ndarray]:
    """The domain's network on the same images, turned and mirrored at random, and foreign ones for its scope.

    Its weights stay in `run`, from where `sasnet_plugin.train.package` can make a model of them.
    """
    import json

    import keras

    from sasnet_plugin.train.network import build

    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(1)
    read = {
        name: np.concatenate([sets[n][name] for n in ("train", "foreign")]) for name in ("profile", "map")
    }
    known, count = len(sets["train"]["truth"]), len(read["map"])
    truth = np.full((count, len(LABELS)), np.nan, np.float32)
    truth[:known] = sets["train"]["truth"]
    scope = (np.arange(count) < known).astype(np.float32)
    settings = {
        "domain": XRAY_TAGS.name,
        "net": dict(XRAY_TAGS.network.sizes),
        "inputs": {name: values.shape[1:] for name, values in read.items()},
        "labels": {},
        "train": {"images": known, "epochs": epochs, "steps": epochs * -(-count // 64), "batch": 64},
    }
    model = build(XRAY_TAGS, settings)
    steps = epochs * -(-count // 64)
    rate = keras.optimizers.schedules.CosineDecay(1e-4, steps - 100, warmup_target=2e-3, warmup_steps=100)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=0.05, global_clipnorm=1.0))
    for _ in range(epochs):
        turned = np.stack([np.roll(one, rng.integers(one.shape[1]), axis=1) for one in read["map"]])
        turned = np.where((rng.random(count) < 0.5)[:, None, None, None], turned[:, :, ::-1], turned)
        targets = {"tags": truth, "scope": scope}
        model.fit({"profile": read["profile"], "map": turned}, targets, batch_size=64, verbose=0)
    run.mkdir(parents=True, exist_ok=True)
    (run / "settings.json").write_text(json.dumps(settings) + "\n", encoding="utf-8")
    model.save_weights(run / "final.weights.h5")
    return [model.predict({k: sets[n][k] for k in read}, verbose=0)["tags"] for n in order]


def precision(truth: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Average precision of each tag; NaN where no image has it."""
    from sklearn.metrics import average_precision_score

    return np.array(
        [average_precision_score(t, s) if t.any() else np.nan for t, s in zip(truth.T, score.T, strict=True)]
    )


def probe(
    source: np.ndarray, truth: np.ndarray, target: np.ndarray, start: np.ndarray, first: np.ndarray
) -> np.ndarray:
    """Logistic regression of few labels on a score's own tags, added to what it says without them."""
    from sklearn.linear_model import LogisticRegression

    found = start.copy()
    for k in range(truth.shape[1]):
        if 2 <= truth[:, k].sum() <= len(truth) - 2:
            model = LogisticRegression(C=0.05, max_iter=300).fit(np.clip(source, -8, 8), truth[:, k])
            found[:, k] = np.clip(first[:, k], -8, 8) + model.decision_function(np.clip(target, -8, 8))
    return found


def picture(images: list[Image], titles: list[str], path: Path, columns: int = 6) -> None:
    """Draw images with a line of text each."""
    import matplotlib.pyplot as plt

    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2 * columns, 2.35 * rows), layout="constrained")
    for one, title, ax in zip(images, titles, axes.flat, strict=True):
        shown = np.where(one.mask, np.log10(one.counts + 0.5), np.nan)
        ax.imshow(shown, cmap="magma", vmin=np.nanpercentile(shown, 1), vmax=np.nanpercentile(shown, 99.7))
        ax.set_title(title, fontsize=6)
        ax.axis("off")
    figure.savefig(path, dpi=90)
    plt.close(figure)


def in_words(names: Sequence[str]) -> str:
    """Tags in lines of three."""
    return "\n".join(", ".join(names[k : k + 2]) for k in range(0, max(len(names), 1), 2))


def main() -> None:
    """Make the sets, ask all contestants, write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("xray_work"))
    parser.add_argument("--train", type=int, default=1800)
    parser.add_argument("--test", type=int, default=600)
    parser.add_argument("--networks", action="store_true")
    parser.add_argument("--packaged", action="store_true")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--picture", type=Path, help="Draw 24 simulated images, and nothing else.")
    options = parser.parse_args()
    if options.picture:
        images, truth = first_domain(24, 12)
        titles = [in_words([n for n, t in zip(LABELS, row, strict=True) if t]) for row in truth]
        picture(images, titles, options.picture)
        return
    warnings.simplefilter("ignore")
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    sets = {
        name: kept(
            work / f"set_{name}_{number}.npz",
            lambda make=make, number=number, seed=seed: of_set(*make(number, seed)),
        )
        for name, make, number, seed in (
            ("train", first_domain, options.train, 101),
            ("test", first_domain, options.test, 102),
            ("labels", second_domain, max(SHOTS), 103),
            ("second", second_domain, options.test, 104),
            ("foreign", foreign, options.train // 8, 105),
        )
    }
    order, truth = ("test", "second", "labels"), sets["train"]["truth"]

    def flat(kind: str) -> tuple[np.ndarray, list[np.ndarray]]:
        first, *rest = (sets[n][kind].reshape(len(sets[n][kind]), -1) for n in ("train", *order))
        return first, rest

    pictures = [sets[n]["pixels"] for n in order]
    contestants: dict[str, Callable[[], list[np.ndarray]]] = {
        "PCA + SVM, pixels": lambda: svm(flat("pixels")[0], truth, flat("pixels")[1]),
        "dictionary + pyramid + SVM": lambda: pyramid(sets["train"]["pixels"], truth, pictures),
        "PCA + SVM, rings and map": lambda: svm(flat("rings")[0], truth, flat("rings")[1]),
        "own network, rings and map": lambda: own(sets, order, work / "own", options.epochs),
    }
    if options.packaged:
        contestants["packaged network"] = lambda: [network(sets[n]) for n in order]
    if options.networks:
        for name in ("AlexNet", "ResNet-50"):
            contestants[name] = lambda name=name: keras_network(
                name, sets["train"]["pixels"], truth, pictures, options.epochs
            )
    scores = {
        name: kept(
            work / f"{name}_{options.train}_{options.test}.npz",
            lambda run=run: dict(zip(order, run(), strict=True)),
        )
        for name, run in contestants.items()
    }
    text = table(sets, scores, options.train, options.test)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


def table(sets: dict[str, Any], scores: dict[str, Any], train: int, test: int) -> str:
    """Average precision by tag and contestant, rare tags apart; transfer by the number of labels."""
    number = sets["train"]["truth"].sum(axis=0)
    found = {name: precision(sets["test"]["truth"], score["test"]) for name, score in scores.items()}
    lines = [
        "# Tags of X-ray scattering images",
        "",
        f"{train:,} images to learn from and {test:,} to be judged on, all simulated, the same for all."
        " Average precision; the beam was found in the image in four of ten, and stated in the others.",
        "",
        f"| tag | in training | {' | '.join(found)} | chance |",
        "|" + "---|" * (len(found) + 3),
    ]
    chance = sets["test"]["truth"].mean(axis=0)
    for k in np.argsort(number):
        cells = " | ".join(f"{ap[k]:.2f}" for ap in found.values())
        lines.append(f"| {LABELS[k]} | {int(number[k])} | {cells} | {chance[k]:.2f} |")
    rare = number < RARE
    for name, rows in (
        (f"mean of {rare.sum()} tags with fewer than {RARE}", rare),
        ("**mean of all**", number >= 0),
    ):
        cells = " | ".join(f"{np.nanmean(ap[rows]) if rows.any() else np.nan:.3f}" for ap in found.values())
        lines.append(f"| {name} | | {cells} | {chance[rows].mean() if rows.any() else np.nan:.3f} |")
    shots = [n for n in SHOTS if n <= len(sets["labels"]["truth"])]
    lines += [
        "",
        "## Transfer to images of other code",
        "",
        f"Mean average precision on {len(sets['second']['truth'])} images of"
        " `xray_second_domain.py`, of the tags that are among them: without a label of theirs, and with so"
        " many labelled images, on which a logistic regression of the contestant's scores is added.",
        "",
        f"| contestant | 0 | {' | '.join(map(str, shots))} |",
        "|" + "---|" * (len(shots) + 2),
    ]
    truth, labels = sets["second"]["truth"], sets["labels"]["truth"]
    for name, score in scores.items():
        means = [np.nanmean(precision(truth, score["second"]))]
        for n in shots:
            moved = probe(score["labels"][:n], labels[:n], score["second"], score["second"], score["second"])
            means.append(np.nanmean(precision(truth, moved)))
        lines.append(f"| {name} | {' | '.join(f'{m:.3f}' for m in means)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
