"""Settings: which source goes before which, and one sentence for each mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.images.nexus import check_units, dectris, from_table, read_toml
from sasnet_plugin.images.reading import ImageSettings, load_images
from sasnet_plugin.types import DataError

Small = Callable[..., Path]

ANGLES = "wavelength = 1.34\nalpha_i = 0.2\nphi = [-1.0, 1.0]\nalpha_f = [1.5, -0.3]\n"


def test_options_go_before_the_toml_file_and_that_before_the_header(small: Small) -> None:
    path = small(toml="alpha_i = 0.25\n" + ANGLES.replace("alpha_i = 0.2\n", ""))
    assert load_images(path)[0].geometry.alpha_i == 0.25
    assert load_images(path, ImageSettings(alpha_i=0.31))[0].geometry.alpha_i == 0.31
    assert load_images(path, ImageSettings(alpha_i=0.31))[0].geometry.wavelength == 1.34


def test_every_key_of_the_issue_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        "wavelength = 1.34\nalpha_i = 0.2\ndistance = 1730\npixel_size = 0.172\n"
        "direct_beam = [487.5, 800]\nspecular_beam = [487.5, 730]\n"
        "mask = [[1, 2, 3, 4], [5, 6, 7, 8]]\nbeamstop = [480, 700, 12]\nmask_file = 'm.tif'\n",
        encoding="utf-8",
    )
    found = read_toml(tmp_path / "a.tif")
    assert found.pixel_size == (0.172, 0.172)
    assert found.mask == ((1, 2, 3, 4), (5, 6, 7, 8))
    assert found.mask_file == str(tmp_path / "m.tif")
    assert (found.direct_beam, found.specular_beam) == ((487.5, 800), (487.5, 730))
    assert read_toml(tmp_path / "b.tif") == ImageSettings()


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        ImageSettings().wavelength = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("key", "near"),
    [("wavelenght", "wavelength"), ("alphai", "alpha_i"), ("pixelsize", "pixel_size"), ("beam", "beamstop")],
)
def test_an_unknown_key_names_the_nearest(key: str, near: str, small: Small) -> None:
    path = small(toml=ANGLES + f"{key} = 1.0\n")
    with pytest.raises(DataError) as raised:
        load_images(path)
    assert (
        str(raised.value) == f"{path.with_suffix('.toml')}: there is no setting {key!r}; did you mean {near}?"
    )


def test_a_key_like_no_other_lists_all() -> None:
    with pytest.raises(DataError, match=r"no setting 'xyzzy'; use one of wavelength, alpha_i, phi"):
        from_table({"xyzzy": 1}, "a.toml")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("wavelength = '1.34'", "wavelength is '1.34'; give a number"),
        ("wavelength = nan", "wavelength is nan; give a number"),
        ("wavelength = true", "wavelength is True; give a number"),
        ("phi = 1.0", "phi is 1.0; give 2 numbers in brackets"),
        ("alpha_f = [0, 1, 2]", r"alpha_f is \[0, 1, 2\]; give 2 numbers in brackets"),
        ("beamstop = [3, 4]", r"beamstop is \[3, 4\]; give 3 numbers in brackets"),
        ("mask = 5", "mask is 5; give rectangles"),
        ("mask = [[1, 2]]", r"mask is \[1, 2\]; give rectangles"),
        ("up = 'north'", "up = 'north' is no side; use one of top, bottom, left, right"),
        ("perpendicular_to = 'me'", "perpendicular_to is 'me'; use one of beam, sample"),
        ("mirror = 1", "mirror = 1 is neither true nor false; use one of these"),
        ("dataset = 3", "dataset is 3; give a path in quotes"),
        ("wavelength = ", "is not valid TOML"),
    ],
)
def test_a_value_of_the_wrong_kind_is_one_sentence(line: str, sentence: str, small: Small) -> None:
    path = small(toml=line + "\n")
    with pytest.raises(DataError, match=f"^{path.with_suffix('.toml')}: {sentence}"):
        load_images(path)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            ImageSettings(wavelength=0.134),
            "wavelength = 0.134 looks like nm, but Å is meant; give wavelength = 1.34.",
        ),
        (ImageSettings(wavelength=1.34e-10), "wavelength = 1.34e-10 looks like m, but Å is meant"),
        (ImageSettings(wavelength=0.0), "wavelength = 0 Å is outside 0.3 to 30 Å; correct it."),
        (
            ImageSettings(alpha_i=0.0035),
            "alpha_i = 0.0035 looks like radians, but degrees is meant; give alpha_i = 0.2005",
        ),
        (ImageSettings(alpha_i=40.0), "alpha_i = 40 looks like mrad"),
        (ImageSettings(alpha_i=-0.2), "alpha_i = -0.2 degrees is outside"),
        (
            ImageSettings(distance=1.73),
            "distance = 1.73 looks like m, but mm is meant; give distance = 1730.",
        ),
        (
            ImageSettings(pixel_size=(172.0, 172.0)),
            "pixel_size = 172 looks like μm, but mm is meant; give pixel_size = 0.172",
        ),
        (ImageSettings(pixel_size=(1.72e-4, 1.72e-4)), "pixel_size = 0.000172 looks like m, but mm is meant"),
        (
            ImageSettings(phi=(-0.0187, 0.0187)),
            "phi = [-0.0187, 0.0187] looks like radians, but degrees are meant; give phi =",
        ),
        (ImageSettings(alpha_f=(0.0, 0.038)), "alpha_f = [0, 0.038] looks like radians"),
        (ImageSettings(phi=(-18.7, 200.0)), "phi = [-18.7, 200] goes beyond 90 degrees"),
        (ImageSettings(phi=(1.0, 1.0)), "phi is the same at both ends"),
    ],
)
def test_wrong_units_are_recognised(settings: ImageSettings, sentence: str) -> None:
    with pytest.raises(DataError) as raised:
        check_units(settings, "a.tif")
    assert str(raised.value).startswith(f"a.tif: {sentence}")


@pytest.mark.parametrize(
    "settings",
    [
        ImageSettings(wavelength=0.62, alpha_i=0.05, distance=300.0, pixel_size=(0.055, 0.055)),
        ImageSettings(wavelength=12.0, alpha_i=1.5, distance=20_000.0, pixel_size=(8.0, 8.0)),
        ImageSettings(phi=(-1.07, 1.07), alpha_f=(0.0, 2.2)),
    ],
)
def test_what_instruments_have_is_plausible(settings: ImageSettings) -> None:
    check_units(settings, "a.tif")


def test_a_header_that_nobody_filled_in_says_nothing() -> None:
    text = "# Pixel_size 172e-6 m x 172e-6 m\n# Wavelength 0.0000 A\n# Beam_xy (0.00, 0.00) pixels\n"
    found = dectris(text + "# Detector_distance 0.00000 m\n")
    assert found.pixel_size == pytest.approx((0.172, 0.172))
    assert replace(found, pixel_size=None) == ImageSettings()


def test_a_header_with_an_energy() -> None:
    assert dectris("# Photon_energy: 9243 eV\n").wavelength == pytest.approx(1.3414, abs=1e-4)
    assert dectris("# Wavelength 0.13414 nm\n").wavelength == pytest.approx(1.3414)


def test_header_and_toml_are_judged_too(small: Small, tmp_path: Path) -> None:
    path = small(toml=ANGLES.replace("1.34", "0.134"))
    with pytest.raises(DataError, match=f"^{path}: wavelength = 0.134 looks like nm"):
        load_images(path)
    np.savez(tmp_path / "a.npz", counts=np.ones((20, 20)), phi=np.linspace(-0.02, 0.02, 20), alpha_i=0.2)
    with pytest.raises(DataError, match=r"phi = \[-0.02, 0.02\] looks like radians"):
        load_images(tmp_path / "a.npz")
