"""Columns of a detector that do not begin where φ = 0: means over shifted columns are the integrals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from sasnet_plugin.images.gisas.simulation import Factors, columns_of
from sasnet_plugin.images.simulation import Geometry, Window

WINDOW = Window(4, 24, (-0.4, 0.4), (0.1, 0.24))


@pytest.mark.parametrize("offset", [0.0, 0.0021, -0.009, 0.0167])
@pytest.mark.parametrize("across", [6, 12])
def test_a_peak_is_shared_between_columns_as_its_integral_is(offset: float, across: int) -> None:
    width = WINDOW.pixel[1]
    part = width / across
    middles = WINDOW.phi[0] + part * (np.arange(WINDOW.columns * across) + 0.5)
    sharp = 2.0 / width  # a peak as wide as half of a column

    def integral(x: np.ndarray) -> np.ndarray:
        return x / np.sqrt(1 + (sharp * x) ** 2)

    found = columns_of(WINDOW, across, offset) @ (1 + (sharp * middles) ** 2) ** -1.5
    edges = WINDOW.phi[0] + offset + width * np.arange(WINDOW.columns + 1)
    wanted = np.diff(integral(edges)) / width
    inside = slice(1, -1)
    assert found[inside] == pytest.approx(wanted[inside], abs=2e-3 if across == 6 else 3e-4)


@pytest.mark.parametrize("sigma", [0.003, 0.012])
def test_the_blur_of_a_peak_depends_on_where_in_a_column_it_stands(sigma: float) -> None:
    across, offset, shift = 12, 0.0021, 0.004
    part = WINDOW.pixel[1] / across
    middles = WINDOW.phi[0] + part * (np.arange(WINDOW.columns * across) + 0.5)
    narrow = 1.5 * part
    found = columns_of(WINDOW, across, offset, sigma, shift) @ np.exp(-0.5 * (middles / narrow) ** 2)
    # A Gaussian that is blurred is a wider one.
    edges = WINDOW.phi[0] + offset + WINDOW.pixel[1] * np.arange(WINDOW.columns + 1)
    counted = np.diff(ndtr((edges - shift) / np.hypot(narrow, sigma)))
    wanted = narrow * np.sqrt(2 * np.pi) / WINDOW.pixel[1] * counted
    assert found == pytest.approx(wanted, abs=2e-3 * wanted.max())


def test_the_mirror_holds_for_shifted_columns() -> None:
    geometry = Geometry(350, 1200, 15, 90, 0.05, 1.34, 0.16)
    right = Factors.compute(geometry, WINDOW, offset=0.004)
    left = Factors.compute(geometry, WINDOW, offset=-0.004)
    # What the mirror image shows in a column, the pattern shows in the one opposite.
    np.testing.assert_allclose(
        right.half(mirrored=True)[:, :, 1:-1], left.half()[:, :, ::-1][:, :, 1:-1], rtol=2e-5
    )
    plain = Factors.compute(geometry, WINDOW)
    np.testing.assert_allclose(plain.half(mirrored=True), plain.half()[..., ::-1])
