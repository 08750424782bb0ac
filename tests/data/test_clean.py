"""Properties of cleaning and of reading text, for any columns."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sasnet_plugin.data import load
from sasnet_plugin.data.clean import clean, cut_to_q_range
from sasnet_plugin.data.raw import RawCurve


@st.composite
def raw_curves(draw: st.DrawFn) -> RawCurve:
    """Distinct positive q, positive intensities and uncertainties, 8 to 60 points."""
    size = draw(st.integers(8, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    q = np.sort(rng.uniform(1e-4, 0.9, size))
    intensity = np.exp(rng.normal(0, 3, size))
    return RawCurve(q=q, intensity=intensity, dintensity=intensity * rng.uniform(0.03, 0.3, size), dq=0.1 * q)


@given(raw_curves(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(raw: RawCurve, random) -> None:
    rows = list(range(raw.q.size))
    random.shuffle(rows)
    straight = clean(raw, file="", entry="")
    shuffled = clean(raw.take_rows(np.array(rows)), file="", entry="")
    # A row far from all others that breaks the order of the file is named as damaged.
    assume(not any("damaged" in note for note in (*straight.notes, *shuffled.notes)))
    for name in ("q", "intensity", "dintensity", "dq"):
        np.testing.assert_array_equal(getattr(straight, name), getattr(shuffled, name))


@given(raw_curves(), st.lists(st.sampled_from(["zero", "negative", "nan q", "nan I", "inf I"]), min_size=1))
def test_bad_rows_leave_the_others_alone(raw: RawCurve, kinds: list[str]) -> None:
    bad_q = {"zero": 0.0, "negative": -0.1, "nan q": np.nan}
    bad_i = {"nan I": np.nan, "inf I": np.inf}
    assert raw.dintensity is not None
    assert raw.dq is not None
    dirty = RawCurve(
        q=np.concatenate([[bad_q.get(kind, 0.5) for kind in kinds], raw.q]),
        intensity=np.concatenate([[bad_i.get(kind, 1.0) for kind in kinds], raw.intensity]),
        dintensity=np.concatenate([np.ones(len(kinds)), raw.dintensity]),
        dq=np.concatenate([np.ones(len(kinds)), raw.dq]),
    )
    plain, cleaned = clean(raw, file="", entry=""), clean(dirty, file="", entry="")
    for name in ("q", "intensity", "dintensity", "dq"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(cleaned, name))
    counted = sum(int(note.split()[0]) for note in cleaned.notes if note.endswith("dropped."))
    assert counted == len(kinds)


@given(raw_curves())
def test_the_unit_scales_q_and_resolution_only(raw: RawCurve) -> None:
    angstrom = clean(raw, file="", entry="", q_unit="Å⁻¹")
    nanometre = clean(raw, file="", entry="", q_unit="nm⁻¹")
    np.testing.assert_allclose(nanometre.q, angstrom.q / 10)
    np.testing.assert_allclose(nanometre.dq, angstrom.dq / 10)
    np.testing.assert_array_equal(nanometre.intensity, angstrom.intensity)


@settings(max_examples=40)
@given(raw_curves(), st.sampled_from([" ", "\t", ",", ";"]), st.booleans())
def test_round_trip_as_text(raw: RawCurve, delimiter: str, header: bool) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "curve.dat"
        table = np.column_stack([raw.q, raw.intensity, raw.dintensity, raw.dq])
        np.savetxt(path, table, delimiter=delimiter, fmt="%.17g", header="q I dI dq" if header else "")
        (curve,) = load(path)
    # Random columns may have points far from all others, which are named.
    assume(not any("damaged" in note for note in curve.notes))
    # They may look like a shadow; no point of it is lost.
    curve = cut_to_q_range(curve, 0.0, np.inf)
    np.testing.assert_array_equal(curve.q, raw.q)
    np.testing.assert_array_equal(curve.intensity, raw.intensity)
    np.testing.assert_array_equal(curve.dintensity, raw.dintensity)
    np.testing.assert_array_equal(curve.dq, raw.dq)


def test_a_row_that_stands_twice_is_one_measurement(tmp_path: Path) -> None:
    q = np.geomspace(0.01, 0.3, 40)
    intensity = 5 * np.exp(-((20 * q) ** 2) / 3) + 0.01
    table = np.column_stack([q, intensity, 0.05 * intensity])
    both = np.vstack([table, table[30:] * [1, 1.1, 1]])  # another setting, with the same q
    both = both[np.argsort(both[:, 0], kind="stable")]
    np.savetxt(tmp_path / "once.dat", both, header="q (1/A) I dI")
    np.savetxt(tmp_path / "twice.dat", np.repeat(both, 2, axis=0), header="q (1/A) I dI")
    (once,), (twice,) = load(tmp_path / "once.dat"), load(tmp_path / "twice.dat")
    assert len(once) == 50
    np.testing.assert_array_equal(twice.q, once.q)
    np.testing.assert_array_equal(twice.intensity, once.intensity)
    assert "50 rows repeating another point were dropped." in twice.notes
