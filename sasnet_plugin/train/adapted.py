"""A model of the zoo made to tag as a user does: its last layer fitted to labelled images, the rest as it is.

What the network sees stays, so that nothing it was trained with is forgotten beyond what the last layer
moves; and that is held near where it was. A tag's new weights are taken only where they are better on images
that they were not fitted to.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains import Domain
from ..domains.heads import Inputs, Tags, outputs_of
from ..files import put_in_one_step
from ..predict.arithmetic import sigmoid
from ..predict.calibration import best_threshold, fit_platt
from ..predict.predictor import Runtime
from ..types import SasnetError
from ..zoo import ZooModel
from .recorded import labelled

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """How it is fitted and judged.

    Parameters
    ----------
    folds : int
        Each image is held out of one of so many fits.
    least : int
        Images with a tag, and without it, below which its weights stay.
    strengths : tuple of float
        Of the pull to the old weights; one for all tags, that of the least held-out loss.
    sure : float
        Standard errors by which a tag's held-out loss must fall.
    """

    folds: int = 5
    least: int = 4
    strengths: tuple[float, ...] = (3.0, 10.0, 30.0, 100.0)
    sure: float = 1.0


@dataclass(frozen=True)
class Adapted:
    """What came of it.

    Parameters
    ----------
    images : int
        Labelled ones.
    better : tuple of str
        Tags whose new weights were taken; nothing is written where there are none.
    before, after : mapping of str to float
        Loss of each tag on held-out images, nats, by the model as it was and by the new weights.
    """

    images: int
    better: tuple[str, ...]
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)

    def sentence(self) -> str:
        """In words."""
        if not self.better:
            return (
                f"{self.images} labelled images: no tag is better on held-out ones than by the model as it"
                " is; it was kept, and nothing was written."
            )
        told = ", ".join(f"{name} {self.before[name]:.3g} → {self.after[name]:.3g}" for name in self.better)
        return f"{self.images} labelled images, loss on held-out ones: {told}; other tags as before."


def adapt(
    domain: Domain,
    model: ZooModel,
    labels: Path,
    images: Sequence[str],
    target: Path,
    settings: Settings | None = None,
) -> Adapted:
    """Fit the last layer of a model's tags to labelled images, and write the new model beside the old one.

    Parameters
    ----------
    domain : Domain
        With a head of `Tags`.
    model : ZooModel
        That it starts from; its files are not touched.
    labels : Path
        As of `recorded.record`.
    images : sequence of str
        Files.
    target : Path
        Folder of the new model; written where a tag is better, and only then.
    settings : Settings, optional

    Raises
    ------
    SasnetError
        Labels or images cannot be used, or the target is the model itself.
    """
    settings = settings or Settings()
    if target.resolve() == model.folder.resolve():
        raise SasnetError(f"{target}: is the model that it starts from; give another folder with --zoo.")
    head, found = labelled(domain, labels, images)
    truth = np.stack([one for _, one in found]).astype(float)
    inputs = {name: np.stack([read[name] for read, _ in found]) for name in found[0][0]}
    layer = Layer.of(model, head)
    seen, logits = layer.run(inputs)
    said = model.manifest.calibration[head.name]
    slope, offset = np.array(said["slope"]), np.array(said["offset"])
    before = _loss(slope * logits + offset, truth)
    # The calibrated old tag is where the new one starts.
    start = np.vstack([layer.kernel * slope, layer.bias * slope + offset])
    x = np.column_stack([seen, np.ones(len(seen))])
    fitted = [k for k in range(len(head.labels)) if _enough(truth[:, k], settings.least)]
    folds = np.random.default_rng(0).permutation(len(x)) % settings.folds
    tried = [_held_out(x, truth, start, folds, fitted, strength) for strength in settings.strengths]
    best = min(range(len(tried)), key=lambda n: float(np.nansum(_loss(tried[n], truth)[:, fitted])))
    out, strength = tried[best], settings.strengths[best]
    pairs = {k: _platt(out[:, k], truth[:, k]) for k in fitted}
    after = before.copy()
    for k in fitted:
        after[:, k] = _loss(pairs[k][0] * out[:, k] + pairs[k][1], truth[:, k])
    better = [k for k in fitted if _falls(before[:, k], after[:, k], settings.sure)]
    names = tuple(head.labels[k] for k in better)
    losses = [{head.labels[k]: float(np.nanmean(loss[:, k])) for k in fitted} for loss in (before, after)]
    if better:
        kernel, new_bias = layer.kernel.copy(), layer.bias.copy()
        calibration = {name: list(values) for name, values in said.items()}
        for k in better:
            weights = _fit(x, truth[:, k], start[:, k], strength)
            kernel[:, k], new_bias[k] = weights[:-1], weights[-1]
            calibration["slope"][k], calibration["offset"][k] = pairs[k]
            p = sigmoid(pairs[k][0] * out[:, k] + pairs[k][1])
            calibration["threshold"][k] = best_threshold(p, truth[:, k])
        _write(model, head, layer.replaced(kernel, new_bias), calibration, inputs, target, len(x), names)
    return Adapted(len(x), names, *losses)


@dataclass(frozen=True)
class Layer:
    """The last, dense layer of a head within an exported network.

    Parameters
    ----------
    graph : onnx.ModelProto
    source : str
        Name of what it reads.
    kernel, bias : (size, labels), (labels,) array
    names : (str, str)
        Of these two in the graph.
    output : str
        The head's name.
    """

    graph: Any
    source: str
    kernel: FloatArray
    bias: FloatArray
    names: tuple[str, str]
    output: str

    @classmethod
    def of(cls, model: ZooModel, head: Tags) -> Layer:
        """Find it.

        Raises
        ------
        SasnetError
            The network ends otherwise.
        """
        import onnx
        from onnx import numpy_helper

        proto = onnx.load_from_string(model.onnx)
        made = {name: node for node in proto.graph.node for name in node.output}
        stored = {one.name: numpy_helper.to_array(one) for one in proto.graph.initializer}
        # Large weights are stored in 16 bits, each before a Cast.
        stored |= {
            node.output[0]: stored[node.input[0]]
            for node in proto.graph.node
            if node.op_type == "Cast" and node.input[0] in stored
        }
        add = made.get(head.name)
        product = made.get(add.input[0]) if add is not None and add.op_type == "Add" else None
        if add is None or product is None or product.op_type != "MatMul" or product.input[1] not in stored:
            raise SasnetError(
                f"{model.folder}: its network does not end in a dense layer; train without --start-from."
            )
        kernel, bias = (stored[name].astype(np.float64) for name in (product.input[1], add.input[1]))
        return cls(proto, product.input[0], kernel, bias, (product.input[1], add.input[1]), head.name)

    def run(self, inputs: Inputs) -> tuple[FloatArray, FloatArray]:
        """What the layer reads, (n, size), and its logits, (n, labels)."""
        import onnx

        proto = onnx.ModelProto()
        proto.CopyFrom(self.graph)
        proto.graph.output.append(onnx.helper.make_empty_tensor_value_info(self.source))
        runtime = Runtime(proto.SerializeToString(), outputs=(self.source,))
        asked = {name: values.astype(np.float32) for name, values in inputs.items() if values.ndim > 1}
        seen = np.asarray(runtime.run(asked)[self.source], dtype=np.float64)
        return seen, seen @ self.kernel + self.bias

    def replaced(self, kernel: FloatArray, bias: FloatArray) -> Any:
        """The graph with other weights of this layer, in 32 bits."""
        import onnx
        from onnx import numpy_helper

        proto = onnx.ModelProto()
        proto.CopyFrom(self.graph)
        for name, values in zip(self.names, (kernel, bias), strict=True):
            for node in [n for n in proto.graph.node if n.op_type == "Cast" and n.output[0] == name]:
                proto.graph.node.remove(node)
                for old in [one for one in proto.graph.initializer if one.name == node.input[0]]:
                    proto.graph.initializer.remove(old)
            for old in [one for one in proto.graph.initializer if one.name == name]:
                proto.graph.initializer.remove(old)
            proto.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
        onnx.checker.check_model(proto)
        return proto


def _enough(truth: FloatArray, least: int) -> bool:
    return min(int((truth == 1).sum()), int((truth == 0).sum())) >= least


def _loss(logits: FloatArray, truth: FloatArray) -> FloatArray:
    """Cross-entropy of each example; NaN where its tag is not known."""
    return np.asarray(np.logaddexp(0, logits) - truth * logits)


def _falls(before: FloatArray, after: FloatArray, sure: float) -> bool:
    change = (before - after)[np.isfinite(before)]
    return bool(change.mean() > sure * change.std() / np.sqrt(change.size))


def _held_out(
    x: FloatArray,
    truth: FloatArray,
    start: FloatArray,
    folds: NDArray[Any],
    fitted: Sequence[int],
    strength: float,
) -> FloatArray:
    """Logits of each example by a fit that left it out."""
    found = x @ start
    for fold in np.unique(folds):
        inside, outside = folds != fold, folds == fold
        for k in fitted:
            found[outside, k] = x[outside] @ _fit(x[inside], truth[inside, k], start[:, k], strength)
    return np.asarray(found)


def _fit(x: FloatArray, truth: FloatArray, start: FloatArray, strength: float) -> FloatArray:
    """Weights of logistic regression, pulled to where they start."""
    from scipy.optimize import minimize

    known = np.isfinite(truth)
    x, y = x[known], truth[known]

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        logit, moved = x @ weights, weights - start
        value = float(_loss(logit, y).sum() + 0.5 * strength * moved @ moved)
        return value, x.T @ (np.asarray(sigmoid(logit)) - y) + strength * moved

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)


def _platt(logits: FloatArray, truth: FloatArray) -> tuple[float, float]:
    """Slope and offset, of few examples: Platt's own targets, (n₁ + 1)/(n₁ + 2) and 1/(n₀ + 2)."""
    known = np.isfinite(truth)
    y = truth[known]
    high, low = (y.sum() + 1) / (y.sum() + 2), 1 / ((1 - y).sum() + 2)
    return fit_platt(logits[known], np.where(y > 0.5, high, low), balanced=False)


def _write(
    model: ZooModel,
    head: Tags,
    proto: Any,
    calibration: dict[str, Any],
    inputs: Inputs,
    target: Path,
    images: int,
    better: tuple[str, ...],
) -> None:
    """The model's folder with the new network, its manifest, and what it answers of some images."""
    target.mkdir(parents=True, exist_ok=True)
    for name in model.sha256:
        if name not in ("model.onnx", "manifest.json", "card.md", "parity.npz"):
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
    manifest = json.loads((model.folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["calibration"][head.name] = calibration
    manifest["metrics"]["adapted"] = {"images": images, "tags": list(better)}
    for name in ("model.onnx", "parity.npz"):
        manifest["sha256"][name] = hashlib.sha256((target / name).read_bytes()).hexdigest()
    with put_in_one_step(target / "manifest.json") as aside:
        aside.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
