"""Bad input: every case ends in a `DataError` of one sentence, or in a curve with a note."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.data.limits import LIMITS
from sasnet_plugin.types import DataError


def _refused(path: Path, match: str) -> None:
    with pytest.raises(DataError, match=match) as caught:
        load(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", ["a.txt", "a.dat", "a.xml", "a.h5", "a.csv", "a.abs", "a.pdh"])
def test_empty(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    _refused(path, "is empty")
    path.write_bytes(b" \n\n\t\n")
    _refused(path, "is empty")


@pytest.mark.parametrize("name", ["a.txt", "a.dat", "a.xml", "a.h5", "a", "a.sans"])
def test_binary(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    _refused(path, "binary")


@pytest.mark.parametrize("name", ["a.txt", "a.dat", "a.xml", "a.csv"])
def test_prose(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(
        "We measured 3 samples at 25 C.\nThe beam was down\non day 2, so nothing came of it.\n" * 20
    )
    _refused(path, "no table of numbers")


def test_xml_that_is_not_cansas(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<?xml version='1.0'?><recipe><step>1 2 3</step></recipe>")
    _refused(path, "CanSAS")


def test_one_column(write, guinier) -> None:
    _refused(write(guinier[1]), "one column")


def test_q_all_zero(write, guinier) -> None:
    _refused(write(0 * guinier[0], guinier[1], guinier[2]), "q is zero throughout")


def test_negative_q(write, guinier) -> None:
    q, intensity, error = guinier
    _refused(write(-q, intensity, error), "no q is positive")
    both = np.concatenate([-q[:5], q]), np.concatenate([intensity[:5], intensity])
    (curve,) = load(write(*both))
    np.testing.assert_allclose(curve.q, q, rtol=1e-8)
    assert "5 rows with negative q were dropped." in curve.notes


def test_unsorted_q(write, guinier) -> None:
    order = np.random.default_rng(2).permutation(guinier[0].size)
    (curve,) = load(write(*(column[order] for column in guinier)))
    np.testing.assert_allclose(curve.q, guinier[0], rtol=1e-8)
    np.testing.assert_allclose(curve.intensity, guinier[1], rtol=1e-8)
    np.testing.assert_allclose(curve.dintensity, guinier[2], rtol=1e-8)
    assert any("sorted" in note for note in curve.notes)


def test_nan_and_inf(write, guinier) -> None:
    q, intensity, error = (column.copy() for column in guinier)
    intensity[3], intensity[7], q[11] = np.nan, np.inf, np.nan
    (curve,) = load(write(q, intensity, error))
    np.testing.assert_allclose(curve.q, np.delete(guinier[0], [3, 7, 11]), rtol=1e-8)
    assert "3 rows with a value that is not a number were dropped." in curve.notes
    _refused(write(q, np.full_like(q, np.nan), error), "only 0 usable points")


@pytest.mark.parametrize("bad", [0.0, np.nan, -1.0])
def test_uncertainties_that_are_none(write, guinier, bad: float) -> None:
    q, intensity, error = guinier
    (none,) = load(write(q, intensity, np.full_like(q, bad)))
    assert none.dintensity is None
    assert any("are estimated" in note for note in none.notes)
    error = error.copy()
    error[10] = bad
    (repaired,) = load(write(q, intensity, error))
    assert repaired.dintensity is not None
    assert len(repaired) == q.size
    assert guinier[2][11] < repaired.dintensity[10] < guinier[2][9]
    np.testing.assert_allclose(np.delete(repaired.dintensity, 10), np.delete(error, 10), rtol=1e-8)


@pytest.mark.parametrize("points", [1, 3, 7])
def test_too_few_points(write, guinier, points: int) -> None:
    _refused(write(*(column[:points] for column in guinier)), f"only {points} usable point")


def test_all_intensities_negative(write, guinier) -> None:
    _refused(write(guinier[0], -guinier[1], guinier[2]), "no intensity is above zero")
    _refused(write(guinier[0], 0 * guinier[1], guinier[2]), "no intensity is above zero")


def test_missing_file(tmp_path: Path) -> None:
    _refused(tmp_path / "nowhere.dat", "no such file")


def test_directory(tmp_path: Path) -> None:
    _refused(tmp_path, "directory")


def test_permission_denied(write, guinier, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(*guinier)

    def refuse(self: Path, *mode: str) -> bytes:
        raise PermissionError(13, "Permission denied", os.fspath(self))

    monkeypatch.setattr(Path, "open", refuse)
    _refused(path, "no permission")


def test_more_points_than_a_measurement_has(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    for points in (LIMITS.points, LIMITS.points + 1):
        q = np.linspace(1e-3, 0.5, points)
        path.write_text("q,I\n" + "\n".join(f"{x:.6f},{1 / x:.5f}" for x in q.tolist()))
        if points > LIMITS.points:
            _refused(path, "100,001 points, too much for one measurement")
        else:
            (curve,) = load(path)
            assert len(curve) == points
            assert curve.intensity[-1] == pytest.approx(2.0)


@pytest.mark.parametrize("kind", ["bmp", "gif", "png", "jpg", "tif"])
def test_image(example_data: Path, kind: str) -> None:
    _refused(
        example_data.parent / "image_data" / f"ISIS_98940_greyscale_{kind}.{kind}",
        "TIFF image, not a curve" if kind == "tif" else "image, a picture without detector counts",
    )


def test_image_under_a_false_name(example_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "curve.dat"
    path.write_bytes((example_data.parent / "image_data" / "ISIS_98940_greyscale_png.png").read_bytes())
    _refused(path, "PNG image")


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.9])
def test_truncated_hdf5(example_data: Path, tmp_path: Path, fraction: float) -> None:
    data = (example_data / "33837rear_1D_1.75_16.5_NXcanSAS.h5").read_bytes()
    path = tmp_path / "cut.h5"
    path.write_bytes(data[: int(fraction * len(data))])
    _refused(path, "damaged or cut short")


def test_hdf5_without_sas(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["weights"] = np.eye(3)
    _refused(path, "no 1D SASdata")


def test_unknown_unit(write, guinier) -> None:
    with pytest.raises(DataError, match="not a unit of q"):
        load(write(*guinier), q_unit="furlong")
    with pytest.raises(DataError, match="'mm' is a length, not a unit of q"):
        load(write(*guinier), q_unit="mm")
