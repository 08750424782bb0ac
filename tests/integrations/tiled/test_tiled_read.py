"""Entries of a real Tiled server are read as the files that they could be, or one sentence says why not."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiledplaces import GEOMETRY, KEY, Q, at, curve, frame, free_port
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.data.load import load
from sasnet_plugin.domains import ReadOptions, specification
from sasnet_plugin.integrations.tiled.nodes import Reader
from sasnet_plugin.types import SasnetError

runner = CliRunner()
PLAIN = ReadOptions()


def read(address: str, domain: str | None = None, options: ReadOptions = PLAIN) -> list[Any]:
    with closing(Reader("", domain)) as reader:
        return [one for file in reader.expand([address]) for _, one in reader.read(file, options)]


def same(one: Any, other: Any) -> None:
    np.testing.assert_allclose(one.q, other.q)
    np.testing.assert_allclose(one.intensity, other.intensity)
    np.testing.assert_allclose(one.dintensity, other.dintensity)
    assert str(one.q_unit) == str(other.q_unit)


def test_a_table_is_the_curve_that_its_file_would_be(place: Any, tmp_path: Path) -> None:
    found = curve(40.0)
    place.write_table(found, key="a")
    np.savetxt(tmp_path / "a.dat", np.c_[found["q"], found["I"], found["dI"]], header="q I dI")
    (one,) = read(at(place, "a"))
    same(one, load(tmp_path / "a.dat")[0])
    assert (one.file, one.entry) == (at(place, "a"), "a")


def test_units_are_found_where_people_write_them(new_place: Any) -> None:
    found = curve(40.0)
    nm = {"Q": 10 * found["q"], "I": found["I"], "Idev": found["dI"]}
    place = new_place(units={"Q": "1/nm"})
    place.write_table(nm, key="above")
    other = new_place()
    other.write_table(nm, key="own", metadata={"q_unit": "nm^-1"})
    nexus = other.create_container("nexus", metadata={"Q": {"units": "1/nm"}})
    xarray = other.create_container("xarray", specs=["xarray_dataset"])
    for name, values in nm.items():
        nexus.write_array(values, key=name)
        unit = {"attrs": {"units": "nm-1"}} if name == "Q" else {}
        xarray.write_array(values, key=name, metadata=unit)
    for where in (at(place, "above"), at(other, "own"), at(other, "nexus"), at(other, "xarray")):
        (one,) = read(where)
        np.testing.assert_allclose(one.q, Q)
        np.testing.assert_allclose(one.dintensity, found["dI"])
        assert (str(one.q_unit.cell_text), one.q_unit.stated) == ("nm⁻¹", True), where


def test_columns_of_arrays_and_frames_over_time(place: Any) -> None:
    found = curve(40.0)
    columns = np.array(list(found.values()))
    place.write_array(columns, key="rows")
    place.write_array(columns.T, key="columns")
    place.write_array(columns[[1, 0, 2]], key="named", metadata={"columns": ["I", "q", "dI"]})
    for name in ("rows", "columns", "named"):
        (one,) = read(at(place, name))
        np.testing.assert_allclose(one.intensity, found["I"])
        np.testing.assert_allclose(one.dintensity, found["dI"])
    frames = place.create_container("frames")
    several = np.array([curve(r, seed)["I"] for seed, r in enumerate((30.0, 40.0, 50.0))])
    frames.write_array(Q, key="q")
    frames.write_array(several, key="I")
    frames.write_array(np.array([found["dI"]] * 3), key="dI")
    some = read(at(place, "frames"))
    assert [one.entry for one in some] == ["frames 1", "frames 2", "frames 3"]
    np.testing.assert_allclose([one.intensity for one in some], several)
    (second,) = read(at(place, "frames"), options=ReadOptions(entry="2"))
    np.testing.assert_allclose(second.intensity, several[1])
    with pytest.raises(SasnetError, match="no measurement 4; it holds 3"):
        read(at(place, "frames"), options=ReadOptions(entry="4"))


def test_an_image_is_the_one_that_its_file_would_be(new_place: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    image, stack = frame(rng, 60.0), np.array([frame(rng, 60.0) for _ in range(2)])
    place = new_place(domain="sans2d", geometry=GEOMETRY)
    place.write_array(image, key="one")
    place.write_array(stack, key="stack")
    np.save(tmp_path / "one.npy", image)
    said = tuple(f"{name}={json.dumps(value)}" for name, value in GEOMETRY.items())
    (of_file,) = specification("sans2d").read(str(tmp_path / "one.npy"), ReadOptions(geometry=said))
    (one,) = read(at(place, "one"))
    np.testing.assert_array_equal(one.counts, of_file.counts)
    np.testing.assert_array_equal(one.mask, of_file.mask)
    assert one.file == at(place, "one")
    assert [found.entry for found in read(at(place, "stack"))] == ["stack 1", "stack 2"]
    # What the user says counts more than metadata.
    (farther,) = read(at(place, "one"), options=ReadOptions(geometry=("distance=8000",)))
    np.testing.assert_allclose(farther.geometry.q.max() / one.geometry.q.max(), 0.5, atol=0.02)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda p: p.write_table({"time": Q, "t": Q}, key="x"), "none of its columns"),
        (lambda p: p.write_array(Q, key="x"), "it holds 100 values"),
        (lambda p: p.write_array(np.ones((64, 64)), key="x"), "give its kind with --domain"),
        (lambda p: p.write_array(np.ones((5, 64)), key="x"), "5 columns without names"),
        (lambda p: p.create_container("x"), "it is empty"),
        (lambda p: p.write_array(np.ones((64, 64)), key="x", metadata={"domain": "saxs"}), "domain = 'saxs'"),
        (
            lambda p: p.write_array(
                np.ones((64, 64)), key="x",
                metadata={"domain": "sans2d", "geometry": {"mask_file": "/etc/passwd"}},
            ),
            "names a file in mask_file",
        ),
        (lambda p: p.write_table({"q": Q, "I": -Q, "dI": Q}, key="x"), "no intensity is above zero"),
        (lambda p: p.write_table({"q": Q[:5], "I": Q[:5]}, key="x"), "only 5 usable points"),
    ],
)  # fmt: skip
def test_what_is_no_measurement_gets_one_sentence(place: Any, write: Any, said: str) -> None:
    write(place)
    place.write_table(curve(40.0), key="y")
    result = runner.invoke(app, ["classify", at(place)])
    assert result.exit_code == 1
    (sentence,) = (line for line in result.stderr.splitlines() if line.strip())
    assert sentence.startswith(f"{at(place, 'x')}: ")
    assert said in sentence
    # The others have their answers.
    assert result.stdout.startswith("y ")


def test_classify_names_entries_and_never_the_key(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write_table(curve(40.0), key="a")
    monkeypatch.delenv("TILED_API_KEY")
    result = runner.invoke(app, ["classify", f"{at(place, 'a')}?api_key={KEY}", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["file"] == at(place, "a")
    assert KEY not in result.output
    result = runner.invoke(app, ["classify", at(place, "a"), "--tiled-key", KEY, "--quiet"])
    assert result.exit_code == 0
    assert KEY not in result.output
    assert "Next:" not in result.output


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "the server wants an API key"),
        ("otherkey", "the server does not know the API key that was given"),
        ("no key\n", "invalid characters"),
    ],
)
def test_a_missing_or_wrong_key_is_said(
    key: str, said: str, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TILED_API_KEY", key)
    for command in (["classify", at(place)], ["follow", at(place), "--out", "t.csv"]):
        result = runner.invoke(app, command)
        assert result.exit_code == 1
        assert said in result.stderr
        assert "otherkey" not in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1


def test_a_server_that_is_not_there_and_one_of_another_kind_are_said(place: Any) -> None:
    result = runner.invoke(app, ["classify", f"tiled:http://127.0.0.1:{free_port()}/a"])
    assert result.exit_code == 1
    assert "the server does not answer (connection refused)" in result.stderr.lower()
    result = runner.invoke(app, ["classify", at(place, "nowhere")])
    assert "there is no such entry" in result.stderr
    result = runner.invoke(app, ["fit", at(place)])
    assert (
        "is not a file; entries of a Tiled server are read by sasnet classify and sasnet"
        " follow" in result.stderr
    )
