"""The table remembers: torn lines are cut, other tables stay, one process writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sasnet_plugin.batch.live.table import Table, lines_of
from sasnet_plugin.types import SasnetError

HEAD = ["frame", "file", "note"]


def ours(line: Mapping[str, str]) -> bool:
    return line["file"].startswith("/mine/")


def opened(path: Path, *, anew: bool = False) -> Table:
    return Table(path, HEAD, anew=anew, belongs=ours)


def test_it_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with opened(path) as table:
        table.add([["1", "/mine/a", ""], ["2", "/mine/b", ""]], ["", ""])
    with path.open("a") as file:
        file.write("3,/mine/c,half of a")
    with opened(path) as table:
        assert table.lines == 2
        assert [line["frame"] for line in table.earlier()] == ["1", "2"]
        table.add([["3", "/mine/c", ""]], [""])
    assert [line["file"] for line in lines_of(path)] == ["/mine/a", "/mine/b", "/mine/c"]


@pytest.mark.parametrize("content", ["frame,file,note\n1,/other/a,\n", "something else\n", "a,b\n1,2\n"])
def test_another_table_is_not_touched(content: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(SasnetError, match="--force"):
        opened(path)
    assert path.read_text() == content


def test_an_earlier_table_gives_way_with_the_first_answer_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("precious")
    with opened(path, anew=True) as table:
        table.add([["1", "/mine/a", "no curve"]], ["no curve"])
        assert path.read_text() == "precious"
        assert table.is_unchanged
    assert path.read_text() == "precious"
    with opened(path, anew=True) as table:
        table.add([["1", "/mine/a", "no curve"]], ["no curve"])
        table.add([["2", "/mine/b", ""]], [""])
    assert [line["frame"] for line in lines_of(path)] == ["1", "2"]
    assert [one.name for one in tmp_path.iterdir()] == ["t.csv"]


def test_two_cannot_write_one_table(tmp_path: Path) -> None:
    with opened(tmp_path / "t.csv"), pytest.raises(SasnetError, match="another sasnet"):
        opened(tmp_path / "t.csv")


def test_cells_stay_on_their_line_and_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with opened(path) as table:
        table.add([["1", "=cmd()", "two\nlines"], ["-2.5", "a", ""]], ["", ""])
    first, second = lines_of(path)
    assert first == {"frame": "1", "file": "'=cmd()", "note": "two lines"}
    assert second["frame"] == "-2.5"


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SasnetError, match="cannot be written"):
        opened(tmp_path / "none" / "t.csv")
