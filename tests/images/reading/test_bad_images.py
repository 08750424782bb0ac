"""Bad input: one sentence that names the file, says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from detectorfiles import pattern, write_cbf, write_dectris_tiff

from sasnet_plugin.data.toml_files import overlay_settings
from sasnet_plugin.domains import ReadOptions, specification
from sasnet_plugin.images.reading import ImageSettings, load_images
from sasnet_plugin.types import DataError

Small = Callable[..., Path]
ANGLES = ImageSettings(wavelength=1.34, alpha_i=0.2, phi=(-1.0, 1.0), alpha_f=(1.5, -0.3))
PITCH = float(np.degrees(1 / 2000))


def _sentence(path: Path, settings: ImageSettings | None = None) -> str:
    """What the user is told, after the file's name; one sentence."""
    with pytest.raises(DataError) as raised:
        load_images(path, settings)
    text = str(raised.value)
    assert text.startswith(f"{path}"), text
    assert text.count("\n") == 0
    assert text.endswith(".")
    assert ". " not in text.removeprefix(str(path))
    assert ";" in text, "the sentence says what to do"
    return text.removeprefix(f"{path}").lstrip(": ")


def _upright(rng: np.random.Generator, counts: float = 2e5) -> np.ndarray:
    return pattern((64, 64), direct=(32, 55), pitch=PITCH, alpha_i=0.2, counts=counts, rng=rng)


def test_no_geometry(small: Small) -> None:
    text = _sentence(small(toml=None))
    assert text.startswith(
        "its geometry lacks wavelength (Å), alpha_i (degrees), distance (mm), pixel_size (mm),"
    )
    assert "small.toml next to the image" in text
    assert "or phi and alpha_f" in text


def test_a_part_of_the_geometry_is_missing(small: Small) -> None:
    assert _sentence(small(toml="phi = [-1.0, 1.0]\nalpha_f = [1.5, -0.3]\nalpha_i = 0.2\n")).startswith(
        "its geometry lacks wavelength (Å); give it in"
    )
    toml = "wavelength = 1.0\nalpha_i = 0.2\ndistance = 2000\npixel_size = 1\n"
    assert _sentence(small(toml=toml)).startswith("its geometry lacks direct_beam [column, row]; give it in")


def test_all_zero(small: Small) -> None:
    assert _sentence(small(np.zeros((64, 64)))).startswith(
        "every pixel is zero; check that the shutter was open"
    )


def test_all_masked(small: Small) -> None:
    assert _sentence(small(np.full((64, 64), -1))).startswith("every pixel is masked")


def test_saturated(small: Small, tmp_path: Path, rng: np.random.Generator) -> None:
    import tifffile

    values = np.minimum(_upright(rng, 3e8), 65535).astype(np.uint16)
    tifffile.imwrite(tmp_path / "bright.tif", values)
    text = _sentence(tmp_path / "bright.tif", ANGLES)
    assert "of the pixels are saturated at 65535 counts; measure again with an attenuator" in text


@pytest.mark.parametrize(
    "values", [np.arange(100.0), np.ones((3, 200)), np.ones((2, 3, 40, 40)), np.float64(3.0)]
)
def test_wrong_shape(values: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values)
    assert "not rows and columns of counts; give a 2D image." in _sentence(tmp_path / "a.npy", ANGLES)


def test_a_colour_picture(tmp_path: Path, rng: np.random.Generator) -> None:
    import tifffile

    tifffile.imwrite(
        tmp_path / "a.tif", rng.integers(0, 255, (60, 50, 3)).astype(np.uint8), photometric="rgb"
    )
    assert (
        _sentence(tmp_path / "a.tif", ANGLES) == "this is a colour picture; give the detector's own counts."
    )


def test_mask_of_another_shape(small: Small, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.zeros((64, 60)))
    path = small()
    settings = ImageSettings(mask_file=str(tmp_path / "m.npy"))
    with pytest.raises(
        DataError, match=r"m.npy: the mask has 64 rows and 60 columns, the image .*small.tif 64 and 64"
    ):
        load_images(path, settings)


def test_mask_of_the_same_shape_is_applied(small: Small, tmp_path: Path) -> None:
    left_out = np.zeros((64, 64), dtype=np.uint8)
    left_out[10, 20] = 1
    np.save(tmp_path / "m.npy", left_out)
    (image,) = load_images(small(), ImageSettings(mask_file=str(tmp_path / "m.npy")))
    assert [tuple(at) for at in np.argwhere(~image.mask)] == [(64 - 1 - 10, 20)]


@pytest.mark.parametrize("quarters", [1, 3])
def test_turned_by_90_degrees_told_by_the_horizon(
    quarters: int, small: Small, rng: np.random.Generator
) -> None:
    """The picture is turned, the settings are those of an upright one."""
    centred = pattern((64, 64), direct=(32, 31), pitch=PITCH, alpha_i=0.2, counts=2e5, rng=rng)
    path = small(np.rot90(centred, quarters))
    settings = ImageSettings(direct_beam=(32.0, 32.0))
    assert _sentence(path, settings).startswith(
        "the image seems to be turned by 90 degrees, its horizon is upright;"
    )
    up = "left" if quarters == 1 else "right"
    assert load_images(path, ImageSettings(direct_beam=(32.0, 32.0), up=up))[0].counts.sum() > 1e5


def _above_the_horizon(rng: np.random.Generator) -> np.ndarray:
    """The window of the network, phi -1.07 to 1.07 and alpha_f 0 to 2.2, the lowest row first."""
    return pattern((64, 64), direct=(31.5, 69.0), pitch=0.0344, alpha_i=0.2, counts=1e5, rng=rng)[::-1]


@pytest.mark.parametrize("quarters", [1, 3])
def test_turned_by_90_degrees_told_by_symmetry(
    quarters: int, tmp_path: Path, rng: np.random.Generator
) -> None:
    window = ImageSettings(wavelength=1.34, alpha_i=0.2, phi=(-1.07, 1.07), alpha_f=(0.0, 2.2))
    values = _above_the_horizon(rng)
    np.save(tmp_path / "upright.npy", values)
    assert load_images(tmp_path / "upright.npy", window)[0].mask.all()
    np.save(tmp_path / "turned.npy", np.rot90(values, quarters))
    text = _sentence(tmp_path / "turned.npy", window)
    assert text.startswith(
        "the image seems to be turned by 90 degrees, alike up and down but not left and right;"
    )


def test_upside_down(small: Small, tmp_path: Path, rng: np.random.Generator) -> None:
    """Ends of alpha_f exchanged, with the horizon in the picture and with the lowest row at alpha_f = 0."""
    exchanged = ImageSettings(wavelength=1.34, alpha_i=0.2, phi=(-1.0, 1.0), alpha_f=(-0.3, 1.5))
    path = small(_upright(rng), toml=None)
    assert load_images(path, ANGLES)[0].mask.all()
    assert _sentence(path, exchanged).startswith("the image seems to be upside down")
    turned = overlay_settings(ImageSettings(up="bottom"), exchanged)
    assert np.array_equal(load_images(path, turned)[0].counts, load_images(path, ANGLES)[0].counts[:, ::-1])


def test_who_says_what_is_up_is_believed(small: Small, rng: np.random.Generator) -> None:
    centred = pattern((64, 64), direct=(32, 31), pitch=PITCH, alpha_i=0.2, counts=2e5, rng=rng)
    settings = ImageSettings(direct_beam=(32.0, 32.0), up="top")
    (image,) = load_images(small(np.rot90(centred)), settings)
    assert any("seems to be turned by 90 degrees" in note and "up = 'top'" in note for note in image.notes)


def test_too_few_counts_to_tell_is_a_note(small: Small, rng: np.random.Generator) -> None:
    (image,) = load_images(small(np.rot90(_upright(rng, 300))))
    assert "Too few counts to check whether the image is upright." in image.notes


def test_one_side_without_a_horizon_is_a_note(tmp_path: Path, rng: np.random.Generator) -> None:
    np.save(tmp_path / "a.npy", _above_the_horizon(rng)[:, 40:])
    settings = ImageSettings(wavelength=1.34, alpha_i=0.2, phi=(0.3, 1.07), alpha_f=(0.0, 2.2))
    (image,) = load_images(tmp_path / "a.npy", settings)
    assert "The image shows no horizon, so a rotation by 90 degrees cannot be detected." in image.notes


def test_flat_background_and_one_bright_beam_are_not_called_turned(
    small: Small, rng: np.random.Generator
) -> None:
    values = rng.poisson(20.0, (64, 64))
    values[54:57, 31:34] = 100_000
    (image,) = load_images(small(values))
    assert image.mask.all()


def test_all_below_the_horizon(small: Small) -> None:
    assert _sentence(small(), ImageSettings(direct_beam=(32.0, -40.0))).startswith(
        "the whole image lies below the sample's horizon"
    )


def test_specular_beam_against_up(small: Small) -> None:
    settings = ImageSettings(specular_beam=(32.0, 41.0), up="left")
    assert _sentence(small(), settings).startswith(
        "the specular beam is on the top side of the direct beam, but up"
    )


def test_beams_that_disagree_with_alpha_i_and_a_tilt_are_notes(small: Small) -> None:
    (image,) = load_images(small(), ImageSettings(specular_beam=(34.0, 27.0)))
    assert any("give alpha_i = 0.401 degrees; 0.2 was used" in note for note in image.notes)
    assert any("tilted by 4.1 degrees about the beam" in note for note in image.notes)


_CUT = "the file is damaged or cut short; copy it again from its source."


@pytest.mark.parametrize("kind", ["tif", "cbf", "edf", "h5", "npz", "npy", "int.gz"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.98])
def test_truncated(kind: str, part: float, tmp_path: Path, rng: np.random.Generator) -> None:
    values = _upright(rng)
    path = tmp_path / f"a.{kind}"
    if kind == "tif":
        write_dectris_tiff(path, values)
    elif kind == "cbf":
        write_cbf(path, values)
    elif kind == "edf":
        from fabio.edfimage import EdfImage

        EdfImage(data=values).write(str(path))
    elif kind == "h5":
        with h5py.File(path, "w") as file:
            file["data"] = values
    elif kind == "npz":
        np.savez(path, counts=values)
    elif kind == "npy":
        np.save(path, values)
    else:
        import gzip

        path.write_bytes(
            gzip.compress(("# data\n" + "\n".join(" ".join(map(str, r)) for r in values)).encode())
        )
    assert load_images(path, ANGLES)[0].counts.shape == (64, 64)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    assert _sentence(path, ANGLES) == _CUT


def test_a_cbf_with_one_wrong_byte_is_damaged(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_cbf(tmp_path / "a.cbf", _upright(rng))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    assert _sentence(path, ANGLES) == _CUT


@pytest.mark.parametrize("gone", [b"\x0c\x1a\x04\xd5", b"X-Binary-Size:", b"--CIF-BINARY-FORMAT-SECTION--"])
def test_a_cbf_with_a_damaged_header_is_damaged(
    gone: bytes, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = write_cbf(tmp_path / "a.cbf", _upright(rng))
    path.write_bytes(path.read_bytes().replace(gone, b"?"))
    assert _sentence(path, ANGLES) == _CUT


def test_a_table_that_breaks_off(tmp_path: Path, rng: np.random.Generator) -> None:
    np.savetxt(tmp_path / "a.txt", _upright(rng), fmt="%d")
    text = (tmp_path / "a.txt").read_text(encoding="utf-8")
    (tmp_path / "a.txt").write_text(text[: len(text) // 2].rsplit(" ", 3)[0] + "\n", encoding="utf-8")
    assert "truncated or not an image" in _sentence(tmp_path / "a.txt", ANGLES)
    axes = '# axis-0\nEquiDivision("phi_f (rad)", 64, -0.02, 0.02)\n'
    axes += '# axis-1\nEquiDivision("alpha_f (rad)", 64, 0, 0.04)\n'
    (tmp_path / "a.int").write_text(f"{axes}# data\n{text[: len(text) // 2]}", encoding="utf-8")
    assert "its axes need 64 x 64" in _sentence(tmp_path / "a.int", ANGLES)


def test_axes_of_wave_vectors_are_refused(tmp_path: Path) -> None:
    axes = '# axis-0\nEquiDivision("q_y (1/nm)", 10, -1, 1)\n# axis-1\nEquiDivision("q_z (1/nm)", 10, 0, 2)\n'
    (tmp_path / "a.int").write_text(f"{axes}# data\n" + "1 2 3 4 5 6 7 8 9 10\n" * 10, encoding="utf-8")
    assert _sentence(tmp_path / "a.int").startswith(
        "its axis 'q_y (1/nm)' is not an angle; export the image against phi_f"
    )


def test_unreadable(tmp_path: Path, rng: np.random.Generator) -> None:
    (tmp_path / "junk.tif").write_bytes(rng.bytes(5000))
    (tmp_path / "junk.bin").write_bytes(b"\x00\x01" + rng.bytes(5000))
    (tmp_path / "empty.tif").write_bytes(b"")
    (tmp_path / "words.txt").write_text("Dear colleague, here are the data\n", encoding="utf-8")
    assert _sentence(tmp_path / "junk.tif") == "this image format is unknown; give TIFF, CBF, EDF or HDF5."
    assert _sentence(tmp_path / "junk.bin") == "this image format is unknown; give TIFF, CBF, EDF or HDF5."
    assert _sentence(tmp_path / "empty.tif") == "the file is empty; give a detector image."
    assert _sentence(tmp_path / "none.tif") == "there is no such file; check the path."
    assert _sentence(tmp_path).startswith("this is a directory;")
    assert _sentence(tmp_path / "words.txt", ANGLES).startswith("a line of its table is not numeric")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
@pytest.mark.parametrize("domain", ["gisas_hex", "sans2d", "diffraction", "xray_tags"])
def test_a_picture_for_the_eye_is_named_whatever_is_asked_of_it(
    kind: str, domain: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    from PIL import Image as Picture

    path = tmp_path / f"a.{kind.lower()}"
    Picture.fromarray(rng.integers(0, 255, (90, 80), np.uint8)).save(path, format=kind)
    with pytest.raises(DataError, match=f"this is a {kind} image, a picture without detector counts"):
        list(specification(domain).read(str(path), ReadOptions()))


def test_hdf5_without_images(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(10.0)
    assert _sentence(tmp_path / "a.h5", ANGLES).startswith("the HDF5 file holds no 2D image; give its path")
    assert _sentence(tmp_path / "a.h5", ImageSettings(dataset="y")).startswith(
        "there is no dataset 'y' in the file"
    )
    assert _sentence(tmp_path / "a.h5", ImageSettings(dataset="x")).startswith(
        "dataset 'x' is not a 2D image"
    )


def test_no_such_frame(small: Small) -> None:
    with pytest.raises(DataError, match="there is no frame 3; the file holds 1"):
        load_images(small(), entry=3)
