"""Curves of one sample in a batch: who belongs together, one row, and what is done again."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from batchfiles import FAST
from typer.testing import CliRunner

from sasnet_plugin.batch.journal import journal_of
from sasnet_plugin.batch.plan import Options, group_files, stamp_of
from sasnet_plugin.batch.worker import Job, serve
from sasnet_plugin.cli.main import app
from sasnet_plugin.data.sample.described import Described
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import SasnetError

WATER, HEAVY = -0.56, 6.36


def batch(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["batch", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output.replace("\n", " ")


def table(out: Path) -> dict[str, dict[str, str]]:
    with out.with_suffix(".csv").open(encoding="utf-8", newline="") as text:
        return {Path(row["file"]).name: row for row in csv.DictReader(text)}


def sample(folder: Path, name: str, radius: float) -> list[Path]:
    """A sphere of SLD 3 in light and in heavy water."""
    found = []
    for solvent, sld in (("h2o", WATER), ("d2o", HEAVY)):
        q = np.geomspace(0.006, 0.2, 40)
        exact = call("sphere", q, {"radius": radius, "sld": 3.0, "sld_solvent": sld}).intensity + 0.1
        noise = np.random.default_rng(len(found)).standard_normal(q.size)
        path = folder / f"{name}_{solvent}.dat"
        np.savetxt(path, np.column_stack([q, exact * (1 + 0.02 * noise), 0.02 * exact]), header="q I dI")
        found.append(path)
    return found


@pytest.fixture
def told(tmp_path: Path) -> Path:
    path = tmp_path / "sample.toml"
    path.write_text(f'[solvents]\n"*_h2o" = {WATER}\n"*_d2o" = {HEAVY}\n', encoding="utf-8")
    return path


def test_files_with_the_same_match_are_one_sample_and_others_stand_alone() -> None:
    paths = ["/d/a_1.dat", "/d/b_1.dat", "/d/a_2.dat", "/d/alone_1.dat", "/d/none.txt", "/d/b_2.dat"]
    found = group_files(paths, r"([a-z]+)_\d")
    assert found.names == ["/d/a (together)", "/d/b (together)", "/d/alone_1.dat", "/d/none.txt"]
    assert found.files["/d/b (together)"] == ("/d/b_1.dat", "/d/b_2.dat")
    # Without groups the whole match; a folder may be what a sample has in common.
    assert group_files(paths, "^a_").files == {"/d/a_ (together)": ("/d/a_1.dat", "/d/a_2.dat")}
    folders = ["/d/s1/h2o.dat", "/d/s1/d2o.dat", "/d/s2/h2o.dat", "/d/s2/d2o.dat"]
    assert [len(files) for files in group_files(folders, r"([^/]+)/[^/]+$").files.values()] == [2, 2]
    assert group_files(paths, None).names == paths


def test_pattern_that_puts_nothing_together_is_refused() -> None:
    for pattern, sentence in (("(", "is not a regular expression"), ("d", "matches none of the 1 files")):
        with pytest.raises(SasnetError, match=sentence):
            group_files(["/d/a_1"], pattern)


def test_broken_pattern_is_wrong_usage(tmp_path: Path) -> None:
    code, said = batch(tmp_path, "--out", tmp_path / "results.h5", "--together-by", "(")
    assert code == 2
    assert "'(' is not a regular expression" in " ".join(said.replace("│", " ").split())


def test_sample_is_another_when_any_of_its_files_is(tmp_path: Path) -> None:
    a, b = sample(tmp_path, "a", 50.0)
    seen = {stamp_of("a", (str(a), str(b))), stamp_of("a", (str(a),))}
    text = b.read_bytes()
    b.write_bytes(text[:-2] + b"1\n")  # of the same length
    os.utime(b, ns=(1, 1))
    seen.add(stamp_of("a", (str(a), str(b))))
    b.unlink()
    seen.add(stamp_of("a", (str(a), str(b))))
    assert len(seen) == 4


def test_one_row_a_sample_and_only_what_has_changed_is_done_again(
    tmp_path: Path, sphere_file: Callable[..., Path], told: Path
) -> None:
    data, out = tmp_path / "data", tmp_path / "results.h5"
    data.mkdir()
    sample(data, "a", 50.0)
    b = sample(data, "b", 70.0)
    sphere_file(data / "single.dat", 60.0)
    how = ["--together-by", "([ab])_", "--sample-file", told, "--workers", 1, *FAST]
    code, said = batch(data, "--out", out, *how)
    assert code == 0, said
    assert "3 of 3 files and samples (of 2 files each)" in said
    rows = table(out)
    assert set(rows) == {"a (together)", "b (together)", "single.dat"}
    for name, radius in (("a (together)", 50.0), ("b (together)", 70.0)):
        assert float(rows[name]["radius"]) == pytest.approx(radius, rel=0.02)
        assert float(rows[name]["sld"]) == pytest.approx(3.0, abs=0.05)  # absolute, as solvents are known
        assert "2 contrasts of one sample" in rows[name]["headline"]
    assert rows["a (together)"]["entry"] == "a_d2o.dat + a_h2o.dat"
    assert float(rows["a (together)"]["background 1"]) == pytest.approx(0.1, abs=0.02)
    assert rows["single.dat"]["background 1"] == ""

    exported = tmp_path / "exported"
    code, said = batch(data, "--out", out, *how, "--export", exported)
    assert "0 of 3" in said
    assert "5 data sets exported, 0 unchanged" in said, said
    assert {path.name for path in exported.glob("*together*")} == {
        "a-together.sasview.json", "a-together.bumps.py", "b-together.sasview.json", "b-together.bumps.py",
    }  # fmt: skip
    project = json.loads((exported / "b-together.sasview.json").read_text(encoding="utf-8"))
    assert len([page for page in project.values() if "fit_data" in page or "fit_params" in page]) >= 2
    assert "5 unchanged" in batch(data, "--out", out, *how, "--export", exported)[1]
    assert "0 of 3" in batch(data, "--out", out, *how)[1]
    sample(data, "b", 75.0)
    assert "1 of 3" in batch(data, "--out", out, *how)[1]
    assert float(table(out)["b (together)"]["radius"]) == pytest.approx(75.0, rel=0.02)
    b[0].write_text("Nothing measured.\n", encoding="utf-8")
    code, said = batch(data, "--out", out, *how)
    assert code == 1
    assert "b_h2o.dat" in table(out)["b (together)"]["error"]
    assert table(out)["b (together)"]["best"] == ""
    told.write_text('kind = "contrasts"\n[solvents]\n"c_h2o.dat" = 1.0\n', encoding="utf-8")
    code, said = batch(data, "--out", out, *how)
    assert code == 1
    assert "c_h2o.dat is not one of the 5 files" in said


def test_what_was_found_before_a_kill_is_not_done_again(tmp_path: Path) -> None:
    from sasnet_plugin.simulate.bank import Bank
    from sasnet_plugin.zoo import bank_path

    files = tuple(map(str, sample(tmp_path, "a", 50.0)))
    said: list[tuple[Any, ...]] = []
    fit = FitOptions(models=("sphere",), structure_factor="none", fixed={"radius_pd": 0.0})
    solvents = {"solvents": {"a_h2o": WATER, "a_d2o": HEAVY}}
    job = Job("a", Options(fit, described=Described(solvents)), 60.0, files=files)
    bank = Bank(bank_path())
    serve(job, bank, lambda *message: said.append(message))
    done = {message[1]: message[2] for message in said if message[0] == "done"}
    assert len(done) > 2
    again: list[tuple[Any, ...]] = []
    last = list(done)[-1]
    known = {key: answer for key, answer in done.items() if key != last}
    serve(replace(job, known=known), bank, lambda *message: again.append(message))
    assert [message[1] for message in again if message[0] == "try"] == [last]
    rows = [next(message[1] for message in each if message[0] == "row") for each in (said, again)]
    assert rows[0]["fits"][0]["parameters"] == rows[1]["fits"][0]["parameters"]
    assert not rows[0]["error"]


@pytest.mark.slow
def test_killed_among_samples_each_has_one_row(
    tmp_path: Path, told: Path, environment: dict[str, str], sasnet: Callable[..., Any]
) -> None:
    data, out = tmp_path / "data", tmp_path / "results.h5"
    data.mkdir()
    for k in range(3):
        sample(data, f"s{k}", 40.0 + 10 * k)
    command = [data, "--out", out, "--together-by", r"(s\d)_", "--sample-file", told, "--workers", 1, *FAST]
    process = subprocess.Popen(
        [sys.executable, "-m", "sasnet_plugin", "batch", *map(str, command)],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 240
    journal = journal_of(out)
    while not (journal.exists() and b'"rows"' in journal.read_bytes()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = sasnet(*command)
    assert done.returncode == 0, done.stderr
    assert "answered before" in done.stderr
    rows = table(out)
    assert [float(rows[f"s{k} (together)"]["radius"]) for k in range(3)] == pytest.approx(
        [40.0, 50.0, 60.0], rel=0.02
    )
    lines = [json.loads(line) for line in journal.read_text(encoding="ascii").splitlines()]
    assert len([line for line in lines if "file" in line]) == 3
