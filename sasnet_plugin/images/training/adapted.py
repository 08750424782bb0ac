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
from .gated_fit import Settings, Told, chosen, cross_entropy
from .recorded import Labelled, labelled, names_of
from .remembered import FILE, Remembered
from .replay import replayed


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
        given, ones = f"{self.images} labelled images", "held-out ones"
        if self.accepted:
            given += f" ({self.own:,} own labels, {self.accepted:,} accepted suggestions)"
            ones = "own labels of held-out ones"
        if not self.better:
            return (
                f"{given}: no tag is better on held-out ones than before any labels"
                "; the model was kept, and nothing was written."
            )
        told = ", ".join(f"{name} {_from_to((self.before[name], self.after[name]))}" for name in self.better)
        kept = ""
        if self.scenes:
            kept = f"; on {self.scenes:,} simulated ones {_from_to(self.simulated)}"
        if np.isfinite(self.agreed[0]):
            kept += f"; on accepted suggestions, by which no tag is judged, {_from_to(self.agreed)}"
        return f"{given}, loss on {ones}: {told}; other tags as before{kept}."


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
    head, found = labelled(domain, labels, images)
    inputs = {name: np.stack([one.inputs[name] for one in found]) for name in found[0].inputs}
    layer = Layer.of(model, head)
    given_anew = {name for image in images for name in names_of(image)}
    own = _remembered(layer, inputs, found).and_others(model, given_anew)
    scenes = replayed(domain, layer, head, settings.scenes, run, progress)
    said = model.manifest.calibration[head.name]
    slope, offset = np.array(said["slope"]), np.array(said["offset"])
    seen, number = np.vstack([own.seen, scenes.seen]), len(own.seen)
    logits = layer.logits(seen) * slope + offset
    told = Told(seen, logits, np.vstack([own.truth, sigmoid(logits[number:])]), number, own.judged)
    fitted = [k for k in np.flatnonzero(slope > 0).tolist() if _enough(own.judged[:, k], settings.least)]
    change, held = chosen(told, fitted, settings)
    truth = np.vstack([own.truth, scenes.truth])
    losses = _Losses(own, cross_entropy(logits, truth), cross_entropy(logits + held, truth))
    old, now = losses.judged
    better = [k for k in fitted if _falls(old[:, k], now[:, k], settings.sure)]
    names = tuple(head.labels[k] for k in better)
    if better:
        weights = np.zeros_like(change.weights)
        weights[:, better] = change.weights[:, better] / slope[better]
        about = {"images": number, "scenes": len(scenes.seen), "tags": list(names)}
        _write(model, layer.changed(Change(change.gate, weights)), inputs, own, target, about)
    before, after = (_mean_by_label(one, head.labels, fitted) for one in losses.judged)
    given = int(np.isfinite(own.judged).sum()), int(losses.accepted.sum())
    return Adapted(
        number,
        len(scenes.seen),
        names,
        before,
        after,
        losses.of_scenes(better),
        *given,
        losses.of_accepted(better),
    )


def _mean_by_label(losses: Floats, labels: Sequence[str], columns: Sequence[int]) -> dict[str, float]:
    return {labels[k]: float(np.nanmean(losses[:, k])) for k in columns}


def _remembered(layer: Layer, inputs: Inputs, found: Sequence[Labelled]) -> Remembered:
    tags, accepted = (np.stack([getattr(one, name) for one in found]) for name in ("tags", "accepted"))
    return Remembered.of(layer.read(inputs), tags.astype(float), [one.file for one in found], accepted)


@dataclass(frozen=True)
class _Losses:
    """Cross entropies of labelled images, then scenes, (n, labels): before any labels, by the new model."""

    own: Remembered
    before: Floats
    after: Floats

    @property
    def judged(self) -> tuple[Floats, Floats]:
        """(images, labels) of what the user has said without the model's help; NaN elsewhere."""
        there, number = np.isfinite(self.own.judged), len(self.own.seen)
        before, after = (np.where(there, one[:number], np.nan) for one in (self.before, self.after))
        return before, after

    @property
    def accepted(self) -> NDArray[np.bool_]:
        return np.isfinite(self.own.truth) & self.own.accepted

    def of_scenes(self, tags: Sequence[int]) -> tuple[float, float]:
        """Means over the scenes; NaN without any."""
        number = len(self.own.seen)
        if not tags or len(self.before) == number:
            return float("nan"), float("nan")
        return float(np.nanmean(self.before[number:, tags])), float(np.nanmean(self.after[number:, tags]))

    def of_accepted(self, tags: Sequence[int]) -> tuple[float, float]:
        """Means over accepted suggestions; NaN without any."""
        number, some = len(self.own.seen), self.accepted[:, tags]
        if not some.any():
            return float("nan"), float("nan")
        before, after = (float(one[:number, tags][some].mean()) for one in (self.before, self.after))
        return before, after


def _enough(truth: Floats, least: int) -> bool:
    return min(int((truth == 1).sum()), int((truth == 0).sum())) >= least


def _falls(before: Floats, after: Floats, sure: float) -> bool:
    change = (before - after)[np.isfinite(before)]
    return bool(change.mean() > sure * change.std() / np.sqrt(change.size))


def _write(
    model: ZooModel, proto: Any, inputs: Inputs, own: Remembered, target: Path, about: dict[str, Any]
) -> None:
    """The model's folder with the new network, its manifest, and what it answers of some images."""
    target.mkdir(parents=True, exist_ok=True)
    for name in model.sha256:
        if name not in ("model.onnx", "manifest.json", "card.md", "parity.npz", FILE):
            shutil.copyfile(model.folder / name, target / name)
    onnx = proto.SerializeToString()
    some = {name: values[:32].astype(np.float16).astype(np.float32) for name, values in inputs.items()}
    asked = {name: values for name, values in some.items() if values.ndim > 1}
    found = Runtime(onnx, outputs=tuple(outputs_of(model.manifest.heads))).run(asked)
    with put_in_one_step(target / "model.onnx", ending=".onnx") as aside:
        aside.write_bytes(onnx)
    half = {name: values.astype(np.float16) for name, values in asked.items()}
    with put_in_one_step(target / "parity.npz", ending=".npz") as aside:
        np.savez_compressed(aside, **half, **found)  # type: ignore[arg-type]
    own.write(target)
    manifest = json.loads((model.folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["metrics"]["adapted"] = about
    for name in ("model.onnx", "parity.npz", FILE):
        manifest["sha256"][name] = hashlib.sha256((target / name).read_bytes()).hexdigest()
    with put_in_one_step(target / "manifest.json") as aside:
        aside.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
