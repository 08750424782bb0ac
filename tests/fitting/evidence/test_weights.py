"""Fits are ordered by evidence and what is known before; what these data do not tell apart is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.evidence.discrepancy import Discrepancy
from sasnet_plugin.fitting.evidence.marginal import alike, weigh_fits
from sasnet_plugin.types import Curve

from .simulated import CLEAN, STATED, Q, fitted, least_squares, shared

MEASURED = CLEAN + STATED * np.random.default_rng(4).standard_normal(Q.size)
AMONG = Discrepancy(Curve(Q, MEASURED, STATED), STATED)
SLOPES = np.stack([CLEAN * np.cos(k * np.log(Q)) for k in range(1, 7)], axis=1) / STATED[:, None]


def test_a_parameter_must_earn_its_keep() -> None:
    small, _ = least_squares(MEASURED, SLOPES[:, :3], "small")
    large, _ = least_squares(MEASURED, SLOPES, "large")
    assert large.chisq < small.chisq
    order = weigh_fits(AMONG, [large, small]).fits
    assert [f.model for f in order] == ["small", "large"]
    assert order[0].weight > 0.95
    assert sum(f.weight for f in order) == pytest.approx(1.0)


def test_the_prior_decides_between_equals_and_rules_nothing_out() -> None:
    a, b = (replace(fitted(MEASURED, CLEAN, name=n), probability=p) for n, p in (("a", 0.1), ("b", 0.4)))
    off = CLEAN * (1 + 0.02 * np.random.default_rng(1).standard_normal(Q.size))
    c = replace(fitted(MEASURED, off, name="c"), probability=1.0)
    order = weigh_fits(AMONG, [a, b, c]).fits
    assert [f.model for f in order] == ["b", "a", "c"]
    assert order[0].weight / order[1].weight == pytest.approx(4.0)
    given = weigh_fits(AMONG, [a, b], [0.3, 0.1]).fits
    assert given[0].model == "a"
    assert given[0].weight / given[1].weight == pytest.approx(3.0)
    assert weigh_fits(AMONG, []).fits == ()


def test_models_without_a_difference_are_named_whatever_is_known_before() -> None:
    rough = STATED * np.random.default_rng(1).standard_normal(Q.size)
    fits = [
        replace(fitted(MEASURED, CLEAN + off * rough, name=name), probability=probability)
        for name, off, probability in (("a", 0.0, 0.5), ("b", 0.02, 0.001), ("c", 1.0, 0.5))
    ]
    order = weigh_fits(AMONG, fits).fits
    assert alike(order) == ["b"]
    assert alike(()) == []


def test_two_models_that_differ_by_less_than_the_shared_error_keep_their_weight() -> None:
    rng = np.random.default_rng(17)
    measured = CLEAN + shared(0.03, 0.3, rng)[:, 0] + STATED * rng.standard_normal(Q.size)
    bend = np.log(Q / 0.07)
    # The rival bends by a per cent, towards the error by chance.
    bent = CLEAN * (1 + 0.01 * np.sign(np.sum((measured - CLEAN) / CLEAN * bend)) * bend)
    fits = [fitted(measured, CLEAN), fitted(measured, bent, name="ellipsoid")]
    assert fits[0].chisq - fits[1].chisq > 20, "overwhelming, were the points independent"
    order = weigh_fits(Discrepancy(Curve(Q, measured, STATED), STATED), fits).fits
    assert alike(order) == [order[1].name]


def test_neighbours_within_too_large_errors_do_not_decide_between_two_models() -> None:
    rng = np.random.default_rng(7)
    drawn = rng.standard_normal(Q.size)
    for i in range(1, Q.size):
        drawn[i] = 0.95 * drawn[i - 1] + np.sqrt(1 - 0.95**2) * drawn[i]
    measured = CLEAN + 0.5 * STATED * drawn
    fits = [fitted(measured, CLEAN, name="near"), fitted(measured, CLEAN - 0.3 * STATED * drawn, name="far")]
    curve = Curve(Q, measured, STATED)
    counted, independent = (weigh_fits(Discrepancy(curve, STATED, share), fits).fits for share in (1.0, 0.03))
    assert counted[0].name == independent[0].name == "near"
    assert counted[0].weight > 0.99
    assert independent[0].weight < 0.85
