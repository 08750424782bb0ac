"""The script for cron, and what is said while a batch runs."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sasnet_plugin.batch.run import Progress
from sasnet_plugin.cli import progress
from sasnet_plugin.cli.progress import duration, show_progress, words


def test_the_script_for_cron_reports_failures_and_writes_its_log(
    tmp_path: Path, repository: Path, environment: dict[str, str]
) -> None:
    data, results = tmp_path / "data of today", tmp_path / "fits"
    data.mkdir()
    (data / "letter.dat").write_text("Dear colleague, the beam was down.\n", encoding="utf-8")
    command = tmp_path / "sasnet"
    python = shlex.quote(sys.executable)
    command.write_text(f'#!/bin/sh\nexec {python} -m sasnet_plugin "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    script = ["bash", str(repository / "docs" / "overnight.sh")]
    own = environment | {"SASNET": str(command), "WORKERS": "1"}
    done = subprocess.run(
        [*script, str(data), str(results)], env=own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "some files have no answer" in done.stdout
    assert "letter.dat" in (results / "results.csv").read_text(encoding="utf-8")
    log = (results / "overnight.log").read_text(encoding="utf-8")
    assert log.index("begin:") < log.index("1 without an answer") < log.index("end: some files")
    assert subprocess.run(script, capture_output=True, check=False).returncode == 2


def test_rate_and_time_left_in_words() -> None:
    assert words(Progress(1000, 100, 3), 600.0) == ("10 a minute, 1 h 30 min left, 3 without an answer")
    assert words(Progress(100, 50), 100.0) == "30 a minute, 2 min left"
    assert [duration(s) for s in (59.6, 89.0, 300.0, 7500.0)] == ["60 s", "89 s", "5 min", "2 h 05 min"]


def test_without_a_terminal_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with show_progress(3) as step:
        for done in (1, 2, 3):
            step(Progress(3, done, failed=done - 1))
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["1 of 3 files", "2 of 3 files"]
    assert "without" not in lines[0]
    assert lines[1].endswith("1 without an answer")
    monkeypatch.setattr(progress, "EVERY", 1e9)
    with show_progress(3) as step:
        step(Progress(3, 1))
    assert capsys.readouterr().err == ""
