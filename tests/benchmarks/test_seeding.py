"""Starting values: parameters as numbers, the flow, and answers that are kept."""

import json

import keras
import numpy as np
import pytest

from benchmarks.fitting.estimates import NUMBERS, decoded, encoded, examples, settings
from benchmarks.fitting.flow import Estimator, likely, samples, train
from benchmarks.kept import run
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.priors import sample_prior


@pytest.mark.parametrize("model", NUMBERS)
def test_numbers_hold_all_that_shapes_a_curve(model):
    rng, q = np.random.default_rng(0), np.geomspace(1e-3, 0.3, 60)
    for _ in range(3):
        values = sample_prior(model, rng)
        again = decoded(model, encoded(model, values))
        curve, expected = (call(model, q, v).intensity for v in (again, values))
        # Only the scale is lost; far below the rest a curve is rounding.
        np.testing.assert_allclose(curve / curve.max(), expected / expected.max(), rtol=1e-5, atol=1e-12)


def test_examples_have_the_sizes_that_their_curves_show():
    rng = np.random.default_rng(0)
    found = examples("mono_gauss_coil", settings(6, rng), rng, clean=40, count=200, rows=20)
    assert found.features.shape[0] == len(found.numbers) == 200
    assert np.all(np.isfinite(found.features))
    # Larger coils fall off at smaller q: the mean slope over the window is steeper.
    known = found.features[..., 5] > 0
    slope = np.sum(found.features[..., 1] * known, axis=1) / np.sum(known, axis=1)
    assert np.corrcoef(found.numbers[:, 0], slope)[0, 1] < -0.4


def untrained(size: int) -> Estimator:
    keras.utils.set_random_seed(0)
    model = Estimator(size)
    model((np.zeros((1, 256, 8), np.float32), np.zeros((1, model.wide), np.float32)))
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.1, weight.shape))
    return model


def test_the_flow_runs_both_ways():
    model, rng = untrained(3), np.random.default_rng(0)
    x = rng.standard_normal((5, model.wide)).astype(np.float32)
    seen = rng.standard_normal((5, 128)).astype(np.float32)
    z, _ = model.to_normal(x, seen)
    back = keras.ops.convert_to_numpy(model.from_normal(z, seen))
    np.testing.assert_allclose(back, x, atol=1e-3)


def test_the_flow_counts_volumes_right():
    model, rng = untrained(2), np.random.default_rng(1)
    x, seen = rng.standard_normal(model.wide), rng.standard_normal((1, 128)).astype(np.float32)

    def forward(row):
        z, log_det = model.to_normal(row[None].astype(np.float32), seen)
        return keras.ops.convert_to_numpy(z)[0].astype(float), float(keras.ops.convert_to_numpy(log_det)[0])

    step = 1e-2 * np.eye(model.wide)
    jacobian = np.stack([(forward(x + s)[0] - forward(x - s)[0]) / 2e-2 for s in step], axis=1)
    assert np.linalg.slogdet(jacobian)[1] == pytest.approx(forward(x)[1], abs=0.05)


def test_both_heads_learn_what_a_curve_says():
    rng = np.random.default_rng(0)
    level = rng.standard_normal((540, 1)).astype(np.float32)
    features = np.zeros((540, 16, 8), np.float32)
    features[..., 0] = level
    model = train(features[:500], level[:500], 0, epochs=8, batch=50)
    mean, spread = likely(model, features[500:])
    assert np.corrcoef(mean[:, 0], level[500:, 0])[0, 1] > 0.95
    assert np.median(spread) < 0.5
    centres = [samples(model, features[i : i + 1], 3, rng)[0, 0] for i in range(500, 520)]
    assert np.corrcoef(centres, level[500:520, 0])[0, 1] > 0.9


def test_answers_are_kept_and_a_torn_line_is_answered_again(tmp_path):
    asked = []

    def solver(contestant, index, seed):
        asked.append(index)
        return {"index": index, "model": "sphere", "success": True, "seconds": 0.0}

    run(solver, "one", 3, 0, tmp_path, 1)
    path = tmp_path / "one-0.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:2]) + "\n" + lines[2][:9])
    rows = run(solver, "one", 3, 0, tmp_path, 1)
    assert asked == [0, 1, 2, 2]
    assert [row["index"] for row in rows] == [0, 1, 2]
    assert json.loads(path.read_text().splitlines()[-1])["index"] == 2
    run(solver, "one", 3, 0, tmp_path, 1)
    assert asked == [0, 1, 2, 2]
