"""The data set of SASNets' protocol: blur, level, noise, resuming."""

import numpy as np
import pytest

from benchmarks.curves import protocol_a
from benchmarks.curves.protocol_a import BACKGROUND, NOISE, RESOLUTION, Q
from sasnet_plugin.simulate.kernel import load_model

SPHERE = {"radius": 60.0, "sld": 4.0, "sld_solvent": 1.0}
CYLINDER = {"radius": 30.0, "length": 300.0, "sld": 4.0, "sld_solvent": 1.0}
CUBOID = {"length_a": 40.0, "b2a_ratio": 1.5, "c2a_ratio": 3.0, "sld": 6.0, "sld_solvent": 1.0}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("sphere", SPHERE), ("cylinder", CYLINDER), ("rectangular_prism", CUBOID), ("hardsphere", {})],
)
def test_blurred_curve_is_sasmodels_pinhole_on_a_fine_grid(name, parameters):
    from sasmodels.direct_model import call_kernel
    from sasmodels.resolution import Pinhole1D

    fine = np.geomspace(9e-4, 1.12, 4000)
    pinhole = Pinhole1D(Q, RESOLUTION * Q, q_calc=fine)
    kernel = load_model(name).make_kernel([fine])
    # The pinhole of sasmodels adds no background: it is passed to the model, in absolute units.
    expected = pinhole.apply(call_kernel(kernel, {**parameters, "scale": 1.0, "background": BACKGROUND}))
    found = protocol_a.curve(name, parameters)
    assert found is not None
    assert np.mean(np.abs(found / expected - 1) < 0.01) >= 0.99


def test_invalid_curves_are_refused():
    assert protocol_a.curve("sphere", SPHERE | {"radius": float("nan")}) is None


def test_every_model_is_a_class_structure_factors_included():
    names = protocol_a.all_models()
    assert {"sphere", "pringle", "hardsphere", "two_yukawa"} <= set(names)
    assert len(names) == len(set(names))
    planned = protocol_a.plan("x", train=10, test=2, seed=0)
    assert {c.model for c in planned} == set(names)


def test_only_pringle_and_superball_have_fewer_curves():
    counts: dict[tuple[str, str], int] = {}
    for chunk in protocol_a.plan("x", train=1500, test=200, seed=0):
        counts[chunk.model, chunk.split] = counts.get((chunk.model, chunk.split), 0) + chunk.count
    fewer = {model for (model, split), n in counts.items() if n < {"train": 1500, "test": 200}[split]}
    assert fewer == {"pringle", "superball"}


def test_noise_is_two_percent_of_each_point():
    noisy = protocol_a.add_noise(np.zeros((200, 100), np.float32), np.random.default_rng(0))
    factor = np.exp(noisy)
    assert np.std(factor) == pytest.approx(NOISE, rel=0.03)
    assert np.mean(factor) == pytest.approx(1.0, abs=1e-3)


def test_a_killed_build_goes_on_and_gives_the_same_curves(tmp_path):
    models = ("sphere", "guinier")
    whole = protocol_a.plan(tmp_path / "whole", train=12, test=5, seed=3, models=models)
    assert len(list(protocol_a.build(whole))) == 4
    torn = protocol_a.plan(tmp_path / "torn", train=12, test=5, seed=3, models=models)
    list(protocol_a.build(torn[:1]))
    kept = torn[0].path.stat().st_mtime_ns
    assert len(list(protocol_a.build(torn))) == 3
    assert torn[0].path.stat().st_mtime_ns == kept
    first, second = protocol_a.load(whole), protocol_a.load(torn)
    np.testing.assert_array_equal(first.train, second.train)
    np.testing.assert_array_equal(first.test, second.test)
    assert first.names == ("guinier", "sphere")
    assert np.bincount(first.train_label).tolist() == [12, 12]
    assert np.bincount(first.test_label).tolist() == [5, 5]


def test_training_and_test_curves_differ_and_keep_their_level(tmp_path):
    chunks = protocol_a.plan(tmp_path, train=6, test=6, seed=0, models=("sphere",))
    list(protocol_a.build(chunks))
    data = protocol_a.load(chunks)
    assert np.min(np.abs(data.train[:, None] - data.test[None]).max(axis=2)) > 0.1
    # In cm⁻¹ at scale 1, unlike curves normalised to one.
    assert np.ptp(data.train[:, 0]) > 1.0


def test_a_model_without_valid_curves_is_left_out(tmp_path, monkeypatch):
    def refuse(name, parameters):
        return None if name == "porod" else np.ones(Q.size)

    monkeypatch.setattr(protocol_a, "curve", refuse)
    chunks = protocol_a.plan(tmp_path, train=2, test=2, seed=0, models=("porod", "guinier"))
    list(protocol_a.build(chunks))
    assert protocol_a.load(chunks).names == ("guinier",)
