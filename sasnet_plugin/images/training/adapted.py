"""A model of the zoo made to tag as a user does, and as before where the images are not like the user's.

What the network sees stays, and so does its last layer; what labels teach is added to its logits where an
image is like those that were labelled (`last_layer`). Every step of a fit goes over the labelled images and
over simulated scenes together, whose answers are to stay what they were. A tag follows the labels only where
that is better on images that it was not fitted to.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...domains import Domain
from ...domains.heads import Inputs, outputs_of
from ...files import put_in_one_step
from ...predict.arithmetic import sigmoid
from ...predict.predictor import Runtime
from ...train.last_layer import Change, Layer
from ...types import SasnetError
from ...zoo import ZooModel
from .gated_fit import Settings, Told, choose_change, cross_entropy
from .recorded import Labelled, names_of, read_labelled
from .remembered import FILE, Remembered
from .replay import replay


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


def adapt_with_scenes(
    domain: Domain,
    model: ZooModel,
    labels: Path,
    images: Sequence[str],
    target: Path,
    run: Path,
    scenes: int,
    progress: Callable[[int], None] | None = None,
) -> Adapted:
    """Adapt as `adapt`, with so many simulated scenes."""
    return adapt(domain, model, labels, images, target, run, Settings(scenes=scenes), progress)


def adapt(
    domain: Domain,
    model: ZooModel,
    labels: Path,
    images: Sequence[str],
    target: Path,
    run: Path,
    settings: Settings | None = None,
    progress: Callable[[int], None] | None = None,
) -> Adapted:
    """Fit a model's tags to labelled images, and write a new model to `target` if a tag improves."""
    # Labels as of `recorded.record`; `run` keeps simulated scenes for the next time; `progress` gets their
    # number. Raises SasnetError if labels or images are unusable, or the target is the model itself.
    settings = settings or Settings()
    if target.resolve() == model.folder.resolve():
        raise SasnetError(
            f"{target}: is the model that the training starts from; give another folder with --zoo."
        )
    head, labelled = read_labelled(domain, labels, images)
    inputs = {name: np.stack([item.inputs[name] for item in labelled]) for name in labelled[0].inputs}
    layer = Layer.find(model, head)
    given_anew = {name for image in images for name in names_of(image)}
    own_images = _remember(layer, inputs, labelled).and_others(model, given_anew)
    scenes = replay(domain, layer, head, settings.scenes, run, progress)
    calibration = model.manifest.calibration[head.name]
    slope, offset = np.array(calibration["slope"]), np.array(calibration["offset"])
    layer_inputs, number = np.vstack([own_images.seen, scenes.seen]), len(own_images.seen)
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
    truth = np.vstack([own_images.truth, scenes.truth])
    losses = _Losses(own_images, cross_entropy(logits, truth), cross_entropy(logits + held_changes, truth))
    old, new_losses = losses.judgements
    better = [k for k in fitted if _falls(old[:, k], new_losses[:, k], settings.sure)]
    names = tuple(head.labels[k] for k in better)
    if better:
        weights = np.zeros_like(change.weights)
        weights[:, better] = change.weights[:, better] / slope[better]
        about = {"images": number, "scenes": len(scenes.seen), "tags": list(names)}
        _write(model, layer.apply(Change(change.gate, weights)), inputs, own_images, target, about)
    loss_before, after = (_mean_by_label(item, head.labels, fitted) for item in losses.judgements)
    counts = int(np.isfinite(own_images.judgement).sum()), int(losses.acceptance.sum())
    return Adapted(
        number,
        len(scenes.seen),
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


def _write(
    model: ZooModel, proto: Any, inputs: Inputs, remembered: Remembered, target: Path, about: dict[str, Any]
) -> None:
    """The model's folder with the new network, its manifest, and what it answers of some images."""
    target.mkdir(parents=True, exist_ok=True)
    for name in model.sha256:
        if name not in ("model.onnx", "manifest.json", "card.md", "parity.npz", FILE):
            shutil.copyfile(model.folder / name, target / name)
    onnx = proto.SerializeToString()
    sample = {name: values[:32].astype(np.float16).astype(np.float32) for name, values in inputs.items()}
    inputs_given = {name: values for name, values in sample.items() if values.ndim > 1}
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
