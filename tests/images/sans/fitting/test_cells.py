"""Images in rings and sectors, without what the beamstop shades."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sasnet_plugin.images.sans.fitting import OrientedImage, cells_of, find_shadowed, run
from tests.images.sans.fitting import rods

TRUTH = {
    "radius": rods.RADIUS, "aspect": rods.ASPECT, "radius_pd": rods.SPREAD, "p2": 0.6,
    "director": rods.DIRECTOR,
}  # fmt: skip


def test_cells_hold_every_count_of_the_image_and_lie_where_their_pixels_do() -> None:
    image = rods.rods(0.6)
    found = cells_of(image)
    # Each pixel is in one cell; the corners of the detector may lie beyond the last ring.
    assert 0.9 * image.counts[image.mask].sum() < found.counts.sum() <= image.counts[image.mask].sum() + 1e-6
    q = np.hypot(found.geometry.qx[0], found.geometry.qy[0])
    assert q.min() > 0.9 * image.geometry.q[image.mask].min()
    assert q.max() <= image.geometry.q[image.mask].max()


def test_cells_in_the_beamstops_shadow_are_told_and_left_out() -> None:
    image = rods.rods(0.6)
    dark = image.geometry.q < image.geometry.q[image.mask].min() * 1.2
    shaded = replace(image, counts=np.where(dark & (image.geometry.qx > 0), 0.0, image.counts))
    problem = OrientedImage(cells_of(shaded), "cylinder", TRUTH)
    run(problem)
    expected = OrientedImage(cells_of(image), "cylinder", TRUTH).compute_expected()
    found = find_shadowed(problem.cells, expected)
    there = problem.cells.geometry
    assert found.sum() >= 3
    assert np.all(there.qx[0][found] > -0.001)
    assert not find_shadowed(cells_of(image), expected).any()
    assert problem.cells.exclude(found).counts.size == problem.cells.counts.size - found.sum()
