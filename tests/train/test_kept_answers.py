"""An earlier network's answers of known models are learned beside the truth; of others they do not count."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@pytest.fixture(scope="module")
def asked() -> tuple:
    """The earlier network, features, targets: a sphere, a curve out of scope, a body of two names."""
    from sasnet_plugin.train.loop import Earlier
    from sasnet_plugin.zoo import open_model

    model = open_model("sas1d")
    with np.load(model.folder / "parity.npz") as stored:
        features = stored["features"][:3].astype(np.float32)
    labels = model.manifest.labels
    form = np.zeros((3, len(labels)), np.float32)
    form[0, labels.index("sphere")] = form[2, 0] = form[2, 1] = 1
    targets = {"form": form, "structure_factor": np.array([0, -1, -1]), "scope": np.array([1.0, 0.0, np.nan])}
    return model, Earlier(model, model.manifest.heads), features, targets


def test_only_of_known_models_its_answers_count(asked: tuple) -> None:
    _, earlier, features, targets = asked
    found = earlier.answers(features, targets)
    assert found["before_form"][0].sum() == pytest.approx(1, abs=1e-5)
    assert np.isnan(found["before_form"][1:]).all()
    assert np.isnan(found["before_scope"][1:]).all()
    assert found["before_structure_factor"].shape == (3, 5)


def test_the_loss_is_least_where_the_new_network_answers_alike(asked: tuple) -> None:
    from sasnet_plugin.predict.predictor import Runtime
    from sasnet_plugin.train.network import as_before

    model, earlier, features, targets = asked
    heads = model.manifest.heads
    before = earlier.answers(features, targets)
    names = [head.name for head in earlier.heads]
    said = Runtime(model.onnx, outputs=names).run({"features": features})
    for head in earlier.heads:
        alike = float(as_before(head, said, {**targets, **before}, heads))
        size = said[head.name].shape[-1]
        for change in (1.0, -1.0):
            moved = said[head.name] + change * np.linspace(-1, 1, size + 1, dtype=np.float32)[1:]
            assert float(as_before(head, {**said, head.name: moved}, {**targets, **before}, heads)) > alike
