"""Losses of heads: least where the answer is right, blind to what has no label."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
pytest.importorskip("keras")

from keras import backend, ops

from sasnet_plugin.domains.heads import Classes, Distribution, Parameter, Quantities, Scope, Tags
from sasnet_plugin.predict.arithmetic import circular_w1 as exact
from sasnet_plugin.train.network import circular_w1, losses, smoothing

FORM = Classes("form", labels=("a", "b", "c"))
FACTOR = Classes("factor", labels=("", "x", "y"), given="form", allowed={"a": ("x",), "b": ("x", "y")})
TAGS = Tags("tags", labels=("dot", "pair"), positive_weight={"pair": 3.0})
SIZE = Quantities("size", parameters=(Parameter("r"), Parameter("h")))
ANGLE = Distribution("angle", bins=120, period=60.0, resolution=3.0)
HEADS = (FORM, FACTOR, TAGS, SIZE, ANGLE, Scope())


def made(n: int, seed: int = 0) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Outputs, and targets that all have labels."""
    rng = np.random.default_rng(seed)
    shapes = {"form": (3,), "factor": (3, 3), "tags": (2,), "size": (2, 2), "angle": (120,), "scope": (1,)}
    outputs = {name: rng.normal(size=(n, *shape)).astype(np.float32) for name, shape in shapes.items()}
    outputs["angle_band"] = np.ones((n, 120, 2), np.float32)
    targets = {
        "form": rng.integers(2, size=n).astype(np.int32),
        "factor": np.ones(n, np.int32),
        "tags": rng.integers(2, size=(n, 2)).astype(np.float32),
        "size": rng.normal(size=(n, 2)).astype(np.float32),
        "angle": rng.dirichlet(np.full(120, 0.1), size=n).astype(np.float32),
        "scope": np.ones(n, np.float32),
    }
    return outputs, targets


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.name)
def test_what_has_no_label_teaches_nothing(head: object) -> None:
    outputs, targets = made(9)
    some = {name: values[:6] for name, values in outputs.items()}
    less = {name: values[:6] for name, values in targets.items()}
    unknown = {name: values.copy() for name, values in targets.items()}
    for values in unknown.values():
        values[6:] = -1 if values.dtype == np.int32 else np.nan
    expected = float(losses(head, some, less, HEADS))  # type: ignore[arg-type]
    assert float(losses(head, outputs, unknown, HEADS)) == pytest.approx(expected, rel=1e-5)  # type: ignore[arg-type]
    assert np.isfinite(expected)


def test_one_known_number_of_two_is_learned() -> None:
    outputs, targets = made(4)
    targets["size"][:, 1] = np.nan
    one = Quantities("size", parameters=SIZE.parameters[:1])
    alone = {"size": outputs["size"][:, :1]}
    expected = float(losses(one, alone, {"size": targets["size"][:, :1]}, HEADS))
    assert float(losses(SIZE, outputs, targets, HEADS)) == pytest.approx(expected, rel=1e-5)


def test_the_loss_is_least_where_the_error_is_stated_right() -> None:
    truth = np.random.default_rng(2).normal(0, 0.4, (4000, 1)).astype(np.float32)
    head = Quantities("size", parameters=SIZE.parameters[:1])

    def at(sigma: float) -> float:
        found = np.zeros((len(truth), 1, 2), np.float32)
        found[..., 1] = np.log(sigma)
        return float(losses(head, {"size": ops.convert_to_tensor(found)}, {"size": truth}, (head,)))

    assert at(0.4) < at(0.3)
    assert at(0.4) < at(0.55)


def test_classes_that_do_not_go_together_are_out_of_the_question() -> None:
    outputs, targets = made(5)
    targets["form"][:], targets["factor"][:] = 0, 1
    outputs["factor"][:, 0, 2] = 50.0  # "y", which form "a" does not take
    plain = outputs["factor"][:, 0, :2]
    expected = np.mean(np.log(np.exp(plain).sum(axis=1)) - plain[:, 1])
    assert float(losses(FACTOR, outputs, targets, HEADS)) == pytest.approx(expected, rel=1e-4)


def test_of_classes_that_are_all_right_the_sum_counts() -> None:
    outputs, targets = made(6)
    right = np.zeros((6, 3), np.float32)
    right[:4, :2] = 1  # "a" or "b"; of the last two nothing is known
    p = np.exp(outputs["form"]) / np.exp(outputs["form"]).sum(axis=1, keepdims=True)
    expected = -np.mean(np.log(p[:4, :2].sum(axis=1)))
    assert float(losses(FORM, outputs, {**targets, "form": right}, HEADS)) == pytest.approx(
        expected, rel=1e-5
    )
    # One that is right alone is a class, for what goes with it, too; of several nothing goes with them.
    one = np.eye(3, dtype=np.float32)[targets["form"]]
    for head in (FORM, FACTOR):
        as_class = float(losses(head, outputs, targets, HEADS))
        assert float(losses(head, outputs, {**targets, "form": one}, HEADS)) == pytest.approx(
            as_class, rel=1e-5
        )
    one[3:] = 1
    fewer = {name: values[:3] for name, values in targets.items()}
    expected = float(losses(FACTOR, {name: values[:3] for name, values in outputs.items()}, fewer, HEADS))
    assert float(losses(FACTOR, outputs, {**targets, "form": one}, HEADS)) == pytest.approx(
        expected, rel=1e-5
    )


def test_a_rare_tag_weighs_more_where_it_is_there() -> None:
    zero = {"tags": np.zeros((1, 2), np.float32)}
    there, absent = (
        float(losses(TAGS, zero, {"tags": np.array([[0.0, x]], np.float32)}, HEADS)) for x in (1.0, 0.0)
    )
    assert there - absent == pytest.approx(2 * np.log(2), rel=1e-5)


def test_distance_is_the_circular_one() -> None:
    rng = np.random.default_rng(1)
    p, q = (rng.dirichlet(np.full(120, 0.1), size=7).astype(np.float32) for _ in range(2))
    np.testing.assert_allclose(np.asarray(circular_w1(p, q, 60.0)), exact(p, q, 60.0), atol=1e-3)
    np.testing.assert_allclose(smoothing(ANGLE, 3.0).sum(axis=0), 1.0, atol=1e-6)


@pytest.mark.skipif(backend.backend() != "tensorflow", reason="gradients by TensorFlow's tape")
@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.name)
def test_slopes_are_finite_where_some_examples_have_no_label(head: object) -> None:
    import tensorflow as tf

    outputs, targets = made(9)
    for values in targets.values():
        values[6:] = -1 if values.dtype == np.int32 else np.nan
    found = {name: tf.Variable(values) for name, values in outputs.items()}
    with tf.GradientTape() as tape:
        loss = losses(head, found, targets, HEADS)  # type: ignore[arg-type]
    slope = tape.gradient(loss, found[head.name])  # type: ignore[attr-defined]
    assert np.all(np.isfinite(slope))
    assert np.any(np.asarray(slope)[:6] != 0)
