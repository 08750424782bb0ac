"""Rows that a file marks as masked are left out and counted; true zeros stay."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.data.clean import clean
from sasnet_plugin.data.raw import RawCurve
from sasnet_plugin.types import DataError

Q = np.geomspace(0.006, 0.3, 120)
CURVE = 100 * np.exp(-((Q * 30) ** 2) / 3) + 0.5
BLOCKS = {
    "at the beamstop": slice(0, 19),
    "a gap": slice(50, 60),
    "at the end": slice(110, 120),
    "one": slice(70, 71),
}


@pytest.mark.parametrize("place", BLOCKS)
@pytest.mark.parametrize(
    "mark", [(0.0, 0.0), (0.0, -1.0), (0.0, np.nan), (-1.0, 0.0), (-1.0, -1.0), (-1.0, np.nan)]
)
def test_marks_are_left_out_and_counted_in_one_note(place: str, mark: tuple[float, float]) -> None:
    rng = np.random.default_rng(1)
    intensity, sigma = CURVE * (1 + 0.02 * rng.normal(size=Q.size)), 0.02 * CURVE
    rows = BLOCKS[place]
    intensity[rows], sigma[rows] = mark
    curve = clean(RawCurve(Q, intensity, sigma), file="", entry="")
    number = rows.stop - rows.start
    np.testing.assert_array_equal(curve.q, np.delete(Q, rows))
    (note,) = (note for note in curve.notes if "masked" in note)
    assert note.startswith(f"{number} row")
    assert not any("replaced" in note for note in curve.notes)


@pytest.mark.parametrize("mark", [0.0, -1.0])
def test_marks_without_a_column_of_uncertainties(mark: float) -> None:
    intensity = CURVE.copy()
    intensity[:12] = intensity[60:66] = mark
    curve = clean(RawCurve(Q, intensity), file="", entry="")
    assert len(curve) == Q.size - 18
    assert curve.intensity.min() > 0


def test_counted_zeros_with_their_square_root_stay() -> None:
    rng = np.random.default_rng(2)
    counts = rng.poisson(30 * np.exp(-((Q * 20) ** 2) / 3) + 0.4).astype(float)
    assert np.count_nonzero(counts == 0) > 10
    for sigma in (np.sqrt(np.maximum(counts, 1)), np.sqrt(counts)):
        curve = clean(RawCurve(Q, counts, sigma), file="", entry="")
        assert len(curve) == Q.size
        assert curve.dintensity is not None
        assert curve.dintensity.min() > 0


def test_negative_whole_numbers_of_a_subtraction_stay() -> None:
    rng = np.random.default_rng(3)
    intensity = np.round(20 * np.exp(-((Q * 30) ** 2) / 3) + rng.normal(size=Q.size))
    assert np.any(intensity == -1)
    assert np.any(intensity == -2)
    assert len(clean(RawCurve(Q, intensity, np.ones(Q.size)), file="", entry="")) == Q.size


def test_rows_in_any_order(write) -> None:
    intensity, sigma = CURVE.copy(), 0.02 * CURVE
    intensity[:19] = sigma[:19] = 0
    rows = np.random.default_rng(4).permutation(Q.size)
    (curve,) = load(write(Q[rows], intensity[rows], sigma[rows]))
    np.testing.assert_allclose(curve.q, Q[19:])


def test_nothing_but_marks_is_no_curve() -> None:
    with pytest.raises(DataError, match="no intensity is above zero"):
        clean(RawCurve(Q, np.zeros(Q.size), np.zeros(Q.size)), file="f", entry="")
