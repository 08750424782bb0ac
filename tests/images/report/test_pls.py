"""Partial least squares: the same as scikit-learn's, and it finds the direction that matters."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from sasnet_plugin.images.report import components_figure, pls
from sasnet_plugin.report import canvas


def test_one_answer_is_predicted_as_scikit_learn_does(rng: np.random.Generator) -> None:
    cross_decomposition = pytest.importorskip("sklearn.cross_decomposition")
    x = rng.normal(size=(80, 30)) @ rng.normal(size=(30, 30))
    y = x[:, :1] - 0.5 * x[:, 3:4] + rng.normal(size=(80, 1))
    for components in (1, 3, 8):
        theirs = cross_decomposition.PLSRegression(components, scale=False).fit(x, y)
        np.testing.assert_allclose(
            pls(x, y, components).predict(x).ravel(), theirs.predict(x).ravel(), rtol=1e-6, atol=1e-6
        )


def test_scores_are_orthonormal_and_shares_add_up(rng: np.random.Generator) -> None:
    x = rng.normal(size=(60, 12))
    y = x @ rng.normal(size=(12, 3))
    model = pls(x, y, 12)
    scores = model.scores(x)
    np.testing.assert_allclose(scores.T @ scores, np.eye(scores.shape[1]), atol=1e-8)
    assert model.explained_x.sum() == pytest.approx(1, abs=1e-8)
    assert model.explained_y.sum() == pytest.approx(1, abs=1e-8)
    np.testing.assert_allclose(model.predict(x), y, atol=1e-8)


def test_the_first_picture_is_what_the_answer_comes_from(rng: np.random.Generator) -> None:
    signal = np.zeros((6, 5))
    signal[4, 1] = signal[4, 3] = 1.0
    strength = rng.normal(size=(300, 1))
    x = strength * signal.ravel() + 0.3 * rng.normal(size=(300, 30))
    first = pls(x, strength, 3).loadings[:, 0].reshape(6, 5)
    assert abs(np.corrcoef(first.ravel(), signal.ravel())[0, 1]) > 0.97


def test_fewer_components_than_asked_where_patterns_have_no_more(rng: np.random.Generator) -> None:
    x = rng.normal(size=(40, 2)) @ rng.normal(size=(2, 20))
    model = pls(x, x[:, :2], 10)
    assert model.loadings.shape[1] == 2


def test_the_figure_draws_pictures_and_shares(rng: np.random.Generator) -> None:
    x = rng.normal(size=(50, 24))
    model = pls(x, x[:, :2], 5)
    figure = Figure()
    components_figure(model, (6, 4))(figure, canvas.day)
    *pictures, shares = figure.axes
    assert len(pictures) == model.loadings.shape[1] > 1
    np.testing.assert_allclose(pictures[0].get_images()[0].get_array(), model.loadings[:, 0].reshape(6, 4))
    np.testing.assert_allclose(shares.lines[1].get_ydata(), 100 * np.cumsum(model.explained_y))
