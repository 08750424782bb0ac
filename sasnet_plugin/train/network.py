"""A domain's network: its trunk by name, frames of a set pooled, and its heads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from ..domains import Domain, specification
from ..domains.heads import FRAME_MASK, Classes, Head
from ..types import SasnetError
from .heads import Network, outputs
from .trunks import TRUNK, dense_block


def heads_of(domain: Domain, options: Mapping[str, Mapping[str, Any]]) -> tuple[Head, ...]:
    """Return a domain's heads with the training data's ``labels`` and, for dependent classes, ``allowed``."""
    heads: list[Head] = []
    for head in domain.heads:
        head_options = options.get(head.name)
        if isinstance(head, Classes) and head_options:
            allowed = {key: tuple(names) for key, names in head_options.get("allowed", {}).items()}
            head = replace(head, labels=tuple(head_options["labels"]), allowed=allowed)
        heads.append(head)
    return tuple(heads)


def build(domain: Domain, settings: Mapping[str, Any]) -> Network:
    """Build the network from ``inputs`` (shapes), ``labels`` as in `heads_of` and ``net`` sizes."""
    heads = heads_of(domain, settings["labels"])
    # Sets of fewer frames than most are read without those that are not there.
    sets = bool(domain.network.pooling)
    inputs = {
        name: keras.Input((None, *shape[1:]) if sets else tuple(shape), name=name)
        for name, shape in sorted(settings["inputs"].items())
    }
    trunk, sizes = domain.network.trunk, dict(settings["net"])
    if sets:
        x = _pool_frames(trunk, inputs, sizes, domain.network.pooling)
    else:
        x = trunk(inputs, sizes)
    # One input is taken as it is, several by their names.
    model_inputs = inputs if len(inputs) > 1 else next(iter(inputs.values()))
    network = Network(model_inputs, outputs(heads, x), name=domain.name)
    network.heads = heads
    network.one_side = domain.network.one_side
    weights = sizes.get("weights", "")
    if weights and Path(weights).is_dir():
        adopt_trunk(network, Path(weights))
    return network


class Frames(layers.Layer):
    """From frames one after the other to sets of them, however many frames the sets of this batch have."""

    def call(self, x: Any, there: Any) -> Any:
        """(n · frames, channels) to (n, frames, channels), of (n, frames) which are there."""
        return ops.reshape(x, (-1, ops.shape(there)[1], x.shape[-1]))

    def compute_output_shape(self, x_shape: Any, there_shape: Any) -> Any:
        return (*there_shape, x_shape[-1])


def _pool_frames(trunk: Any, inputs: Mapping[str, Any], sizes: Mapping[str, Any], pooling: str) -> Any:
    """What a trunk says of the frames of a set, as one: their mean, or weighted by a softmax of their own."""
    # Attention as by Ilse, Tomczak & Welling, ICML 2018 (arXiv:1802.04712).
    frame_inputs = {k: keras.Input(v.shape[2:], name=k) for k, v in inputs.items() if k != FRAME_MASK}
    of_frame = keras.Model(frame_inputs, trunk(frame_inputs, sizes), name="frame")
    flat = {k: ops.reshape(inputs[k], (-1, *inputs[k].shape[2:])) for k in frame_inputs}
    x = of_frame(flat)
    x = Frames(name="frames")(x, inputs[FRAME_MASK])
    mask = ops.cast(inputs[FRAME_MASK], "float32")[..., None]
    score = layers.Dense(1, name="attention")(ops.tanh(x)) if pooling == "attention" else ops.zeros_like(mask)
    weight = mask if pooling == "sum" else ops.softmax(score + (mask - 1) * 1e9, axis=1)
    pooled = ops.sum(weight * x, axis=1)
    return dense_block(pooled, sizes) if pooling == "sum" else pooled


def settings_of(run: Path) -> dict[str, Any]:
    """Return a finished run's settings. Raises SasnetError if it has not finished."""
    path = run / "settings.json"
    if not path.exists() or not (run / "final.weights.h5").exists():
        raise SasnetError(f"{run}: holds no finished training run; run 'sasnet train' to its end first.")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def load(run: Path, domain: Domain) -> tuple[Network, dict[str, Any]]:
    """Return the trained network in float32, and settings. Raises SasnetError if unfinished."""
    settings = settings_of(run)
    keras.mixed_precision.set_global_policy("float32")
    model = build(domain, {**settings, "net": {**settings["net"], "weights": ""}})
    model.load_weights(run / "final.weights.h5")
    return model, settings


def adopt_trunk(model: Any, run: Path) -> int:
    """Start a small trunk (in place) from a finished run of any domain; fewer pictures take the donor's
    first, as features agree. Raises SasnetError without finished run, or for other layers or shapes.
    """
    policy = keras.mixed_precision.global_policy()
    donor, _ = load(run, specification(settings_of(run)["domain"]))
    keras.mixed_precision.set_global_policy(policy)
    theirs = {layer.name: layer for layer in leaves(donor) if layer.name.startswith(TRUNK)}
    ours = [layer for layer in leaves(model) if layer.name.startswith(TRUNK)]
    if not ours or {layer.name for layer in ours} != set(theirs):
        raise SasnetError(
            f"{run}: its network has another trunk (shared layers); choose a run with trunk=small and the"
            " same sizes."
        )
    for layer in ours:
        weight_pairs = zip(layer.weights, theirs[layer.name].get_weights(), strict=True)
        weights = [
            _first_channels(their_weight, len(target.shape), target.shape)
            for target, their_weight in weight_pairs
        ]
        if [weight.shape for weight in weights] != [tuple(weight.shape) for weight in layer.weights]:
            raise SasnetError(f"{run}: its trunk has other shapes (layer {layer.name}); set the same sizes.")
        layer.set_weights(weights)
    return len(ours)


def _first_channels(weight: Any, axes: int, shape: Sequence[int]) -> Any:
    """Select the channels of a kernel that a smaller shape has too."""
    return weight[:, :, : shape[2]] if axes == 4 else weight


def leaves(model: Any) -> list[Any]:
    """Layers, those of a network inside the network, such as what reads each frame of a set, in its place."""
    found_layers = []
    for layer in model.layers:
        found_layers += leaves(layer) if hasattr(layer, "layers") else [layer]
    return found_layers
