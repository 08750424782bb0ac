"""Marks of gaps and dead lines are no counts, in whatever type of number they are kept."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images import reading
from sasnet_plugin.types import DataError

ROWS, COLUMNS = 60, 70


@pytest.fixture
def lit(rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(8.0, (ROWS, COLUMNS))


@pytest.mark.parametrize(
    ("mark", "kind"),
    [
        (-1, np.int32),
        (-2, np.int32),
        (-1, np.float32),
        (2**32 - 1, np.uint32),
        (2**32 - 1, np.int64),
        (2**32 - 1, np.float32),
        (2**32 - 1, np.float64),
        (2**64 - 1, np.uint64),
        (np.nan, np.float64),
    ],
)
def test_marks_are_left_out_whatever_their_type(lit: np.ndarray, mark: float, kind: type) -> None:
    values = lit.astype(kind)
    values[20:24] = mark
    found, notes = reading.find_unmeasured(values, None)
    assert found[20:24].all()
    assert found.sum() == 4 * COLUMNS
    assert "Marked as bad in the file: 280 pixels" in notes[0]


@pytest.mark.parametrize("kind", [np.uint16, np.uint32, np.int32, np.float32])
def test_the_largest_number_of_sixteen_bits_is_a_limit(lit: np.ndarray, kind: type) -> None:
    values = lit.astype(kind)
    values[:, 30:33] = 65535
    assert reading.integer_limit(values) == 65535
    assert reading.integer_limit(lit.astype(np.int32)) is None


def test_negative_values_that_a_subtraction_left_are_no_marks(lit: np.ndarray) -> None:
    values = lit - 8.4
    assert not reading.find_marked_bad(values, subtracted=True).any()
    marked = lit.astype(float)
    marked[:, 5] = -1
    assert reading.find_marked_bad(marked, subtracted=True).sum() == ROWS


def test_what_has_both_signs_or_two_values_is_no_image_of_counts(lit: np.ndarray) -> None:
    x = np.linspace(0, 20, 60)[:, None] + np.linspace(0, 9, 70)
    with pytest.raises(DataError, match="a.h5: 49% of its values are negative"):
        reading.check_counts(np.sin(x), "a.h5")
    with pytest.raises(DataError, match=r"a.tif: it contains only two values, like a mask"):
        reading.check_counts((lit > 8).astype(np.uint8), "a.tif")
    # Marks of gaps, hardly any counts, and what a subtraction left of some pixels are no reason.
    marked = lit.astype(np.int32)
    marked[:, :30] = -1
    faint = (np.arange(lit.size).reshape(lit.shape) % 200 == 0).astype(float)
    for values in (marked, lit, faint, lit - 5.5, np.zeros((9, 9))):
        reading.check_counts(values, "a.tif")


def test_dead_lines_are_left_out_and_dark_skies_are_not(lit: np.ndarray) -> None:
    values = lit.copy()
    values[30:37], values[:, 12], values[:2] = 0, 0, 0
    dead = reading.dead_lines(values, np.ones(values.shape, dtype=bool))
    wanted = np.zeros(values.shape, dtype=bool)
    wanted[30:37], wanted[:, 12], wanted[:2] = True, True, True
    assert np.array_equal(dead, wanted)
    kept = reading.dead_lines(values, np.ones(values.shape, dtype=bool), horizon=True)
    assert not kept[0, 20]
    assert kept[31, 20]
    # So few counts that a line without any is no wonder.
    faint = np.zeros((ROWS, COLUMNS), dtype=int)
    faint[::3, ::35] = 1
    assert not reading.dead_lines(faint, np.ones(faint.shape, dtype=bool)).any()
