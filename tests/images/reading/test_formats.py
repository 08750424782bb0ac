"""Files as detectors, beamlines and BornAgain write them: counts, geometry and masks come out right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from detectorfiles import (
    DECTRIS_HEADER,
    PILATUS_1M,
    PILATUS_2M,
    pattern,
    pilatus_gaps,
    write_cbf,
    write_dectris_tiff,
)

from sasnet_plugin.images.reading import ImageSettings, is_image, load_images, read_text, to_window

PITCH = float(np.degrees(0.172 / 1730))
BEAM = (
    "# Wavelength 1.3414 A\r\n# Detector_distance 1.73000 m\r\n# Beam_xy (487.50, 800.25) pixels\r\n"
    "# Alpha_i 0.200 deg.\r\n"
)


@pytest.fixture(scope="module")
def galaxi() -> np.ndarray:
    """Counts of a Pilatus 1M at GALAXI's distance: gaps of -1, one bad pixel, hot pixels, a direct beam."""
    rng = np.random.default_rng(1)
    values = pattern(PILATUS_1M, direct=(487.5, 800.25), pitch=PITCH, alpha_i=0.2, counts=3e6, rng=rng)
    values[300, 40], values[500, 700] = 800_000, 30_000
    values[pilatus_gaps(PILATUS_1M)] = -1
    values[30, 30] = -2
    return values


@pytest.mark.parametrize("kind", ["tif", "cbf"])
def test_pilatus_1m_with_a_full_header_needs_nothing_else(
    kind: str, tmp_path: Path, galaxi: np.ndarray
) -> None:
    write = write_dectris_tiff if kind == "tif" else write_cbf
    path = write(tmp_path / f"ag_{kind}.{kind}", galaxi, DECTRIS_HEADER + BEAM)
    (image,) = load_images(path)
    assert is_image(path)
    assert image.counts.shape == PILATUS_1M
    assert image.geometry.wavelength == pytest.approx(1.3414)
    assert image.geometry.alpha_i == pytest.approx(0.2)
    # Row 0 of the image is the lowest, of the file the highest.
    good = image.mask[::-1]
    assert not good[pilatus_gaps(PILATUS_1M)].any()
    assert not good[[30, 300, 500], [30, 40, 700]].any()
    assert np.count_nonzero(~good) == np.count_nonzero(pilatus_gaps(PILATUS_1M)) + 3
    assert np.array_equal(image.counts[::-1][good], galaxi[good])
    assert image.geometry.alpha_f[PILATUS_1M[0] - 1 - 800] == pytest.approx(-0.2 + 0.25 * PITCH, abs=1e-6)
    assert np.interp(487.5, np.arange(981), image.geometry.phi) == pytest.approx(0.0, abs=1e-9)
    peaks = to_window(image, phi=(-1.07, 1.07), alpha_f=(0.0, 2.2), shape=(64, 64))
    band = np.where(peaks.mask, peaks.counts, 0.0)[3:9].sum(axis=0)
    right = np.argmax(np.where(peaks.geometry.phi > 0.25, band, 0.0))
    assert peaks.geometry.phi[right] == pytest.approx(0.5, abs=0.035)


def test_galaxi_as_it_is_written_has_no_beam_in_its_header(tmp_path: Path, galaxi: np.ndarray) -> None:
    """Dectris' own lines and a TOML file for the rest; the gaps are zero where no -1 was written."""
    values = np.maximum(galaxi, 0)
    path = write_dectris_tiff(tmp_path / "ag.tif", values)
    toml = "wavelength = 1.3414\nalpha_i = 0.2\ndistance = 1730\ndirect_beam = [487.5, 800.25]\n"
    path.with_suffix(".toml").write_text(toml, encoding="utf-8")
    (image,) = load_images(path)
    assert not image.mask[::-1][pilatus_gaps(PILATUS_1M)].any()
    assert any(
        note.startswith("Gaps between the modules of the Pilatus detector excluded") for note in image.notes
    )
    assert any(note.startswith("Hot and excluded: 2 pixels") for note in image.notes)
    options = ImageSettings(wavelength=1.5, alpha_i=0.3)
    (other,) = load_images(path, options)
    assert (other.geometry.wavelength, other.geometry.alpha_i) == (1.5, 0.3)


def test_gaps_that_were_filled_in_are_kept(tmp_path: Path, rng: np.random.Generator) -> None:
    values = pattern(PILATUS_1M, direct=(487.5, 800.25), pitch=PITCH, alpha_i=0.2, counts=3e6, rng=rng) + 1
    (image,) = load_images(write_dectris_tiff(tmp_path / "ag.tif", values, DECTRIS_HEADER + BEAM))
    assert image.mask.all()
    assert any("hold counts and are kept" in note for note in image.notes)


def test_pilatus_2m_cbf_on_its_side_with_a_beamstop(tmp_path: Path, rng: np.random.Generator) -> None:
    """An in-situ frame: the sample stands upright, its normal points to the left of the picture.

    Its corners are so far out that it is resampled.
    """
    upright = pattern(PILATUS_2M[::-1], direct=(900.0, 1200.0), pitch=PITCH, alpha_i=0.4, counts=2e7, rng=rng)
    values = np.rot90(upright).copy()
    direct = (1200.0, 1679 - 1 - 900.0)
    values[pilatus_gaps(PILATUS_2M)] = -1
    header = f"{DECTRIS_HEADER}# Wavelength 0.9918 A\r\n# Detector_distance 1.73 m\r\n# Beam_xy {direct}\r\n"
    path = write_cbf(tmp_path / "ag_00001.cbf", values, header)
    stop = (direct[0] - 140, direct[1], 20.0)
    (image,) = load_images(path, ImageSettings(alpha_i=0.4, up="left", beamstop=stop))
    assert image.geometry.alpha_f[0] == pytest.approx(-0.4 - 274.5 * PITCH, abs=0.01)
    assert image.geometry.phi[-1] == pytest.approx(778.5 * PITCH, abs=0.02)
    assert image.counts.sum() == pytest.approx(values[values > 0].sum(), rel=0.05)
    window = to_window(image, phi=(-1.07, 1.07), alpha_f=(0.0, 2.2), shape=(64, 64))
    # The beamstop, 140 pixels above the direct beam, hides phi 0 at alpha_f 0.4; the rod shows above it.
    row = int(np.argmin(np.abs(window.geometry.alpha_f - (140 * PITCH - 0.4))))
    assert not window.mask[row, 31:33].any()
    assert window.mask[row + 6, 24:55].all()
    above = window.counts[row + 6]
    assert above[31:33].min() > 2 * above[[26, 37]].max()
    assert window.mask.mean() > 0.85


@pytest.mark.parametrize("dtype", ["float32", "uint16", "int32"])
def test_edf_in_the_esrf_convention(dtype: str, tmp_path: Path, rng: np.random.Generator) -> None:
    from fabio.edfimage import EdfImage

    values = pattern((90, 80), direct=(40, 70), pitch=0.03, alpha_i=0.2, counts=1e5, rng=rng).astype(dtype)
    header = {
        "WaveLength": "1.0332e-10",
        "SampleDistance": "2.5",
        "PSize_1": "0.0005",
        "PSize_2": "0.0005",
        "Center_1": "40.5",
        "Center_2": "70.5",
    }
    image = EdfImage(data=values, header=header)
    image.append_frame(data=values + values, header=header)
    image.write(str(tmp_path / "a.edf"))
    first, second = load_images(tmp_path / "a.edf", ImageSettings(alpha_i=0.15))
    assert first.geometry.wavelength == pytest.approx(1.0332)
    assert (first.geometry.phi[40], first.geometry.alpha_f[90 - 1 - 70]) == pytest.approx(
        (0.0, -0.15), abs=1e-9
    )
    assert np.array_equal(second.counts, 2 * first.counts)
    assert (first.entry, second.entry) == ("frame 1", "frame 2")
    assert load_images(tmp_path / "a.edf", ImageSettings(alpha_i=0.15), entry=2)[0].entry == "frame 2"


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_of_floats_from_a_script(
    compression: str | None, tmp_path: Path, rng: np.random.Generator
) -> None:
    import tifffile

    values = rng.gamma(2.0, 3.0, (70, 50)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, compression=compression)
    settings = ImageSettings(wavelength=1.34, alpha_i=0.2, phi=(-1.07, 1.07), alpha_f=(2.2, 0.0))
    (image,) = load_images(tmp_path / "a.tif", settings)
    assert np.array_equal(image.counts, values[::-1])
    assert (
        image.geometry.phi[0],
        image.geometry.phi[-1],
        image.geometry.alpha_f[0],
        image.geometry.alpha_f[-1],
    ) == (-1.07, 1.07, 0.0, 2.2)
    assert (
        "The values are not whole numbers; their scatter may differ from counting statistics." in image.notes
    )


def _bornagain_int(path: Path, values: np.ndarray, axes: tuple[str, str]) -> Path:
    """BornAgain's ``.int``: two axes, then one column of the picture a line."""
    lines = ["# BornAgain Intensity Data", "", "# axis-0", axes[0], "", "# axis-1", axes[1], "", "# data"]
    lines += [" ".join(f"{value:.15e}" for value in column) for column in values.T]
    lines += ["", "# errorbars", *(" ".join("1.0" for _ in column) for column in values.T), ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "axes",
    [
        ('EquiDivision("phi_f (rad)", 20, -0.02, 0.02)', 'EquiDivision("alpha_f (rad)", 10, 0, 0.04)'),
        (
            'EquiDivision("phi_f (deg)", 20, -1.1459155902616465, 1.1459155902616465)',
            f'ListScan("alpha_f (rad)", [{", ".join(str(0.002 + 0.004 * i) for i in range(10))}])',
        ),
    ],
)
def test_bornagain_int_with_axes_of_any_kind(
    axes: tuple[str, str], tmp_path: Path, rng: np.random.Generator
) -> None:
    values = rng.gamma(1.0, 1e3, (10, 20))
    path = _bornagain_int(tmp_path / "a.int", values, axes)
    (image,) = load_images(path, ImageSettings(wavelength=1.34, alpha_i=0.2))
    assert is_image(path)
    assert np.allclose(image.counts, values, rtol=1e-12)
    assert np.allclose(np.radians(image.geometry.phi), -0.02 + 0.002 * (np.arange(20) + 0.5))
    assert np.allclose(np.radians(image.geometry.alpha_f), 0.004 * (np.arange(10) + 0.5))


def test_bornagain_25_reference_file_of_its_own_detector(tmp_path: Path, rng: np.random.Generator) -> None:
    import bornagain
    from bornagain import ba_check, deg

    detector = bornagain.SphericalDetector(24, -1.07 * deg, 1.07 * deg, 16, 0.0, 2.2 * deg)
    field = bornagain.Datafield(detector.frame())
    for index in range(field.size()):
        field.setAt(index, float(rng.gamma(1.0, 100.0)))
    ba_check._write_datafield(field, str(tmp_path / "a.int.gz"))
    (image,) = load_images(tmp_path / "a.int.gz", ImageSettings(wavelength=1.34, alpha_i=0.2))
    assert np.allclose(image.counts, field.intensities())
    assert np.allclose(np.radians(image.geometry.phi), detector.axis(0).binCenters())
    assert np.allclose(np.radians(image.geometry.alpha_f), detector.axis(1).binCenters())


def test_bornagain_table_with_axes_in_its_comments(tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.gamma(1.0, 10.0, (9, 12))
    header = (
        "BornAgain Intensity Data\n"
        'axis-0 (columns): EquiDivision("phi_f (rad)", 12, -0.02, 0.02)\n'
        'axis-1 (rows): EquiDivision("alpha_f (rad)", 9, 0, 0.04)'
    )
    np.savetxt(tmp_path / "a.csv", values, header=header)
    frame = read_text(tmp_path / "a.csv", "a.csv")
    assert np.allclose(frame.values, values)
    assert frame.geometry.phi == pytest.approx(np.degrees([-0.02 + 0.02 / 12, 0.02 - 0.02 / 12]))


def test_plain_table_and_numpy_files_of_a_script(tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.poisson(30.0, (16, 12))
    phi, alpha_f = np.linspace(-1, 1, 12), np.linspace(0.1, 2, 16)
    np.savetxt(tmp_path / "a.txt", values)
    np.savez(tmp_path / "b.npz", intensity=values, phi=phi, alpha_f=alpha_f, wavelength=1.34, alpha_i=0.2)
    np.savez(tmp_path / "c.npz", counts=np.stack([values, values + 1]), mask=values < 40)
    settings = ImageSettings(wavelength=1.34, alpha_i=0.2, phi=(-1, 1), alpha_f=(0.1, 2))
    (a,), (b,) = load_images(tmp_path / "a.txt", settings), load_images(tmp_path / "b.npz")
    first, second = load_images(tmp_path / "c.npz", settings)
    for image in (a, b, first):
        assert np.allclose(image.geometry.phi, phi)
        assert np.allclose(image.geometry.alpha_f, alpha_f)
        assert np.array_equal(image.counts[image.mask], values[image.mask])
    assert np.array_equal(first.mask, values < 40)
    assert np.array_equal(second.counts[second.mask], (values + 1)[second.mask])


def test_curves_are_no_images(tmp_path: Path, example_data: Path) -> None:
    assert not any(is_image(path) for path in example_data.iterdir() if path.is_file())
