"""Rebinning shares counts by area: none is lost, a spot lands where it is, a mask stays a mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sasnet_plugin.images.reading import edges_of, overlap, rebin, to_window
from sasnet_plugin.types import DataError, GrazingIncidence, Image

WINDOW = {"phi": (-1.07, 1.07), "alpha_f": (0.0, 2.2), "shape": (64, 64)}


def _image(
    counts: np.ndarray,
    *,
    phi: tuple[float, float] = (-1.07, 1.07),
    alpha_f: tuple[float, float] = (0.0, 2.2),
    mask: np.ndarray | None = None,
) -> Image:
    """Pixels between the given edges."""
    rows, columns = counts.shape
    p, a = np.linspace(*phi, columns + 1), np.linspace(*alpha_f, rows + 1)
    return Image(
        counts=counts,
        mask=np.ones(counts.shape, dtype=bool) if mask is None else mask,
        geometry=GrazingIncidence((p[1:] + p[:-1]) / 2, (a[1:] + a[:-1]) / 2, wavelength=1.34, alpha_i=0.2),
    )


@given(
    rows=st.integers(8, 150),
    columns=st.integers(8, 150),
    margin=st.floats(0.0, 0.3),
    seed=st.integers(0, 1000),
)
def test_counts_are_conserved_whatever_the_grids(rows: int, columns: int, margin: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = _image(rng.poisson(3.0, (rows, columns)).astype(float), phi=(-0.9, 1.0), alpha_f=(0.1, 2.1))
    found = rebin(
        image, np.linspace(-0.9 - margin, 1.0 + margin, 65), np.linspace(0.1 - margin, 2.1 + margin, 48)
    )
    assert found.image.counts.sum() == pytest.approx(image.counts.sum(), rel=1e-12)
    area = found.coverage.sum() * ((1.9 + 2 * margin) / 64) * ((2.0 + 2 * margin) / 47)
    assert area == pytest.approx(1.9 * 2.0, rel=1e-9)


def test_only_what_lies_inside_is_counted() -> None:
    image = _image(np.ones((40, 40)), phi=(-2.0, 2.0), alpha_f=(-1.0, 3.0))
    found = rebin(image, np.linspace(-1.0, 1.0, 11), np.linspace(0.0, 2.0, 11))
    assert found.image.counts.sum() == pytest.approx(1600 / 4)
    assert np.allclose(found.coverage, 1.0)


@pytest.mark.parametrize("shape", [(1043, 981), (100, 130), (64, 64)])
def test_a_spot_lands_where_it_is(shape: tuple[int, int]) -> None:
    counts = np.zeros(shape)
    row, column = shape[0] // 3, (4 * shape[1]) // 5
    counts[row, column] = 1000.0
    image = _image(counts)
    found = to_window(image, **WINDOW)
    phi = np.sum(found.counts.sum(axis=0) * found.geometry.phi) / 1000.0
    alpha_f = np.sum(found.counts.sum(axis=1) * found.geometry.alpha_f) / 1000.0
    # Shared between at most two cells each way, its centre stays within half a cell.
    assert found.counts.sum() == pytest.approx(1000.0)
    assert abs(phi - image.geometry.phi[column]) <= 1.07 / 64 + 1e-12
    assert abs(alpha_f - image.geometry.alpha_f[row]) <= 1.1 / 64 + 1e-12
    assert np.count_nonzero(found.counts) <= 4


def test_the_same_grid_changes_nothing(rng: np.random.Generator) -> None:
    image = _image(rng.poisson(50, (64, 64)).astype(float))
    found = to_window(image, **WINDOW)
    assert np.allclose(found.counts, image.counts)
    assert np.allclose(found.geometry.phi, image.geometry.phi)
    assert found.mask.all()


@pytest.mark.parametrize("binning", [1, 2, 4])
def test_any_binning_of_the_detector_gives_the_same_window(binning: int, rng: np.random.Generator) -> None:
    fine = rng.poisson(3.0, (512, 512)).astype(float)
    binned = fine.reshape(512 // binning, binning, 512 // binning, binning).sum(axis=(1, 3))
    assert np.allclose(
        to_window(_image(binned), **WINDOW).counts, fine.reshape(64, 8, 64, 8).sum(axis=(1, 3))
    )


def test_uneven_binning_of_the_detector_agrees_within_what_a_pixel_can_tell(rng: np.random.Generator) -> None:
    """A smooth pattern, measured with pixels that fit no cell: the window agrees with the exact integral."""
    found = []
    for shape in ((700, 900), (311, 257)):
        p = np.linspace(-1.2, 1.3, shape[1] + 1)
        a = np.linspace(-0.2, 2.5, shape[0] + 1)
        phi, alpha_f = (p[1:] + p[:-1]) / 2, (a[1:] + a[:-1]) / 2
        smooth = np.exp(-((phi[None, :] / 0.4) ** 2) - (alpha_f[:, None] - 0.5) ** 2 / 0.3)
        counts = 1e6 * smooth * (p[1] - p[0]) * (a[1] - a[0])
        found.append(to_window(_image(counts, phi=(-1.2, 1.3), alpha_f=(-0.2, 2.5)), **WINDOW).counts)
    assert np.allclose(found[0], found[1], rtol=0.01, atol=found[0].max() * 1e-3)


def test_a_mask_stays_a_mask(rng: np.random.Generator) -> None:
    """A gap of many pixels is masked cells without counts; counts under a mask never come out."""
    counts = rng.poisson(20.0, (640, 640)).astype(float)
    mask = np.ones(counts.shape, dtype=bool)
    mask[200:240, :] = False
    mask[:, 405] = False
    counts[~mask] = 1e9
    found = to_window(_image(counts, mask=mask), **WINDOW)
    assert not found.mask[20:24].any()
    assert not found.counts[20:24].any()
    assert found.mask[:20].all()
    assert found.mask[24:].all()
    # One masked column of ten: its cells are scaled to what they would have counted.
    assert found.counts[found.mask].max() < 20 * 100 * 1.3
    lower = found.counts[:20, 40] - found.counts[:20, [39, 41]].mean(axis=1)
    assert abs(lower.mean()) < 5 * np.sqrt(2 * 2000 / 20)
    assert any("94 %" in note for note in found.notes)


def test_part_of_a_window_that_was_not_measured_is_masked() -> None:
    image = _image(np.ones((400, 200)), phi=(-0.2, 1.07))
    found = to_window(image, **WINDOW)
    measured = np.linspace(-1.07, 1.07, 65)[:-1] > -0.2 - 1.07 / 64
    assert np.array_equal(found.mask.all(axis=0), measured)
    assert np.array_equal(found.mask.any(axis=0), measured)


def test_nothing_of_the_window_is_one_sentence() -> None:
    with pytest.raises(DataError, match="phi 3.01 to 4.99 .* outside the analysed range"):
        to_window(_image(np.ones((100, 100)), phi=(3.0, 5.0)), **WINDOW)


def test_pixels_coarser_than_the_window_are_refused() -> None:
    with pytest.raises(DataError, match="degrees apart in phi, but the network needs"):
        to_window(_image(np.ones((64, 12))), **WINDOW)


@given(st.integers(2, 40), st.integers(2, 40))
def test_overlap_shares_out_every_old_cell(old: int, new: int) -> None:
    shares = overlap(np.linspace(0.0, 1.0, old + 1), np.linspace(-0.1, 1.2, new + 1))
    assert np.allclose(shares.sum(axis=0), 1.0)


def test_edges_lie_between_centres() -> None:
    assert np.allclose(edges_of(np.array([1.0, 2.0, 4.0])), [0.5, 1.5, 3.0, 5.0])
