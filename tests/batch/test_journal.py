"""The journal: a kill or a full disk costs its last line at most, and two batches never write one."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from sasnet_plugin.batch.journal import BatchError, Journal, natural


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
    with Journal(path), pytest.raises(BatchError, match="another sasnet batch is writing it"):
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


def test_anothers_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "r.journal"
    path.write_text("Tuesday: beam down.\n", encoding="utf-8")
    with pytest.raises(BatchError, match="no journal of sasnet batch"):
        Journal(path)
    assert path.read_text(encoding="utf-8") == "Tuesday: beam down.\n"
