"""Every format of small-angle-scattering images gives the same image; a bad file gives a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sansfiles import SETTING, columns, ill, nist, nxcansas, quokka, scene, sinq

from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.images.recognition import rate_sans as recognise
from sasnet_plugin.images.sans.reading import beamstop, find_centre, read, read_text_file
from sasnet_plugin.types import DataError, Image


def the(path: Path, *geometry: str) -> Image:
    (found,) = read(path, ReadOptions(geometry=geometry))
    return found


@pytest.mark.parametrize(
    "write",
    [
        nist,
        columns,
        sinq,
        quokka,
        nxcansas,
        lambda p: nxcansas(p, stacked=True),
        lambda p: nist(p, axes=True),
    ],
)
def test_each_format_is_the_same_image(write: Callable[[Path], Path], tmp_path: Path) -> None:
    path = write(tmp_path / "one.dat")
    assert recognise(path) == 1
    found, (geometry, counts) = the(path), scene()
    assert found.counts.shape == counts.shape
    assert found.geometry.q == pytest.approx(geometry.q, abs=3e-4)
    ratio = found.counts[found.mask] / np.maximum(counts[found.mask], 1)
    assert np.median(ratio) == pytest.approx(1 if ratio.max() > 0.5 else 0.01, rel=0.02)
    # The beamstop's shadow is left out, by the file's own column or as it is dark.
    assert found.geometry.q[found.mask].min() > 4 * 5 / 8000 * SETTING.k
    assert 0.93 < found.mask.mean() < 0.99


def test_sigma_along_the_axes_is_turned_into_that_along_q(tmp_path: Path) -> None:
    both = [the(nist(tmp_path / f"{axes}.dat", axes=axes)).geometry for axes in (False, True)]
    assert both[1].along == pytest.approx(both[0].along, rel=0.02)
    assert both[1].across == pytest.approx(both[0].across, rel=0.03)
    assert both[0].setting.collimation == 8000


def _bad_corner() -> np.ndarray:
    """A mask of pixels that only a file can know of: they scatter like their neighbours."""
    bad = np.zeros((64, 64), dtype=bool)
    bad[10:20, 40:50] = True
    return bad


@pytest.mark.parametrize("shape", [(64, 64), (4096,), (1, 4096), (1, 64, 64)])
@pytest.mark.parametrize("name", ["mask", "bad_pixels"])
def test_a_mask_of_nxcansas_counts_in_any_shape(tmp_path: Path, shape: tuple[int, ...], name: str) -> None:
    import h5py

    path = nxcansas(tmp_path / "a.h5")
    with h5py.File(path, "a") as opened:
        group = opened["sasentry01/sasdata"]
        group[name], group.attrs["mask"] = _bad_corner().reshape(shape), name
    found = the(path)
    assert not found.mask[_bad_corner()].any()
    assert found.mask[~_bad_corner()].mean() > 0.93
    with h5py.File(path, "a") as opened:
        del opened[f"sasentry01/sasdata/{name}"]
        opened[f"sasentry01/sasdata/{name}"] = np.zeros((32, 128))
    with pytest.raises(DataError, match=r"has the shape \(32, 128\), and I has \(64, 64\)"):
        the(path)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("kind", ["along q", "along the axes", "all directions"])
def test_resolutions_of_nxcansas_are_read_whatever_the_axes_mean(
    tmp_path: Path, kind: str, *, flat: bool
) -> None:
    import h5py

    geometry, _ = scene()
    qx, qy, spread, selector = geometry.qx, geometry.qy, 0.0008, 0.04
    along, across = np.sqrt(spread**2 + (selector * geometry.q) ** 2), np.full(qx.shape, spread)
    columns = {
        "along q": (along, across),
        "along the axes": tuple(np.sqrt(spread**2 + (selector * q) ** 2) for q in (qx, qy)),
        "all directions": (along, along),
    }[kind]
    path = nxcansas(tmp_path / "a.h5")
    with h5py.File(path, "a") as opened:
        group = opened["sasentry01/sasdata"]
        for axis, values in zip("xy", columns, strict=True):
            group[f"width{axis}"] = 10 * (values.ravel() if flat else values)  # in 1/nm, as its Qx
            group[f"Q{axis}"].attrs["resolutions"] = f"width{axis}"
    found = the(path)
    np.testing.assert_allclose(found.geometry.along, along, rtol=0.01)
    np.testing.assert_allclose(
        found.geometry.across, along if kind == "all directions" else across, rtol=0.01
    )
    assert any("along and across q" in note for note in found.notes)


def test_a_resolution_that_is_not_used_is_reported(tmp_path: Path) -> None:
    import h5py

    path = nxcansas(tmp_path / "a.h5")
    with h5py.File(path, "a") as opened:
        opened["sasentry01/sasdata/dQx"] = opened["sasentry01/sasdata/dQy"] = np.full(12, 0.01)
    found = the(path)
    assert found.geometry.along is None
    assert any("dQx and dQy have another shape" in note for note in found.notes)


@pytest.mark.parametrize("named", [True, False])
def test_a_column_of_masked_pixels_counts(tmp_path: Path, *, named: bool) -> None:
    path = nist(tmp_path / "a.dat")
    plain, lines = the(path), path.read_text().splitlines()
    marks = iter(_bad_corner().ravel().astype(int))
    lines[5] += " - Mask"
    lines[8:] = [f"{line}\t{next(marks)}" for line in lines[8:]]
    path.write_text("\n".join(lines if named else ["ASCII data", *lines[8:]]) + "\n")
    found = the(path)
    np.testing.assert_array_equal(found.mask, plain.mask & ~_bad_corner())
    np.testing.assert_allclose(found.geometry.along, plain.geometry.along)
    assert named or "NIST's order" in found.notes[0]


def test_what_sasdata_writes_as_nxcansas_is_the_image_that_it_has_read(tmp_path: Path) -> None:
    from sasdata.dataloader.loader import Loader
    from sasdata.file_converter.nxcansas_writer import NXcanSASWriter

    path, written = nist(tmp_path / "a.dat"), tmp_path / "a.h5"
    lines, marks = path.read_text().splitlines(), iter(_bad_corner().ravel().astype(int))
    lines[5] += " - Mask"
    lines[8:] = [f"{line}\t{next(marks)}" for line in lines[8:]]
    path.write_text("\n".join(lines) + "\n")
    NXcanSASWriter().write(Loader().load(str(path)), str(written))
    first, second = the(path), the(written)
    np.testing.assert_allclose(second.geometry.along, first.geometry.along, rtol=1e-6)
    np.testing.assert_allclose(second.geometry.across, first.geometry.across, rtol=1e-6)
    assert not second.mask[_bad_corner()].any()
    # sasdata does not read the column of the beamstop's shadow, which is found anew.
    assert np.mean(second.mask != first.mask) < 0.01


@pytest.mark.parametrize(
    ("unit", "edges"), [("Angstrom^-1", "both"), ("1/Angstrom", "x"), ("1/A", "none"), ("nm^-1", "lower")]
)
def test_text_of_isis_is_an_image(tmp_path: Path, unit: str, edges: str) -> None:
    rng, step = np.random.default_rng(3), 0.01
    middles, lines = (np.arange(32) - 15.5) * step, [" LOQ Mon 01-JAN-2024 Workspace: spheres"]
    qx, qy = np.meshgrid(middles, middles)
    expected = (
        100 * np.exp(-((qx - 0.3 * qy) ** 2 + qy**2) * 20**2 / 3) + 1
    )  # unlike with qx and qy exchanged
    error = 0.05 * np.sqrt(expected)
    values = expected + error * rng.normal(size=expected.shape)
    values[3, 5] = error[3, 5] = np.nan
    factor, borders = (10 if unit == "nm^-1" else 1), (np.arange(33) - 16) * step
    axes = {
        "both": (borders, borders), "x": (borders, middles), "none": (middles, middles),
        "lower": (borders, borders[:-1]),
    }[edges]  # fmt: skip
    lines += [f"  6 q ({unit})"] * 2 + ["  0 I(q) (cm-1)", "  2", " a title", " 12 34 56"]
    for axis in axes:
        rows = np.array_split(axis * factor, 5)
        lines += [f"  {axis.size}", *(" " + " ".join(f"{x:.6e}" for x in row) for row in rows)]
    lines += ["   32   32  1.000000000000e+00", "  3(8E12.4)"]
    for array in (values, error):
        flat = ["   -nan(ind)" if np.isnan(x) else f"{x:12.4e}" for x in array.ravel()]
        lines += ["".join(flat[k : k + 8]) for k in range(0, 1024, 8)]
    path = tmp_path / "a.txt"
    path.write_text("\n".join(lines) + "\n")
    assert recognise(path) == 1
    found = the(path)
    np.testing.assert_allclose(found.geometry.qx, qx, atol=1e-7)
    np.testing.assert_allclose(found.geometry.qy, qy, atol=1e-7)
    assert not found.mask[3, 5]
    np.testing.assert_allclose(found.counts[found.mask], values[found.mask], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.geometry.error[found.mask], error[found.mask], rtol=1e-3)
    path.write_text("\n".join(lines[:-9]) + "\n")
    with pytest.raises(DataError, match="ends before all of its values"):
        the(path)


def test_ill_finds_the_centre_and_turns_the_tubes_upright(tmp_path: Path) -> None:
    found = the(ill(tmp_path / "a.nxs"))
    row, column = np.unravel_index(np.argmin(found.geometry.q), found.counts.shape)
    assert abs(row - 47) <= 1
    assert abs(column - 30) <= 1
    assert found.geometry.setting.spread == pytest.approx(0.1)
    assert any("centre was found" in note for note in found.notes)


def test_a_plain_image_takes_its_geometry_from_beside_or_from_options(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, scene()[1])
    with pytest.raises(
        DataError, match=r"its geometry lacks wavelength \(Å\), distance \(mm\), pixel_size \(mm\); give"
    ):
        the(path)
    (tmp_path / "a.toml").write_text("wavelength = 6.0\ndistance = 8000\npixel_size = 5\n")
    found = the(path, "direct_beam=[30,33]")
    assert found.geometry.q == pytest.approx(scene()[0].q)
    with pytest.raises(DataError, match=r"distance = 8 looks like m, but mm is meant; give distance = 8000"):
        the(path, "distance=8")
    with pytest.raises(DataError, match="did you mean wavelength"):
        the(path, "wavelenght=6")


def test_bad_files_give_a_sentence(tmp_path: Path) -> None:
    path = columns(tmp_path / "a.dat")
    text = path.read_text()
    cases = {
        "ASCII data\n": "no line of numbers follows",
        text[: len(text) // 300]: "only .* pixels hold values",
        text.replace("1", "x", 5000): "different numbers of values|no line of numbers",
        sinq(tmp_path / "b.dat").read_text()[:3000]: "pixels instead of 4096",
    }
    for number, (content, sentence) in enumerate(cases.items()):
        bad = tmp_path / f"bad{number}.dat"
        bad.write_text(content)
        with pytest.raises(DataError, match=sentence) as error:
            the(bad)
        assert str(error.value).startswith(str(bad))
        assert "\n" not in str(error.value)
    cut = tmp_path / "cut.h5"
    cut.write_bytes(nxcansas(tmp_path / "c.h5").read_bytes()[:5000])
    with pytest.raises(DataError, match="damaged or cut short"):
        the(cut)


def test_lines_that_end_in_two_carriage_returns_and_points_without_an_error(tmp_path: Path) -> None:
    path = columns(tmp_path / "a.dat")
    plain = the(path)
    lines = path.read_text().splitlines()
    lines[2:4] = [" ".join([*line.split()[:3], "nan"]) for line in lines[2:4]]
    path.write_bytes("\r\r\n".join(lines).encode())
    found = the(path)
    assert plain.mask.sum() - found.mask.sum() == 2
    np.testing.assert_array_equal(found.counts[found.mask], plain.counts[found.mask])


@pytest.mark.parametrize("cut", ["in a number", "in a line", "after a line", "lacks a value"])
def test_a_file_that_ends_within_a_row_keeps_its_whole_rows_and_says_so(tmp_path: Path, cut: str) -> None:
    path = columns(tmp_path / "a.dat")
    whole, lines = read_text_file(path, "a.dat"), path.read_text().splitlines()
    width = whole.values.shape[1]
    kept = lines[: 2 + 40 * width + 7]  # seven points of the 41st row
    last = {"in a number": kept[-1][:-6], "in a line": kept[-1].rsplit(" ", 1)[0]}.get(cut, f"{kept[-1]}\n")
    last = f"{kept[-1].rsplit(' ', 1)[0]}\n" if cut == "lacks a value" else last
    path.write_text("\n".join([*kept[:-1], last]))
    found = read_text_file(path, "a.dat")
    np.testing.assert_array_equal(found.values, whole.values[:40])
    (note,) = found.notes
    assert "ends within a row of the image" in note
    assert f"The {7 if cut == 'after a line' else 6} points" in note
    (shown,) = read(path, ReadOptions())
    assert any("ends within a row" in said for said in shown.notes)


def test_columns_without_names_are_read_as_usual_and_that_is_said(tmp_path: Path) -> None:
    path = columns(tmp_path / "a.dat")
    named = read_text_file(path, "a.dat")
    path.write_text("\n".join(path.read_text().splitlines()[2:]))
    nameless = read_text_file(path, "a.dat")
    assert not named.notes
    assert "does not name its columns" in nameless.notes[0]
    assert "Qx and Qy in Å⁻¹" in nameless.notes[0]
    np.testing.assert_array_equal(nameless.values, named.values)


@pytest.mark.parametrize(
    ("names", "factor"),
    [
        ("# Qx (1/A) Qy (1/A) I (1/cm) dI (1/cm)", 1.0),
        ("# Qx [nm^-1]  Qy [nm^-1]  Intensity [cm^-1]  Error [cm^-1]", 10.0),
        ("qx(1/nm),qy(1/nm),I(1/cm),sigma", 10.0),
        ("Qx Qy I (1/cm) I_err", 1.0),
    ],
)
def test_columns_are_named_with_units_and_q_is_converted(tmp_path: Path, names: str, factor: float) -> None:
    path = columns(tmp_path / "a.dat")
    plain = read_text_file(path, "a.dat")
    table = np.loadtxt(path, skiprows=2)
    table[:, :2] *= factor
    np.savetxt(path, table, header=names, comments="")
    found = read_text_file(path, "a.dat")
    assert found.qx is not None
    assert plain.qx is not None
    np.testing.assert_allclose(found.qx, plain.qx, rtol=1e-12)
    np.testing.assert_array_equal(found.error, plain.error)
    assert [*found.notes] == (["Qx and Qy were converted from nm⁻¹ to Å⁻¹."] if factor == 10.0 else [])


def test_the_empty_cell_is_subtracted_with_its_uncertainty(tmp_path: Path) -> None:
    values = scene()[1]
    rng = np.random.default_rng(1)
    for name, counts in (
        ("a", values + rng.poisson(40.0, values.shape)),
        ("empty", rng.poisson(80.0, values.shape)),
    ):
        np.save(tmp_path / f"{name}.npy", counts)
    (tmp_path / "geometry.toml").write_text("wavelength = 6.0\ndistance = 8000\npixel_size = 5\n")
    given = ("direct_beam=[30,33]", f"empty_file={tmp_path / 'empty.npy'}", "empty_scale=0.5")
    found = the(tmp_path / "a.npy", *given)
    seen = found.mask
    assert np.mean((found.counts - values)[seen]) == pytest.approx(0, abs=0.5)
    pull = (found.counts - values)[seen] / found.geometry.error[seen]
    # The error is that of both; the image's own counts are given here without theirs.
    assert 0.3 < np.std(pull) < 1.1
    np.save(tmp_path / "empty.npy", values[:20])
    with pytest.raises(DataError, match="its pixels are not those of the sample"):
        the(tmp_path / "a.npy", *given)


def test_too_few_counts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    few = np.zeros((64, 64))
    few[10, 10:20] = 1
    np.save(path, few)
    options = "wavelength=6", "distance=8000", "pixel_size=5", "direct_beam=[32,32]"
    with pytest.raises(DataError, match="holds 10 counts"):
        the(path, *options)


@pytest.mark.parametrize("centre", [(31.3, 30.8), (22.0, 41.5)])
def test_the_centre_is_found_off_the_middle_and_behind_a_beamstop(centre: tuple[float, float]) -> None:
    _, counts = scene(centre=centre)
    column, row, like = find_centre(counts, np.ones(counts.shape, dtype=bool))
    assert (column, row) == pytest.approx(centre, abs=0.6)
    assert like > 0.5


def test_a_beamstop_is_told_from_a_peak_of_the_sample() -> None:
    geometry, counts = scene()
    apart = geometry.q / (5 / 8000 * SETTING.k)
    every = np.ones(counts.shape, dtype=bool)
    assert beamstop(counts, every, apart, None) == pytest.approx(7, abs=2)
    peak = np.random.default_rng(0).poisson(20 + 400 * np.exp(-0.5 * ((apart - 12) / 1.5) ** 2)).astype(float)
    assert beamstop(peak, every, apart, None) == 0
