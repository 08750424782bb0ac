"""Images that a model was fitted to, kept in its folder as its last layer reads them.

A later training is given other images, when the old ones may be gone: it goes over both. Of an image there
are a few hundred numbers and its labels; of its file's name only a digest.

Of each scene only what the last layer reads is kept, in parts: a few kilobytes a hundred, and a training that
was stopped goes on with the part that was under way.

What the network sees stays, and so does its last layer; what labels teach is added to its logits where an
image is like those that were labelled (`last_layer`). Every step of a fit goes over the labelled images and
over simulated scenes together, whose answers are to stay what they were. A tag follows the labels only where
that is better on images that it was not fitted to.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...domains import Domain, ReadOptions, has_tags
from ...domains.heads import Inputs, Tags, Targets, outputs_of
from ...domains.simulator import Layout, Mix, Row, Simulator
from ...files import new_hdf5, put_in_one_step
from ...predict.arithmetic import sigmoid
from ...predict.predictor import Runtime
from ...simulate.dataset import PARAMETERS, inputs_of
from ...train.last_layer import Change, Layer
from ...types import DataError, SasnetError
from ...zoo import ZooModel

# --- Measured images with a user's own labels, laid down as a dataset that is trained on like a
# --- simulated one.

#: Share of the labelled images that calibration is done with.
HELD_OUT = 0.15
#: Fewer labelled images than this teach nothing.
LEAST = 20
_LABEL = "label_"
_ROWS = 8


@dataclass(frozen=True)
class Recorded(Simulator):
    """Rows that were measured: nothing is drawn."""

    layout = Layout(stem="labelled", content="{rows:,} labelled images", rows=_ROWS)
    mix = Mix(rows=64, others=0)

    def measure(
        self, rows: Sequence[Row], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[list[Row], Targets]:
        """Rows as they are, and their labels by head."""
        names = [name for name in rows[0] if name.startswith(_LABEL)]
        return list(rows), {name.removeprefix(_LABEL): np.stack([r[name] for r in rows]) for name in names}


SIMULATOR = Recorded()


def inputs(rows: Sequence[Row]) -> dict[str, NDArray[Any]]:
    """What the network reads of rows."""
    names = [name for name in rows[0] if name != PARAMETERS and not name.startswith(_LABEL)]
    return {name: np.stack([row[name] for row in rows]) for name in names}


def record(
    domain: Domain, labels: Path, images: Sequence[str], folder: Path, seed: int = 0
) -> tuple[Domain, Path, Path]:
    """Lay down training data from labelled images: the adapted domain, and folders of shards."""
    # The CSV has ``file``, ``entry`` (frame from 1), and a column of 1, 0 or nothing for each tag, or
    # ``tags`` separated by semicolons; tags in ``accepted`` were suggested by a model. `seed` draws held-out
    # images. Raises SasnetError if it is unreadable, names no tag, or too few images are there.
    head, labelled = read_labelled(domain, labels, images)
    order = np.random.default_rng(seed).permutation(len(labelled))
    test_count = max(int(HELD_OUT * len(labelled)), 4)
    parts = {"validation": order[:test_count], "data": order[test_count:]}
    for name, rows in parts.items():
        _write_shards(folder / name, [labelled[row] for row in rows], head.name, domain.features_version)
    recorded = replace(
        domain, simulator=lambda: SIMULATOR, features=inputs, heads=(head,), symmetries=(), finish=None
    )
    return recorded, folder / "data", folder / "validation"


@dataclass(frozen=True)
class Labelled:
    """An image with labels."""

    inputs: dict[str, NDArray[Any]]  #: What the network reads of it.
    tags: NDArray[np.float32]  #: (labels,), 0, 1, or NaN where it is not known.
    file: str  #: Its name in the table of labels.
    accepted: NDArray[np.bool_]  #: (labels,), where a model had suggested what is said.


def names_of(image: str) -> list[str]:
    """What a table may call a file: by its whole path, or from any folder on."""
    steps = Path(image).parts
    return [image, *("/".join(steps[first:]) for first in range(len(steps)))]


def read_labelled(domain: Domain, labels: Path, images: Sequence[str]) -> tuple[Tags, list[Labelled]]:
    """The head of tags of a domain, and labelled images; arguments and errors as of `record`."""
    if not has_tags(domain):
        raise SasnetError(
            f"{labels}: the network for {domain.title} cannot learn tags; --labels is for images of"
            " diffraction and xray_tags."
        )
    head = next(item for item in domain.heads if isinstance(item, Tags))
    wanted_tags, suggested = read_labels(labels, head), read_accepted(labels, head)
    labelled: list[Labelled] = []
    for image in images:
        name = next((name for name in names_of(image) if name in wanted_tags), "")
        entries = wanted_tags.get(name, {})
        frames = {n: item for n, item in enumerate(_frames(domain, image, entries), start=1) if n in entries}
        if frames:
            read = domain.features(list(frames.values()))
            labelled += [
                Labelled({k: v[row] for k, v in read.items()}, entries[n], name, suggested[name, n])
                for row, n in enumerate(frames)
            ]
    if len(labelled) < LEAST:
        raise SasnetError(
            f"{labels}: {len(labelled)} of its images are among the given files; label at least {LEAST},"
            f" and use the same file names."
        )
    return head, labelled


def _frames(domain: Domain, image: str, entries: Mapping[int, Any]) -> Iterable[Any]:
    return domain.read(image, ReadOptions()) if entries else ()


def read_labels(path: Path, head: Tags) -> dict[str, dict[int, NDArray[np.float32]]]:
    """Read file -> frame (from 1) -> 0, 1, NaN of tags and parents. Raises DataError for other tables."""
    rows = _rows(path)
    columns = set(rows[0]) if rows else set()
    if "file" not in columns or not columns & {"tags", *head.labels}:
        raise DataError(
            f"{path}: needs a column 'file', and a column 'tags' or one for each tag:"
            f" {', '.join(head.labels)}."
        )
    labels: dict[str, dict[int, NDArray[np.float32]]] = {}
    for number, row in enumerate(rows, start=2):
        entry = _frame(row)
        if not entry.isdigit():
            raise DataError(f"{path}: line {number}: {entry!r} is not a frame; give its number, from 1.")
        labels.setdefault(row["file"].removeprefix("./"), {})[int(entry)] = _targets(
            row, head, f"{path}: line {number}"
        )
    return labels


def read_accepted(path: Path, head: Tags) -> dict[tuple[str, int], NDArray[np.bool_]]:
    """(File, frame) -> of which tags a model had suggested what the table says; with implied parents."""
    # The table is one that `read_labels` has read.
    accepted = {}
    for row in _rows(path):
        tag_names = {name.strip() for name in (row.get("accepted") or "").split(";")}
        silent = {child: parent for child, parent in head.parents.items() if not row.get(parent)}
        for _ in head.parents:
            tag_names |= {
                parent for child, parent in silent.items() if child in tag_names and row.get(child) == "1"
            }
        key = row["file"].removeprefix("./"), int(_frame(row))
        accepted[key] = np.array([name in tag_names for name in head.labels])
    return accepted


def _frame(row: Mapping[str, str]) -> str:
    return (row.get("entry") or "1").removeprefix("frame").strip()


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error}); check the file.") from None


def _parse_tags(tags: str | None, head: Tags, place: str) -> dict[str, float]:
    """1 of each tag in a list and 0 of the others; NaN of all where there is no list."""
    if tags is None:
        return dict.fromkeys(head.labels, float("nan"))
    tag_names = {name.strip() for name in tags.split(";")} - {""}
    if unknown := tag_names - set(head.labels):
        raise DataError(f"{place}: {unknown.pop()!r} is not a tag; use {', '.join(head.labels)}.")
    return {name: float(name in tag_names) for name in head.labels}


def _targets(row: Mapping[str, str | None], head: Tags, place: str) -> NDArray[np.float32]:
    values = _parse_tags(row.get("tags"), head, place)
    for name in head.labels:
        text = (row.get(name) or "").strip()
        if text not in ("", "0", "1"):
            raise DataError(f"{place}: {name} is {text!r}; give 1, 0 or nothing.")
        values[name] = float(text) if text else values[name]
    _add_parents(values, head)
    return np.array([values[name] for name in head.labels], dtype=np.float32)


def _add_parents(values: dict[str, float], head: Tags) -> None:
    """What bears a tag bears those above it, too."""
    for _ in head.parents:  # up chains of any length
        for child, parent in head.parents.items():
            if values[child] == 1:
                values[parent] = 1.0


def _write_shards(
    folder: Path,
    rows: Sequence[Labelled],
    head: str,
    version: int,
) -> None:
    """Shards of `_ROWS` rows; the last is filled up with the first of all."""
    folder.mkdir(parents=True, exist_ok=True)
    with put_in_one_step(folder / "settings.json") as aside:
        aside.write_text(f'{{"features": {version}}}\n', encoding="utf-8")
    full = [*rows, *rows[: -len(rows) % _ROWS]]
    while len(full) % _ROWS:
        full.append(full[-1])
    for number in range(0, len(full), _ROWS):
        images_here = full[number : number + _ROWS]
        with (
            put_in_one_step(folder / f"labelled-{number // _ROWS:05d}.h5") as aside,
            new_hdf5(aside) as file,
        ):
            file.create_dataset(PARAMETERS, data=np.zeros((len(images_here), 0))).attrs["names"] = []
            for name in images_here[0].inputs:
                file[name] = np.stack([image.inputs[name] for image in images_here])
            file[f"{_LABEL}{head}"] = np.stack([image.tags for image in images_here])


# --- Images that a model was fitted to, kept in its folder as its last layer reads them.

#: In the folder of a model.
FILE = "labelled.npz"


@dataclass(frozen=True)
class Remembered:
    """Labelled images."""

    seen: Floats  #: (n, size + 1), what the last layer reads of each, and 1.
    truth: Floats  #: (n, labels), 0, 1, or NaN where nobody has said.
    files: NDArray[np.str_]  #: (n,) array of str, digest of the name of the file of each.
    accepted: NDArray[np.bool_]  #: (n, labels), where a model had suggested what is said.

    @classmethod
    def create(
        cls, layer_inputs: Floats, truth: Floats, files: Sequence[str], accepted: NDArray[np.bool_]
    ) -> Remembered:
        """Images by the names of their files."""
        # As it is read again: else the first training would see other numbers than the next.
        names = np.array([digest(file) for file in files])
        return cls(layer_inputs.astype(np.float32).astype(float), truth, names, accepted)

    @property
    def judgement(self) -> Floats:
        """(n, labels) the truth by which a model is judged: not by what it has suggested itself."""
        return np.where(self.accepted, np.nan, self.truth)

    def and_others(self, model: ZooModel, given_names: Collection[str]) -> Remembered:
        """Add a model's labels, but for files `given_names` anew."""
        # Their fixed order keeps the held-out draw independent of who came first.
        if FILE not in model.manifest.sha256:
            return self._sort()
        with np.load(model.folder / FILE) as file:
            truth = file["truth"].astype(float)
            accepted = file["accepted"] if "accepted" in file else np.zeros(truth.shape, np.bool_)
            old = Remembered(file["seen"].astype(float), truth, file["files"], accepted)
        is_kept = ~np.isin(old.files, [digest(name) for name in given_names])
        parts = zip(self._parts(), old._parts(), strict=True)
        return Remembered(*(np.concatenate([new, old_values[is_kept]]) for new, old_values in parts))._sort()

    def _parts(self) -> tuple[NDArray[Any], ...]:
        return self.seen, self.truth, self.files, self.accepted

    def _sort(self) -> Remembered:
        order = np.lexsort((self.seen.sum(axis=1), self.files))
        return Remembered(*(values[order] for values in self._parts()))

    def write(self, folder: Path) -> None:
        """Lay them down in the folder of a model."""
        layer_inputs, truth = self.seen.astype(np.float32), self.truth.astype(np.float16)
        with put_in_one_step(folder / FILE, ending=".npz") as aside:
            np.savez_compressed(
                aside, seen=layer_inputs, truth=truth, files=self.files, accepted=self.accepted
            )


def digest(name: str) -> str:
    """Checksum of a file's name as in the labels."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


# --- Simulated scenes that a network is trained on again beside a user's images, so that it forgets
# --- nothing.

#: Scenes of a part: some seconds of work, which is what a kill loses.
PART = 200
#: Of the scenes' generator; no shard for training or tests has been made with it.
_SEED = 7_041_776


@dataclass(frozen=True)
class Scenes:
    """What the last layer reads of simulated scenes, and what is true of them."""

    seen: Floats  #: (n, size + 1), as of `Layer.read`.
    truth: Floats  #: (n, labels), 0, 1, or NaN where it is not known.


def replay(
    domain: Domain,
    layer: Layer,
    head: Tags,
    number: int,
    folder: Path,
    progress: Callable[[int], None] | None = None,
) -> Scenes:
    """Simulate scenes (if the domain has a simulator) as the network reads them, reusing those in `folder`;
    `progress` gets their number.
    """
    size, labels = layer.kernel.shape
    layer_inputs, truth = [np.zeros((0, size + 1))], [np.zeros((0, labels))]
    if domain.simulator is None:
        return Scenes(layer_inputs[0], truth[0])
    simulator = domain.simulator()
    settings = simulator.layout.settings
    about = [layer.digest, domain.features_version, settings() if settings else {}]
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    for part in range(-(-number // PART)):
        path = folder / f"{domain.name}-{key}-{part:04d}.npz"
        arrays = _read_kept(path)
        if arrays is None:
            folder.mkdir(parents=True, exist_ok=True)
            arrays = _part(domain, simulator, layer, head, np.random.default_rng([_SEED, part]))
            with put_in_one_step(path, ending=".npz") as aside:
                np.savez_compressed(aside, **arrays)  # type: ignore[arg-type]
        layer_inputs.append(arrays["seen"].astype(np.float64))
        truth.append(arrays["truth"].astype(np.float64))
        if progress is not None:
            progress(min(number, (part + 1) * PART))
    return Scenes(np.concatenate(layer_inputs)[:number], np.concatenate(truth)[:number])


def _read_kept(path: Path) -> dict[str, NDArray[np.float32]] | None:
    """A part that was made before; None where there is none, or a disk has damaged it."""
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            return {name: file[name] for name in ("seen", "truth")}
    except (OSError, ValueError, KeyError, BadZipFile):
        return None


def _part(
    domain: Domain, simulator: Any, layer: Layer, head: Tags, rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    rows = [simulator.clean(simulator.sample(rng)) for _ in range(PART)]
    batch, targets = simulator.measure(rows, rng)
    layer_inputs = layer.read(inputs_of(domain, batch))
    return {"seen": layer_inputs.astype(np.float32), "truth": np.asarray(targets[head.name], np.float32)}


# --- Fits of what labels add to the logits of tags, to labelled images and simulated scenes at
# --- once.

#: Of what the last layer reads: numbers that are alike in all scenes tell a gate nothing.
_LEAST_SPREAD = 1e-3
#: Of a gate through which everything passes.
_OPEN = 20.0


@dataclass(frozen=True)
class Settings:
    """How it is fitted and judged."""

    folds: int = 5  #: Each image is held out of one of so many fits.
    least: int = 4  #: Images with a tag, and without it, below which it stays as it was.
    #: Of the pull to no change; one for all tags, that of the least held-out loss.
    strengths: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    #: Of all scenes together in a fit, with one for that of all labelled images: so it is decided who wins
    #: where a user means something else than the simulator by a tag of images that look alike.
    weight: float = 2.0
    #: Of the pull of the gate, on numbers of unit spread, with one for the weight of all scenes together.
    gate: float = 0.01
    sure: float = 1.0  #: Standard errors by which a tag's held-out loss must fall.


@dataclass(frozen=True)
class Told:
    """What a fit reads: labelled images, then simulated scenes."""

    seen: Floats  #: (n, size + 1), as of `Layer.read`.
    logits: Floats  #: (n, labels), before any labels, calibrated.
    truth: Floats  #: (n, labels), by the user; of a scene what the network said of it before any labels.
    images: int  #: The first so many are the user's.
    #: (images, labels), the truth by which a strength is chosen; NaN where the user has but accepted a
    #: suggestion.
    judged: Floats

    def select(self, rows: NDArray[np.bool_]) -> Told:
        number = int(rows[: self.images].sum())
        judged = self.judged[rows[: self.images]]
        return Told(self.seen[rows], self.logits[rows], self.truth[rows], number, judged)


def choose_change(knowledge: Told, fitted: Sequence[int], settings: Settings) -> tuple[Change, Floats]:
    """The change of the best strength, and what it adds to each logit by a fit that left the image out."""
    folds = np.random.default_rng(0).permutation(len(knowledge.seen)) % settings.folds
    held_changes = {strength: np.zeros_like(knowledge.logits) for strength in settings.strengths}
    for fold in range(settings.folds):
        outside = folds == fold
        inside = knowledge.select(~outside)
        gate = _gate(inside, settings.gate)
        for strength, added in held_changes.items():
            change = Change(gate, _weights(inside, gate, fitted, strength, settings.weight))
            added[outside] = change.compute_addition(knowledge.seen[outside])
    images = slice(knowledge.images)

    def loss(strength: float) -> float:
        losses = cross_entropy(knowledge.logits[images] + held_changes[strength][images], knowledge.judged)
        return float(np.nansum(losses[:, fitted]))

    best = min(held_changes, key=loss)
    gate = _gate(knowledge, settings.gate)
    return Change(gate, _weights(knowledge, gate, fitted, best, settings.weight)), held_changes[best]


def _gate(knowledge: Told, strength: float) -> Floats:
    """Fit the gate of a `Change`, labelled images and scenes weighing alike in all."""
    scenes = knowledge.seen[knowledge.images :]
    if not len(scenes):
        return np.append(np.zeros(knowledge.seen.shape[1] - 1), _OPEN)
    middle, spread = scenes.mean(axis=0), scenes.std(axis=0) + _LEAST_SPREAD
    middle[-1], spread[-1] = 0.0, 1.0
    is_own = np.arange(len(knowledge.seen)) < knowledge.images
    weight = np.where(is_own, 1 / knowledge.images, 1 / len(scenes))
    gate = _fit((knowledge.seen - middle) / spread, is_own.astype(float), weight, 0.0, strength) / spread
    gate[-1] -= middle @ gate
    return gate


def _weights(knowledge: Told, gate: Floats, fitted: Sequence[int], strength: float, scenes: float) -> Floats:
    passed = knowledge.seen * np.asarray(sigmoid(knowledge.seen @ gate))[:, None]
    weights = np.zeros((knowledge.seen.shape[1], knowledge.truth.shape[1]))
    is_own = np.arange(len(passed)) < knowledge.images
    weight = np.where(is_own, 1.0, scenes * knowledge.images / max(len(passed) - knowledge.images, 1))
    for k in fitted:
        is_known = np.isfinite(knowledge.truth[:, k])
        weights[:, k] = _fit(
            passed[is_known],
            knowledge.truth[is_known, k],
            weight[is_known],
            knowledge.logits[is_known, k],
            strength,
        )
    return weights


def _fit(
    x: Floats,
    y: Floats,
    weight: Floats,
    offset: Floats | float,
    strength: float,
) -> Floats:
    """w of logistic regression of offset + x·w, pulled to nothing."""
    from scipy.optimize import minimize

    def loss(w: Floats) -> tuple[float, Floats]:
        logit = offset + x @ w
        value = float((weight * cross_entropy(logit, y)).sum() + 0.5 * strength * w @ w)
        return value, x.T @ (weight * (np.asarray(sigmoid(logit)) - y)) + strength * w

    return np.asarray(minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x)


def cross_entropy(logits: Floats, truth: Floats) -> Floats:
    """Cross-entropy of each example; NaN where its tag is not known."""
    return np.asarray(np.logaddexp(0, logits) - truth * logits)


# --- A model of the zoo made to tag as a user does, and as before where the images are not like the
# --- user's.


@dataclass(frozen=True)
class Adapted:
    """What came of it."""

    images: int  #: Labelled ones, with those that the model had learnt before.
    scenes: int  #: Simulated ones.
    better: tuple[str, ...]  #: Tags that follow the labels; nothing is written where there are none.
    #: before, after: loss of each tag on held-out images, nats, before any labels and by the new model. A
    #: model is judged on what the user has said without its help.
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)
    #: The same of all tags on held-out simulated scenes; NaN without any.
    simulated: tuple[float, float] = (float("nan"), float("nan"))
    #: own, accepted: labels that the user has given, and those that were suggested and accepted.
    own: int = 0
    accepted: int = 0
    #: Loss of the tags that are better on the accepted ones, before and after; NaN without any.
    agreed: tuple[float, float] = (float("nan"), float("nan"))

    def sentence(self) -> str:
        text, test_text = f"{self.images} labelled images", "held-out images"
        if self.accepted:
            text += f" ({self.own:,} own labels, {self.accepted:,} accepted suggestions)"
            test_text = "own labels of held-out images"
        if not self.better:
            return (
                f"{text}: no tag is better on held-out images than with the model before training"
                "; the model was kept, and nothing was written."
            )
        tag_texts = ", ".join(
            f"{name} {_from_to((self.before[name], self.after[name]))}" for name in self.better
        )
        scene_text = ""
        if self.scenes:
            scene_text = f"; on {self.scenes:,} simulated images {_from_to(self.simulated)}"
        if np.isfinite(self.agreed[0]):
            scene_text += f"; on accepted suggestions, by which no tag is judged, {_from_to(self.agreed)}"
        return f"{text}, loss on {test_text}: {tag_texts}; other tags unchanged{scene_text}."


def _from_to(losses: Sequence[float]) -> str:
    return " → ".join(f"{loss:.3g}" for loss in losses)


def adapt(
    domain: Domain,
    model: ZooModel,
    labels: Path,
    images: Sequence[str],
    target: Path,
    run: Path,
    scenes: int,
    progress: Callable[[int], None] | None = None,
) -> Adapted:
    """Fit a model's tags to labelled images, and write a new model to `target` if a tag improves."""
    # Labels as of `recorded.record`; `run` keeps the simulated `scenes` that are replayed, 0: labels change
    # the answers whatever the images; `progress` gets their number. Raises SasnetError if labels or images
    # are unusable, or the target is the model itself.
    settings = Settings()
    if target.resolve() == model.folder.resolve():
        raise SasnetError(
            f"{target}: is the model that the training starts from; give another folder with --zoo."
        )
    head, labelled = read_labelled(domain, labels, images)
    inputs = {name: np.stack([item.inputs[name] for item in labelled]) for name in labelled[0].inputs}
    layer = Layer.find(model, head)
    given_anew = {name for image in images for name in names_of(image)}
    own_images = _remember(layer, inputs, labelled).and_others(model, given_anew)
    replayed = replay(domain, layer, head, scenes, run, progress)
    calibration = model.manifest.calibration[head.name]
    slope, offset = np.array(calibration["slope"]), np.array(calibration["offset"])
    layer_inputs, number = np.vstack([own_images.seen, replayed.seen]), len(own_images.seen)
    logits = layer.logits(layer_inputs) * slope + offset
    knowledge = Told(
        layer_inputs,
        logits,
        np.vstack([own_images.truth, sigmoid(logits[number:])]),
        number,
        own_images.judgement,
    )
    fitted = [
        k for k in np.flatnonzero(slope > 0).tolist() if _enough(own_images.judgement[:, k], settings.least)
    ]
    change, held_changes = choose_change(knowledge, fitted, settings)
    truth = np.vstack([own_images.truth, replayed.truth])
    losses = _Losses(own_images, cross_entropy(logits, truth), cross_entropy(logits + held_changes, truth))
    old, new_losses = losses.judgements
    better = [k for k in fitted if _falls(old[:, k], new_losses[:, k], settings.sure)]
    names = tuple(head.labels[k] for k in better)
    if better:
        weights = np.zeros_like(change.weights)
        weights[:, better] = change.weights[:, better] / slope[better]
        about = {"images": number, "scenes": len(replayed.seen), "tags": list(names)}
        _write_model(model, layer.apply(Change(change.gate, weights)), inputs, own_images, target, about)
    loss_before, after = (_mean_by_label(item, head.labels, fitted) for item in losses.judgements)
    counts = int(np.isfinite(own_images.judgement).sum()), int(losses.acceptance.sum())
    return Adapted(
        number,
        len(replayed.seen),
        names,
        loss_before,
        after,
        losses.average_scenes(better),
        *counts,
        losses.average_accepted(better),
    )


def _mean_by_label(losses: Floats, labels: Sequence[str], columns: Sequence[int]) -> dict[str, float]:
    return {labels[k]: float(np.nanmean(losses[:, k])) for k in columns}


def _remember(layer: Layer, inputs: Inputs, labelled: Sequence[Labelled]) -> Remembered:
    tags, accepted = (np.stack([getattr(image, name) for image in labelled]) for name in ("tags", "accepted"))
    return Remembered.create(
        layer.read(inputs), tags.astype(float), [image.file for image in labelled], accepted
    )


@dataclass(frozen=True)
class _Losses:
    """Cross entropies of labelled images, then scenes, (n, labels): before any labels, by the new model."""

    own: Remembered
    before: Floats
    after: Floats

    @property
    def judgements(self) -> tuple[Floats, Floats]:
        """(images, labels) of what the user has said without the model's help; NaN elsewhere."""
        is_judged, number = np.isfinite(self.own.judgement), len(self.own.seen)
        loss_before, after = (
            np.where(is_judged, losses[:number], np.nan) for losses in (self.before, self.after)
        )
        return loss_before, after

    @property
    def acceptance(self) -> NDArray[np.bool_]:
        return np.isfinite(self.own.truth) & self.own.accepted

    def average_scenes(self, tags: Sequence[int]) -> tuple[float, float]:
        """Means over the scenes; NaN without any."""
        number = len(self.own.seen)
        if not tags or len(self.before) == number:
            return float("nan"), float("nan")
        return float(np.nanmean(self.before[number:, tags])), float(np.nanmean(self.after[number:, tags]))

    def average_accepted(self, tags: Sequence[int]) -> tuple[float, float]:
        """Means over accepted suggestions; NaN without any."""
        number, is_accepted = len(self.own.seen), self.acceptance[:, tags]
        if not is_accepted.any():
            return float("nan"), float("nan")
        loss_before, after = (
            float(losses[:number, tags][is_accepted].mean()) for losses in (self.before, self.after)
        )
        return loss_before, after


def _enough(truth: Floats, least: int) -> bool:
    return min(int((truth == 1).sum()), int((truth == 0).sum())) >= least


def _falls(loss_before: Floats, after: Floats, sure: float) -> bool:
    change = (loss_before - after)[np.isfinite(loss_before)]
    return bool(change.mean() > sure * change.std() / np.sqrt(change.size))


def _write_model(
    model: ZooModel, proto: Any, inputs: Inputs, remembered: Remembered, target: Path, about: dict[str, Any]
) -> None:
    """The model's folder with the new network, its manifest, and what it answers of some images."""
    target.mkdir(parents=True, exist_ok=True)
    for name in model.sha256.keys() - {"model.onnx", "manifest.json", "card.md", "parity.npz", FILE}:
        shutil.copyfile(model.folder / name, target / name)
    onnx = proto.SerializeToString()
    inputs_given = {
        name: values[:32].astype(np.float16).astype(np.float32)
        for name, values in inputs.items()
        if values.ndim > 1
    }
    outputs = Runtime(onnx, outputs=tuple(outputs_of(model.manifest.heads))).run(inputs_given)
    with put_in_one_step(target / "model.onnx", ending=".onnx") as aside:
        aside.write_bytes(onnx)
    half = {name: values.astype(np.float16) for name, values in inputs_given.items()}
    with put_in_one_step(target / "parity.npz", ending=".npz") as aside:
        np.savez_compressed(aside, **half, **outputs)  # type: ignore[arg-type]
    remembered.write(target)
    manifest = json.loads((model.folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["metrics"]["adapted"] = about
    for name in ("model.onnx", "parity.npz", FILE):
        manifest["sha256"][name] = hashlib.sha256((target / name).read_bytes()).hexdigest()
    with put_in_one_step(target / "manifest.json") as aside:
        aside.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
