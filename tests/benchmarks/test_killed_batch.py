"""The benchmark of a killed batch sees what would break its promises."""

import os
import subprocess
import sys

from benchmarks.service import batch as bench
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
