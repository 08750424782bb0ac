"""The benchmark of a killed batch sees what would break its promises."""

import os
import subprocess
import sys

import batch as bench
import pytest

from sasnet_plugin.batch.results import write_results


def record(file):
    row = {"entry": "", "notes": [], "seconds": 1.0, "error": "", "verified": True, "fits": []}
    return {"file": str(file), "options": "abc", "rows": [row]}


def test_a_missing_and_a_second_row_are_seen(tmp_path):
    files = [tmp_path / f"{k}.dat" for k in range(3)]
    out = tmp_path / "r.h5"
    for rows, right in ((files, True), (files[:2], False), ([*files, files[0]], False)):
        write_results(lambda rows=rows: (record(file) for file in rows), {}, out)
        found = bench.check(out, files)
        assert (found["rows"], found["exactly_one"]) == (len(rows), right)


def test_answers_are_counted_once_and_torn_lines_not(tmp_path):
    journal = tmp_path / "r.journal"
    assert bench.answered(journal) == 0
    lines = [
        '{"journal": 1}',
        '{"file": "/a", "size": 1}',
        '{"file": "/b", "size": 1}',
        '{"file": "/a", "size": 2}',
    ]
    journal.write_text("\n".join(lines) + '\n{"file": "/c", "si', encoding="utf-8")
    assert bench.answered(journal) == 2


def test_memory_is_that_of_the_whole_tree():
    code = "x = bytearray(80_000_000); print(flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        child.stdout.readline()
        main, below = bench.memory(os.getpid())
        child.stdin.close()
    assert main > 10
    assert max(below) > 80


def test_growth_shows_in_the_table(tmp_path):
    samples = [
        {"run": 0, "seconds": float(k), "done": k, "main": 100.0, "workers": [50.0 + 10 * k, 50.0]}
        for k in range(40)
    ]
    samples.append({"run": 0, "seconds": 41.0, "done": 40, "main": 100.0, "workers": [5.0]})  # the end
    main, workers = bench.flatness(samples)
    assert main == ["1", "main process", "100", "100", "100"]
    assert float(workers[3]) - float(workers[2]) == pytest.approx(200, abs=15)
    assert workers[4] == "490"
    path = tmp_path / "memory.svg"
    bench.draw(samples, path)
    assert b"<svg" in path.read_bytes()
