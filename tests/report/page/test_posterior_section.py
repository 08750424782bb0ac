"""The posterior in a report: a panel for each pair, intervals in the table, nothing where there is none."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from simulated_fits import simulated

from sasnet_plugin.fitting.optimize.refine_best import posterior_of
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.report.page.reports import corner_svg, page, posterior_section
from sasnet_plugin.report.plot import MOST_PANELS, select_drawn_names
from sasnet_plugin.zoo import open_model


def _with_posterior(found: ModelFit, *, spread: float = 1.0, apart: float = 0.0) -> ModelFit:
    """Samples around the fit, as wide as its errors."""
    rng = np.random.default_rng(8)
    names = found.free
    centre = np.array([found.parameters[n].value for n in names])
    errors = np.array([found.parameters[n].error or 0.01 for n in names]) * spread
    chains = centre + errors * (rng.standard_normal((300, 10, len(names))) + apart * np.arange(10)[:, None])
    return replace(found, posterior=posterior_of(names, chains, rng))


@pytest.fixture(scope="module")
def result() -> FitResult:
    found = simulated("slit")
    return replace(found, fits=(_with_posterior(found.fits[0]), *found.fits[1:]))


def test_the_page_shows_every_pair_and_the_intervals(result: FitResult) -> None:
    text = page(result, open_model("sas1d").manifest)
    best = result.fits[0]
    k = len(best.free)
    assert len(set(re.findall(r'id="corner-panel-\d-\d"', text))) == k * (k + 1) // 2
    assert best.posterior is not None
    low, high = best.posterior.interval95["length"]
    row = re.search(r'<tr><td><span class="name">length</span>.*?</tr>', text)
    assert row is not None
    ends = re.search(r'<td class="number">([\d.]+) to ([\d.]+)</td>', row[0])
    assert ends is not None
    # Rounded to a small part of the width of the interval.
    assert float(ends[1]) == pytest.approx(low, abs=0.1 * (high - low))
    assert float(ends[2]) == pytest.approx(high, abs=0.1 * (high - low))
    assert text.count("95 % interval</th>") == 1  # the other fits have no samples
    assert "The chains agree" in text
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))


def test_chains_that_disagree_are_called_so(result: FitResult) -> None:
    shifted = _with_posterior(result.fits[0], apart=2.0)
    assert "have not converged" in posterior_section((shifted,))


def test_without_samples_the_page_says_nothing_of_them() -> None:
    bare = simulated("slit")
    text = page(bare, open_model("sas1d").manifest)
    assert "corner-" not in text
    assert "95 % interval" not in text
    assert posterior_section(()) == ""


def test_contours_hold_the_share_of_the_samples_that_the_caption_says(result: FitResult) -> None:
    from matplotlib.path import Path

    figure = result.corner()
    best = result.fits[0]
    assert best.posterior is not None
    axes = next(a for a in figure.axes if a.get_gid() == "panel-1-0")
    points = best.posterior.samples[:, :2]
    shares = []
    for contour in axes.collections:
        path = contour.get_paths()[0]
        assert isinstance(path, Path)
        shares.append(np.mean(path.contains_points(points)))
    assert shares == pytest.approx([0.95, 0.68], abs=0.05)


def test_of_many_parameters_the_nuisances_are_left_out_and_odd_names_do_no_harm(result: FitResult) -> None:
    names = ["scale", "background", *(f"p_{i}$<b>" for i in range(9))]
    many = replace(
        result.fits[0],
        parameters={n: Parameter(1.0 + i, 0.1, "", False, 0.0, 99.0) for i, n in enumerate(names)},
    )
    found = _with_posterior(many)
    shown = select_drawn_names(found)
    assert len(shown) == MOST_PANELS
    assert shown == tuple(names[2 : 2 + MOST_PANELS])
    text = posterior_section((found,))
    assert "3 more parameters" in text
    assert "<b>" not in text


def test_the_same_samples_give_the_same_bytes(result: FitResult) -> None:
    assert corner_svg(result.fits[0]) == corner_svg(result.fits[0])


def test_samples_that_do_not_move_are_drawn_all_the_same(result: FitResult) -> None:
    still = _with_posterior(result.fits[0], spread=0.0)
    assert corner_svg(still).startswith("<svg")
