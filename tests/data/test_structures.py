"""Settings and files that are nested, branch or lead back without end: one sentence, or the curve in them."""

from __future__ import annotations

import time
from pathlib import Path

import h5py
import nested_structures as structures
import numpy as np
import pytest
from hostile_files import I, Q, links

from sasnet_plugin.data import load
from sasnet_plugin.data.hdf5 import external_links, own_items
from sasnet_plugin.data.limits import LIMITS
from sasnet_plugin.data.sample.described import read_description, sample_of
from sasnet_plugin.data.sample.expression import expression
from sasnet_plugin.data.toml_files import TOML, is_finite_number, parse_assignments, parse_toml, read_toml
from sasnet_plugin.materials import densities
from sasnet_plugin.types import Curve, DataError, SasnetError

SAMPLES = [name for name in structures.CASES if name.startswith("sample: ")]
#: CPU-seconds, which count for a third where others share the cores; each of these took for ever, or ended in
#: a traceback.
SOON = 30.0


@pytest.mark.parametrize("name", SAMPLES)
def test_a_hostile_sample_file_is_one_short_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    structures.CASES[name].make(path)
    curves = [Curve(Q, I, 0.02 * I, file="a.dat"), Curve(Q, 2 * I, 0.02 * I, file="b.dat")]
    began = time.process_time()
    with pytest.raises(SasnetError) as caught:
        sample_of(curves, read_description(path), sld=densities(None), source=str(path))
    assert time.process_time() - began < SOON
    said = str(caught.value)
    assert len(said) < 2_000
    assert len(said.splitlines()) == 1
    assert "Error" not in said


def test_settings_of_usual_depth_are_read(tmp_path: Path) -> None:
    path = tmp_path / "geometry.toml"
    path.write_text(
        '# a remark with [[[[[[[[[[ brackets and a.b.c.d dots\ntitle = "[{[{[{ as text"\n'
        "[values.radius]\nrun.01.dat = 1.5\nlist = [[1.0, 2.0],\n  [3.0, 4.0]]\n",
        encoding="utf-8",
    )
    found = read_toml(path)
    assert found["title"] == "[{[{[{ as text"
    assert found["values"]["radius"]["list"] == [[1.0, 2.0], [3.0, 4.0]]
    assert found["values"]["radius"]["run"]["01"]["dat"] == 1.5


def test_depth_is_bounded_and_counted_beside_strings_and_comments() -> None:
    inside = f"x = {'[' * TOML.depth}{']' * TOML.depth}"
    assert parse_toml(inside, "here")
    with pytest.raises(DataError, match="nested more than"):
        parse_toml(f"x = [{inside[4:]}]", "here")
    many = "\n".join(f'x{n} = "[" # [' for n in range(100))
    assert len(parse_toml(many, "here")) == 100


def test_a_bracketed_setting_that_is_no_toml_is_refused_and_a_word_is_text() -> None:
    assert parse_assignments(["up=top", "x=[1, 2]"], "") == {"up": "top", "x": [1, 2]}
    with pytest.raises(DataError, match="nested"):
        parse_assignments([f"x={'[' * 5_000}"], "")


def test_numbers_that_no_float_holds_are_none() -> None:
    assert is_finite_number(3)
    assert is_finite_number(-1e300)
    for value in (10**400, -(10**400), float("inf"), float("nan"), True, "3", None):
        assert not is_finite_number(value)


def test_a_tie_of_numbers_without_a_value_is_refused() -> None:
    assert expression("2*3").value({}) == 6
    for text in ("9**9**9**9", "1/0", "log(-1)"):
        with pytest.raises(DataError, match="no finite value"):
            expression(text)
    assert np.isnan(expression("1/x").value({"x": 0.0})), "with a name it may have one elsewhere"


@pytest.mark.parametrize(
    "name",
    [
        "HDF5: wide, before", "HDF5: wide, tree", "HDF5: links, two", "HDF5: links, chain",
        "HDF5: links, product", "HDF5: links, path", "HDF5: links, external", "XML: nested",
        "XML: namespaces",
    ],
)  # fmt: skip
def test_a_curve_among_thousands_of_other_things_is_read(name: str, tmp_path: Path) -> None:
    case = structures.CASES[name]
    path = tmp_path / case.name
    case.make(path)
    began = time.process_time()
    (curve,) = load(path)
    assert time.process_time() - began < SOON
    assert curve.q == pytest.approx(Q, rel=1e-5)
    assert curve.intensity == pytest.approx(I, rel=1e-5)


def test_items_of_a_file_are_those_of_h5py_each_once_and_no_deeper(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/b/c"] = [1.0]
        file["a/again"] = file["a/b"]
        file["a/b/up"] = file["a"]
        file["a/soft"] = h5py.SoftLink("/a/b")
        file["a/far"] = h5py.ExternalLink("other.h5", "/x")
        names: list[str] = []
        file.visititems(lambda name, _: names.append(name))
        assert sorted(item.name for _, item in own_items(file)) == sorted(file[name].name for name in names)
        assert list(external_links(file)) == ["a/far"]
    path = tmp_path / "deep.h5"
    structures.below(path, 20_000)
    began = time.process_time()
    with h5py.File(path) as file:
        assert max(path.count("/") for path, _ in own_items(file)) == LIMITS.depth
    assert time.process_time() - began < SOON


def test_the_time_to_read_grows_no_faster_than_the_data_sets(tmp_path: Path) -> None:
    def seconds(count: int) -> float:
        path = tmp_path / f"{count}.h5"
        with h5py.File(path, "w") as file:
            entry = structures.entry(file)
            for n in range(count):
                group = entry.create_group(f"sasdata{n:05d}")
                structures.data(group)
                group["I"][...] = I * (1 + n)
        began = time.process_time()
        assert len(load(path)) == count
        return time.process_time() - began

    seconds(10)
    assert seconds(200) < 12 * seconds(50)  # 16 times, were it to grow as the square


@pytest.mark.parametrize("kind", ["self", "soft", "hard"])
def test_a_link_that_leads_back_hides_no_curve(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    links(path, kind)
    assert [len(curve) for curve in load(path)] == [60]
