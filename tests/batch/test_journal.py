"""The journal: a kill or a full disk costs its last line at most, and two batches never write one."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.batch.journal import BatchError, Journal, line_of, natural
from sasnet_plugin.batch.plan import Options, remarks, version
from sasnet_plugin.fitting.task import FitOptions


def answer(file: str, *, error: str = "", time: float = 1.0) -> dict[str, Any]:
    rows = [{"entry": "", "notes": [], "seconds": 1.0, "error": error, "fits": []}]
    return {
        "file": file, "size": 3, "mtime": 4, "options": "abc", "limit": 5.0, "late": False, "time": time,
        "rows": rows,
    }  # fmt: skip


def test_a_torn_line_is_cut_off_wherever_it_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "r.journal"
    with Journal(path) as journal:
        journal.add(answer("/a"))
        whole = path.stat().st_size
        journal.add(answer("/b"))
    content = path.read_bytes()
    for size in sorted({*range(0, len(content), 9), whole - 1, whole, whole + 1, len(content) - 1}):
        path.write_bytes(content[:size])
        with Journal(path) as journal:
            assert set(journal.places) == ({"/a"} if size >= whole else set())
            journal.add(answer("/c"))
        with Journal(path) as journal:
            assert "/c" in journal.places
            assert [r["file"] for r in journal.records()] == sorted(journal.places)


def test_the_last_answer_about_a_file_counts(tmp_path: Path) -> None:
    with Journal(tmp_path / "r.journal") as journal:
        journal.add(answer("/run10", error="bad"))
        journal.add(answer("/run9"))
        assert journal.places["/run10"].failed
        journal.add(answer("/run10"))
        assert not journal.places["/run10"].failed
        assert [r["file"] for r in journal.records()] == ["/run9", "/run10"]
    assert sorted(["b2", "b10", "a", "b"], key=natural) == ["a", "b", "b2", "b10"]


def test_a_line_that_ctrl_c_came_in_after_is_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(fd: int) -> None:
        raise KeyboardInterrupt

    with Journal(tmp_path / "r.journal") as journal:
        journal.add(answer("/a"))
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", interrupt)
            with pytest.raises(KeyboardInterrupt):
                journal.add(answer("/b"))
        journal.catch_up()
        journal.add(answer("/c"))
        assert [r["file"] for r in journal.records()] == ["/a", "/b", "/c"]


def test_a_second_batch_is_kept_out_until_the_first_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "r.journal"
    with Journal(path), pytest.raises(BatchError, match="another sasnet process is writing it"):
        Journal(path)
    with Journal(path) as journal:
        journal.add(answer("/a"))


def test_what_shards_know_better_is_taken_over(tmp_path: Path) -> None:
    shards = [tmp_path / "1.journal", tmp_path / "2.journal"]
    for path, records in zip(shards, ([answer("/a"), answer("/b")], [answer("/c", time=9.0)]), strict=True):
        with Journal(path) as journal:
            journal.name_options("abc", {"top": 3})
            for record in records:
                journal.add(record)
    with Journal(tmp_path / "all.journal") as journal:
        journal.add(answer("/b", error="newer", time=5.0))
        for _ in range(2):
            for path in shards:
                journal.take_over(path)
        for path in shards:
            path.unlink()
        found = {r["file"]: r["rows"][0]["error"] for r in journal.records()}
        assert found == {"/a": "", "/b": "newer", "/c": ""}
        assert journal.options == {"abc": {"top": 3}}
        assert (tmp_path / "all.journal").read_bytes().count(b"\n") == 5  # header, /b, options, /a, /c


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_one_sentence_and_keeps_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "r.journal"
    with Journal(path) as journal:
        journal.add(answer("/a"))
        there = path.read_bytes()
        real = os.write

        def full(fd: int, *content: bytes) -> int:
            if content:
                real(fd, bytes(content[0])[:7])  # some of it fits
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(f"os.{call}", full)
            with pytest.raises(BatchError, match="No space left on device.*make room") as caught:
                journal.add(answer("/b"))
        assert str(caught.value).startswith(str(path))
        assert path.read_bytes() == there
        journal.add(answer("/b"))
        assert [r["file"] for r in journal.records()] == ["/a", "/b"]


def test_any_flipped_bit_costs_one_answer_at_most_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "r.journal"
    with Journal(path) as journal:
        journal.name_options("abc", {"top": 3})
        for name in ("/a", "/b", "/c"):
            journal.add(answer(name))
        there = {r["file"]: r for r in journal.records()}
    content = path.read_bytes()
    rng = np.random.default_rng(5)
    header = content.index(b"\n") + 1
    places = {*range(0, header), *rng.integers(0, len(content), 150).tolist(), len(content) - 1}
    for place in sorted(places):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with Journal(path) as journal:
            assert {r["file"]: r for r in journal.records()}.items() <= there.items()
            # A new line or the end of one costs the next too; the last is then as torn.
            lost = len(there) - len(journal.places)
            assert lost <= 2
            assert journal.damaged or place == len(content) - 1
            journal.add(answer("/d"))
        with Journal(path) as journal:
            assert "/d" in journal.places


def test_a_journal_without_checksums_is_read_and_goes_on_with_them(tmp_path: Path) -> None:
    path = tmp_path / "r.journal"
    lines = [{"journal": "sasnet batch", "version": 1}, {"options": "abc", "are": {}}, answer("/a")]
    broken = [answer("/b") | {"rows": [{"entry": ""}]}, {"sile": "/c"}, 3]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, *broken]), encoding="ascii")
    with Journal(path) as journal:
        assert list(journal.places) == ["/a"]
        assert (journal.damaged, journal.options) == (3, {"abc": {}})
        journal.add(answer("/d") | {"version": "sasnet 9"})
    content = path.read_bytes()
    with Journal(path) as journal:
        assert journal.versions(["/a", "/d"]) == {"": 1, "sasnet 9": 1}
        said = [remark.partition(" made by ")[2] for remark in remarks(journal, ["/a", "/d"])]
        assert [versions.partition(", not by ")[0] for versions in said] == [
            "", "an earlier version", "sasnet 9",
        ]  # fmt: skip
    # Behind a checksum all have one.
    path.write_bytes(
        content.replace(b'"crc"', b'"csc"') + line_of(answer("/e")) + b'{"options": "x", "are": 1}\n'
    )
    with Journal(path) as journal:
        assert set(journal.places) == {"/a", "/d", "/e"}
        assert "x" not in journal.options


def test_a_plugin_that_has_changed_is_another_option(tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    found = []
    for text in ("a", "b"):
        plugin.write_text(text)
        found.append(Options(FitOptions(models=("sphere", str(plugin)))).digest)
    plugin.write_text("a")
    assert Options(FitOptions(models=("sphere", str(plugin)))).digest == found[0] != found[1]
    assert version().startswith("sasnet 0")
    assert "sas1d" in version()


def test_anothers_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "r.journal"
    path.write_text("Tuesday: beam down.\n", encoding="utf-8")
    with pytest.raises(BatchError, match="not a journal of sasnet batch"):
        Journal(path)
    assert path.read_text(encoding="utf-8") == "Tuesday: beam down.\n"
