"""Tags of X-ray scattering images: contestants in one run on the same images, and their transfer.

``python -m benchmarks images/xray_tags --work W --train 1800 --test 600`` writes the table beside this file.
Each contestant's scores are kept in W: what is there is not computed again. Contestants: PCA + SVM on pixels;
a dictionary of patches, spatial pyramid and SVM; the same SVM on the rings and the map that the network
reads; an AlexNet-sized network and Keras' ResNet-50 from scratch, and an SVM on the latter's features; the
domain's network from scratch on the same images, and as it is installed, which was trained on other and more
images of the simulator. The second domain is built by other code (``xray_second_domain.py``).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import zoom

from sasnet_plugin.data.xray_tags.centre import centre_of
from sasnet_plugin.data.xray_tags.features import inputs, window
from sasnet_plugin.domains.xray_tags import LABELS
from sasnet_plugin.kinds.xray_tags import XRAY_TAGS
from sasnet_plugin.predict.predictor import Predictor
from sasnet_plugin.simulate.xray_tags.simulator import SIMULATOR
from sasnet_plugin.train.gated_fit import Settings
from sasnet_plugin.types import Image
from sasnet_plugin.zoo import open_model

from ..asked import parser_of
from .xray_contestants import READ, installed, keras_network, own, pyramid, svm
from .xray_labelled import labelled_files, retrained, second_frames

#: Pixels of a side that contestants on pixels see; tags of fewer training images are rare.
SIDE, RARE = 64, 50
SHOTS = (10, 30, 100, 300)
OURS = "installed network"


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
    images = []
    frames, truth = second_frames(number, seed)
    for counts in frames:
        good = np.ones(counts.shape, dtype=bool)
        images.append(Image(counts, good, window(counts.shape, centre_of(counts, good)[0])))
    return images, truth


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
    """What contestants read of a set: pixels; what the network reads, and a part of that as one row."""
    read = inputs(images)
    rings = [read["profile"][:, ::2], read["map"][:, ::4, ::4], read["beam"]]
    flat = np.concatenate([one.reshape(len(images), -1) for one in rings], axis=1)
    small = {name: read[name].astype(np.float16) for name in READ}
    return {"pixels": np.stack([pixels(one) for one in images]), "truth": truth, "rings": flat} | {
        **small,
        "level": read["level"],
    }


def foreign(number: int, seed: int) -> tuple[list[Image], np.ndarray]:
    """Images of no material."""
    rng = np.random.default_rng(seed)
    kinds = [SIMULATOR.kinds[n % len(SIMULATOR.kinds)] for n in range(number)]
    return [SIMULATOR.out_of_distribution(kind, {}, rng) for kind in kinds], np.zeros((number, len(LABELS)))


def precision(truth: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Average precision of each tag; NaN where no image has it."""
    from sklearn.metrics import average_precision_score

    return np.array(
        [average_precision_score(t, s) if t.any() else np.nan for t, s in zip(truth.T, score.T, strict=True)]
    )


def probe(source: np.ndarray, truth: np.ndarray, target: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Logistic regression of few labels on a score's own tags, added to what it says without them."""
    from sklearn.linear_model import LogisticRegression

    found = start.copy()
    for k in range(truth.shape[1]):
        if 2 <= truth[:, k].sum() <= len(truth) - 2:
            model = LogisticRegression(C=0.05, max_iter=300).fit(np.clip(source, -8, 8), truth[:, k])
            found[:, k] = np.clip(start[:, k], -8, 8) + model.decision_function(np.clip(target, -8, 8))
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
    parser = parser_of(
        __doc__,
        write=False,
        train=1800,
        test=600,
        epochs=(40, "Of the domain's network on the same images."),
        alexnet=(20, "Epochs of AlexNet; 0: left out."),
        resnet=(20, "Epochs of ResNet-50; 0: left out."),
    )
    parser.add_argument("--work", type=Path, default=Path("xray_work"))
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
    sets = {name: {k: v.astype(np.float32) for k, v in one.items()} for name, one in sets.items()}
    order, truth = ("test", "second", "labels"), sets["train"]["truth"]
    scores = {
        name: kept(work / f"{name}_{options.train}_{options.test}.npz", run)
        for name, run in contestants(sets, order, truth, options).items()
    }
    moved = kept(work / f"moved_{options.test}.npz", lambda: adapted(sets, work))
    text = table(sets, scores, options, moved)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


def contestants(
    sets: dict[str, Any], order: Sequence[str], truth: np.ndarray, options: argparse.Namespace
) -> dict[str, Callable[[], dict[str, np.ndarray]]]:
    """By name, what gives scores of the sets in their order."""

    def flat(kind: str) -> tuple[np.ndarray, list[np.ndarray]]:
        first, *rest = (sets[n][kind].reshape(len(sets[n][kind]), -1) for n in ("train", *order))
        return first, rest

    pictures = [sets[n]["pixels"] for n in order]

    def named(run: Callable[[], list[np.ndarray]]) -> Callable[[], dict[str, np.ndarray]]:
        return lambda: dict(zip(order, run(), strict=True))

    def network(name: str, epochs: int) -> dict[str, np.ndarray]:
        said, seen = keras_network(name, sets["train"]["pixels"], truth, pictures, epochs)
        found = {f"features_{n}": v.astype(np.float16) for n, v in zip(("train", *order), seen, strict=True)}
        return dict(zip(order, said, strict=True)) | found

    found = {
        "PCA + SVM, pixels": named(lambda: svm(flat("pixels")[0], truth, flat("pixels")[1])),
        "dictionary + pyramid + SVM": named(lambda: pyramid(sets["train"]["pixels"], truth, pictures)),
        "PCA + SVM, rings and map": named(lambda: svm(flat("rings")[0], truth, flat("rings")[1])),
        "own network, same images": named(lambda: own(sets, order, options.epochs)),
        OURS: named(lambda: [installed(sets[n]) for n in order]),
    }
    for name, epochs in (("AlexNet", options.alexnet), ("ResNet-50", options.resnet)):
        if epochs:
            found[name] = lambda name=name, epochs=epochs: network(name, epochs)
    return found


def adapted(sets: dict[str, Any], work: Path) -> dict[str, np.ndarray]:
    """Scores on both domains of what `sasnet train --start-from zoo` makes of so many labelled images."""
    files, truth = labelled_files(work / "labelled", max(SHOTS)), second_frames(max(SHOTS), 103)[1]
    found, scenes = {}, Settings().scenes
    for number in SHOTS:
        model, name = open_model(XRAY_TAGS.name), f"moved_{number}"
        # Too few labels, or no tag that is better on held-out ones: the model as it is.
        predictor = Predictor.of(retrained(model, files[:number], truth[:number], work, name, scenes))
        for one in ("test", "second"):
            found[f"{one}_{number}"] = installed(sets[one], predictor)
    return found


def table(
    sets: dict[str, Any], scores: dict[str, Any], options: argparse.Namespace, moved: dict[str, np.ndarray]
) -> str:
    """Average precision by tag and contestant, rare tags apart; transfer by the number of labels."""
    number = sets["train"]["truth"].sum(axis=0)
    truth = sets["test"]["truth"]
    found = {name: precision(truth, score["test"]) for name, score in scores.items()}
    lines = [
        "# Tags of X-ray scattering images",
        "",
        f"{options.train:,} images to learn from and {options.test:,} to be judged on, all simulated, the"
        " same for all but the installed network, which was trained on others, and more. Average precision;"
        " the beam was found in the image in four of ten, and stated in the others. Epochs on the training"
        f" images: own network {options.epochs}, AlexNet {options.alexnet}, ResNet-50 {options.resnet}.",
        "",
        f"| tag | in training | {' | '.join(found)} | chance |",
        "|" + "---|" * (len(found) + 3),
    ]
    chance = truth.mean(axis=0)
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
    return "\n".join([*lines, *transfer(sets, scores, moved)]) + "\n"


def transfer(sets: dict[str, Any], scores: dict[str, Any], moved: dict[str, np.ndarray]) -> list[str]:
    """Lines of the table on the second domain."""
    truth, labels, first = (sets[n]["truth"] for n in ("second", "labels", "test"))
    lines = [
        "",
        "## Transfer to images of other code",
        "",
        f"Mean average precision on {len(truth)} images of `xray_second_domain.py`, of the tags that are"
        f" among them (chance {truth.mean(axis=0)[truth.any(axis=0)].mean():.3f}): without a label of theirs,"
        " and with so many labelled images. Of contestants, a logistic regression of their scores is added to"
        " the score, and an SVM is fitted to ResNet-50's features; the installed network is what `sasnet"
        " train --labels --start-from zoo` makes of it (20 images at least).",
        "",
        f"| contestant | 0 | {' | '.join(map(str, SHOTS))} |",
        "|" + "---|" * (len(SHOTS) + 2),
    ]
    for name, score in scores.items():
        means = [np.nanmean(precision(truth, score["second"]))]
        for n in SHOTS:
            if name == OURS:
                said = moved[f"second_{n}"]
            else:
                said = probe(score["labels"][:n], labels[:n], score["second"], score["second"])
            means.append(np.nanmean(precision(truth, said)))
        lines.append(f"| {name} | {' | '.join(f'{m:.3f}' for m in means)} |")
        if "features_second" in score:
            means = []
            for n in SHOTS:
                (said,) = svm(score["features_labels"][:n], labels[:n], [score["features_second"]], 60)
                means.append(np.nanmean(precision(truth, said)))
            lines.append(f"| {name}, features + SVM | | {' | '.join(f'{m:.3f}' for m in means)} |")
    before = np.nanmean(precision(first, scores[OURS]["test"]))
    after = [np.nanmean(precision(first, moved[f"test_{n}"])) for n in SHOTS]
    told = ", ".join(f"{m:.3f} after {n}" for m, n in zip(after, SHOTS, strict=True))
    lines += ["", f"On the {len(first)} images above the installed network has {before:.3f}, and {told}."]
    return lines
