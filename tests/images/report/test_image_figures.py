"""Figures of images show what they are given: each pixel where it belongs, marks at their angles."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from sasnet_plugin.images import report
from sasnet_plugin.report import canvas
from sasnet_plugin.types import Image, SasnetError


def drawn(draw: canvas.Draw) -> Figure:
    figure = Figure(figsize=(8, 5))
    draw(figure, canvas.day)
    return figure


def test_pixels_lie_at_their_angles_and_masked_ones_are_empty(image: Image) -> None:
    axes = drawn(report.pattern(image)).axes[0]
    (picture,) = axes.get_images()
    values = picture.get_array()
    assert values.shape == image.counts.shape
    np.testing.assert_array_equal(np.ma.getmaskarray(values), ~image.mask)
    np.testing.assert_array_equal(values.filled(0.0), np.where(image.mask, image.counts, 0.0))
    left, right, bottom, top = picture.get_extent()
    assert picture.origin == "lower"
    phi, alpha_f = image.geometry.phi, image.geometry.alpha_f
    step = phi[1] - phi[0]
    assert (left, right) == pytest.approx((phi[0] - step / 2, phi[-1] + step / 2))
    height = alpha_f[1] - alpha_f[0]
    assert (bottom, top) == pytest.approx((alpha_f[0] - height / 2, alpha_f[-1] + height / 2))


def test_beams_and_horizon_are_marked_where_they_are(image: Image) -> None:
    axes = drawn(report.pattern(image)).axes[0]
    marks = {line.get_gid(): (line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines}
    assert marks["specular"] == (0.0, image.geometry.alpha_i)
    assert marks["direct"] == (0.0, -image.geometry.alpha_i)
    assert {text.get_text() for text in axes.texts} == {"horizon", "specular beam", "direct beam"}
    above = image.geometry.alpha_f > 0.5
    cut = replace(
        image,
        counts=image.counts[above],
        mask=image.mask[above],
        geometry=replace(image.geometry, alpha_f=image.geometry.alpha_f[above]),
    )
    axes = drawn(report.pattern(cut)).axes[0]
    assert [text.get_text() for text in axes.texts] == []
    assert axes.get_ylim()[0] > 0.4


def test_measured_and_simulated_have_one_scale(image: Image) -> None:
    left, middle, right = drawn(report.comparison(image, image.counts * 1.5 + 1)).axes[:3]
    first, second = left.get_images()[0], middle.get_images()[0]
    assert (first.norm.vmin, first.norm.vmax) == (second.norm.vmin, second.norm.vmax)
    assert right.get_images()[0].norm.vmin == -right.get_images()[0].norm.vmax


def test_residuals_are_standard_normal_where_the_expectation_is_right(rng: np.random.Generator) -> None:
    expected = np.full(40_000, 30.0)
    found = report.compute_signed_deviance(rng.poisson(expected), expected)
    assert found.mean() == pytest.approx(0, abs=0.05)
    assert found.std() == pytest.approx(1, abs=0.03)
    assert report.compute_signed_deviance(np.array([0.0]), np.array([2.0]))[0] == pytest.approx(-2.0)
    assert report.compute_signed_deviance(np.array([7.0]), np.array([7.0]))[0] == 0


def test_large_pictures_shrink_without_counting_what_is_masked(rng: np.random.Generator) -> None:
    values, mask = rng.uniform(1, 2, (1679, 1475)), rng.random((1679, 1475)) > 0.2
    values[~mask] = 1e9
    mask[:40, :40] = False
    found = canvas.shrunk(values, mask)
    assert max(found.shape) <= canvas.MAX_PIXELS
    assert np.isnan(found[0, 0])
    assert np.nanmax(found) <= 2
    # Four rows of 1679 and as many columns are one pixel.
    up, across = -(-1679 // canvas.MAX_PIXELS), -(-1475 // canvas.MAX_PIXELS)
    block, good = values[80 : 80 + up, 80 : 80 + across], mask[80 : 80 + up, 80 : 80 + across]
    assert found[80 // up, 80 // across] == pytest.approx(block[good].mean())


def test_an_image_of_nothing_is_drawn(image: Image) -> None:
    for empty in (
        replace(image, counts=np.zeros_like(image.counts)),
        replace(image, mask=np.zeros_like(image.mask)),
    ):
        text = canvas.svg(report.pattern(empty), "empty", "Nothing", report.PATTERN_SIZE)
        assert "<image" in text


def test_the_svg_has_the_page_s_colours(image: Image) -> None:
    text = canvas.svg(report.pattern(image), "one", "A <pattern>", report.PATTERN_SIZE)
    assert text.startswith("<svg")
    assert 'aria-label="A &lt;pattern&gt;"' in text
    assert "#fe01" not in text
    assert "var(--ink)" in text
    assert not re.search(r'href="(?!#|data:)', text)


def test_bias_tells_a_systematic_one_from_noise(rng: np.random.Generator) -> None:
    n, samples = 120, 400
    honest = rng.dirichlet(np.full(n, 50.0), samples)
    found = report.bias_of(honest)
    assert found["systematic"] < 6 * found["noise"]
    ramp = 1 + 0.3 * np.cos(np.arange(n) / n * 2 * np.pi)
    biased = honest * ramp
    biased /= biased.sum(axis=1, keepdims=True)
    worse = report.bias_of(biased)
    assert worse["systematic"] == pytest.approx(0.3, abs=0.05)
    assert worse["systematic"] > 20 * worse["noise"]
    assert worse["total_variation"] > found["total_variation"]
    assert report.bias_of(np.full((3, n), 1 / n))["systematic"] == pytest.approx(0, abs=1e-12)


def test_trends_show_each_quantity_with_its_band() -> None:
    time = np.arange(30.0)
    value = 40 + time
    columns = {"distance": (value, value - 2, value + 3), "aspect": (value / 40, value / 50, value / 30)}
    figure = drawn(report.trends(time, columns, {"distance": "Å"}))
    first, second = (axes for axes in figure.axes if axes.get_visible())
    assert first.get_ylabel() == "distance / Å"
    assert second.get_ylabel() == "aspect"
    np.testing.assert_array_equal(first.lines[0].get_ydata(), value)


def test_a_figure_that_cannot_be_written_is_one_sentence(image: Image, tmp_path: Path) -> None:
    canvas.save(report.pattern(image), tmp_path / "a.png", (3, 2))
    assert (tmp_path / "a.png").stat().st_size > 1000
    with pytest.raises(SasnetError, match="another file"):
        canvas.save(report.pattern(image), tmp_path / "none" / "a.png", (3, 2))
    with pytest.raises(SasnetError, match="another file"):
        canvas.save(report.pattern(image), tmp_path / "a.xyz", (3, 2))
