"""A network begun with a packaged one's weights answers as that one does."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")


def _begun(**sizes: int) -> tuple[Any, Any, tuple[str, ...]]:
    from sasnet_plugin.domains.sas1d import SAS1D
    from sasnet_plugin.train.network import build
    from sasnet_plugin.train.started import begin_with
    from sasnet_plugin.zoo import open_model

    model = open_model("sas1d")
    heads = {h.name: h for h in model.manifest.heads}
    labels = {
        name: {"labels": list(heads[name].labels), "allowed": dict(heads[name].allowed)}
        for name in ("form", "structure_factor")
    }
    net = {**model.manifest.metrics["network"], **sizes}
    made = build(SAS1D, {"inputs": {"features": (256, 8)}, "labels": labels, "net": net})
    return model, made, begin_with(made, model.onnx, "sas1d")


def test_a_network_that_begins_with_the_installed_one_answers_as_it_does() -> None:
    model, made, new = _begun()
    # A head that the installed network lacks would begin anew; its trunk may not.
    assert not [name for name in new if name.startswith(("conv1d", "dense", "layer", "form", "scope"))]
    with np.load(model.folder / "parity.npz") as stored:
        found = made.predict(stored["features"].astype(np.float32), verbose=0)
        for name in ("form", "scope"):
            assert found[name] == pytest.approx(stored[name], abs=0.05)


def test_a_network_of_sets_begins_with_the_installed_one_as_well() -> None:
    from sasnet_plugin.domains.heads import FRAME_MASK
    from sasnet_plugin.images.sans.rings import FRAMES, N_CHANNELS, N_RINGS
    from sasnet_plugin.images.sans.specification import SANS2D
    from sasnet_plugin.train.network import build
    from sasnet_plugin.train.started import begin_with
    from sasnet_plugin.zoo import open_model

    model = open_model("sans2d")
    shapes = {"features": (FRAMES, N_RINGS, N_CHANNELS), FRAME_MASK: (FRAMES,)}
    made = build(SANS2D, {"inputs": shapes, "labels": {}, "net": model.manifest.metrics["network"]})
    assert begin_with(made, model.onnx, "sans2d") == ()
    import keras

    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        mixed = build(SANS2D, {"inputs": shapes, "labels": {}, "net": model.manifest.metrics["network"]})
        assert begin_with(mixed, model.onnx, "sans2d") == ()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    with np.load(model.folder / "parity.npz") as stored:
        asked = {name: stored[name].astype(np.float32) for name in shapes}
        found = made.predict(asked, verbose=0)
        for name in ("class", "quantities", "xi"):
            assert found[name] == pytest.approx(stored[name], abs=0.05)


def test_other_sizes_are_refused() -> None:
    from sasnet_plugin.types import SasnetError

    with pytest.raises(SasnetError, match="has another shape; start from a network of the same sizes"):
        _begun(dense=64)
