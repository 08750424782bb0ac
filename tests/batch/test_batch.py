"""``sasnet batch``: what is done again, what is not, shards, and what is said of wrong usage."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from batchfiles import FAST
from typer.testing import CliRunner

from sasnet_plugin.batch.journal import Journal, journal_of
from sasnet_plugin.batch.plan import Options, Shard, missing
from sasnet_plugin.cli.main import app
from sasnet_plugin.fitting.task import FitOptions

SphereFile = Callable[..., Path]


def batch(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["batch", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.output
    return done.exit_code, done.output.replace("\n", " ")


def table(out: Path) -> dict[str, dict[str, str]]:
    with out.with_suffix(".csv").open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert len({row["file"] for row in rows}) == len(rows)
    return {Path(row["file"]).name: row for row in rows}


def answers(out: Path) -> list[str]:
    lines = journal_of(out).read_text(encoding="ascii").splitlines()
    return [Path(record["file"]).name for line in lines if "file" in (record := json.loads(line))]


def test_only_what_failed_changed_or_is_new_is_done_again(tmp_path: Path, sphere_file: SphereFile) -> None:
    data, out = tmp_path / "data", tmp_path / "data" / "results.h5"
    data.mkdir()
    a, b, bad = (data / name for name in ("a.dat", "b.dat", "bad.dat"))
    sphere_file(a, 50.0)
    sphere_file(b, 60.0)
    bad.write_text("Nothing measured.\n", encoding="utf-8")
    command = [data, "--out", out, "--workers", 1, *FAST]  # the results lie among the data
    code, said = batch(*command)
    assert code == 1
    assert "1 without an answer" in said
    assert f"Without an answer: bad.dat. {table(out)['bad.dat']['error']}" in said
    assert "bad.dat" in table(out)["bad.dat"]["error"]
    assert table(out)["bad.dat"]["best"] == ""

    sphere_file(bad, 70.0)  # mended
    sphere_file(b, 65.0)  # changed
    sphere_file(data / "c.dat", 40.0)  # new
    before = table(out)["a.dat"]
    code, said = batch(*command)
    assert code == 0
    assert "3 of 4 files to fit; 1 answered before" in said
    rows = table(out)
    assert set(rows) == {"a.dat", "b.dat", "bad.dat", "c.dat"}
    assert rows["a.dat"]["radius"] == before["radius"]
    assert float(rows["b.dat"]["radius"]) == pytest.approx(65.0, rel=0.03)
    assert float(rows["bad.dat"]["radius"]) == pytest.approx(70.0, rel=0.03)
    assert sorted(answers(out)) == ["a.dat", "b.dat", "b.dat", "bad.dat", "bad.dat", "c.dat"]

    assert "0 of 4 files to fit" in batch(*command)[1]
    code, said = batch(a, a, "--out", out, "--workers", 1, *FAST, "--fixed", "radius=51")
    assert code == 0
    assert "1 of 1 files to fit" in said  # other options, other answer; one file named twice is one
    assert set(table(out)) == {"a.dat", "b.dat", "bad.dat", "c.dat"}
    fixed = table(out)["a.dat"]
    assert (fixed["radius"], fixed["radius error"]) == ("51", "")
    with h5py.File(out) as file:
        known = json.loads(file.attrs["options"])
        used = {name.decode() for name in file["datasets"]["options"]}
    assert {key: known[key].get("fixed") for key in used} == {key: known[key].get("fixed") for key in known}
    assert {"radius_pd": 0.0, "radius": 51.0} in [page.get("fixed") for page in known.values()]


def test_shards_share_the_files_and_are_put_together(tmp_path: Path, sphere_file: SphereFile) -> None:
    data, out = tmp_path / "data", tmp_path / "results.h5"
    data.mkdir()
    names = [f"run{k}.dat" for k in range(3)]
    for k, name in enumerate(names):
        sphere_file(data / name, 40.0 + 5 * k)
    for number in (1, 2):
        assert batch(data, "--out", out, "--shard", f"{number}/2", "--workers", 1, *FAST)[0] == 0
    assert not out.exists()
    parts = [set(table(tmp_path / f"results.shard-{number}-of-2.h5")) for number in (1, 2)]
    assert parts[0] | parts[1] == set(names)
    assert not parts[0] & parts[1]
    code, said = batch("--merge", "--out", out)
    assert code == 0
    assert "3 data sets" in said
    assert set(table(out)) == set(names)
    for path in tmp_path.glob("results.shard-*"):
        path.unlink()
    assert "0 of 3 files to fit" in batch(data, "--out", out, *FAST)[1]


def test_a_file_stays_with_its_shard_and_each_has_one() -> None:
    paths = [f"/data/run{k}.dat" for k in range(1000)]
    shards = [Shard(number, 7) for number in range(1, 8)]
    assert all(sum(shard.holds(path) for shard in shards) == 1 for path in paths)
    sizes = [sum(shard.holds(path) for path in paths) for shard in shards]
    assert min(sizes) > 100
    # Of few files, too: no shard is without work where their names differ in one digit alone.
    few = [f"/data/run{k}.dat" for k in range(8)]
    assert 0 < sum(Shard(1, 2).holds(path) for path in few) < 8


def test_more_time_is_given_to_what_ran_out_of_it_alone(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("late.dat", "done.dat", "bad.dat")]
    options = Options()
    with Journal(tmp_path / "r.h5.journal") as journal:
        for path in paths:
            Path(path).write_text("0.1 1 1\n", encoding="utf-8")
            found = os.stat(path)
            error = "no" if "bad" in path else ""
            journal.add(
                {"file": path, "size": found.st_size, "mtime": found.st_mtime_ns, "limit": 10.0, "time": 1.0,
                 "options": options.digest, "late": "late" in path, "rows": [{"error": error, "fits": []}]}
            )  # fmt: skip
        assert missing(paths, journal, options, 10.0) == paths[2:]
        assert missing(paths, journal, options, 20.0) == [paths[0], paths[2]]
        assert missing(paths[::-1], journal, Options(FitOptions(top=3)), 10.0) == [
            paths[1],
            paths[0],
            paths[2],
        ]
        assert missing([*paths, "/new.dat"], journal, options, 20.0)[-1] == paths[2]  # what failed comes last


def test_outputs_beside_the_measurements_are_no_data_of_the_next_run(
    tmp_path: Path, sphere_file: SphereFile
) -> None:
    """A second run answered the first one's tables and exported curves."""
    data, out = tmp_path / "data", tmp_path / "data" / "r.h5"
    data.mkdir()
    for k in range(2):
        sphere_file(data / f"run{k}.dat", 40.0 + k, seed=k)
    asked = ("--out", out, "--csv", data / "other.csv", "--export", data / "exported", "--workers", 1, *FAST)
    code, said = batch(data, *asked)
    assert (code, "skipped" in said) == (0, False)
    first = answers(out)
    assert sorted(first) == ["run0.dat", "run1.dat"]
    assert len(list((data / "exported").iterdir())) > 6
    # A folder, a pattern, and what a shell makes of it.
    for given in ([data], [data / "*"], sorted(data.iterdir())):
        code, said = batch(*given, *asked)
        assert code == 0, said
        assert "0 of 2 files to fit" in said
        assert "2 data sets exported" in said or "0 data sets exported, 2 unchanged" in said
        assert answers(out) == first
    assert "outputs of sasnet are skipped" in said


def test_a_pattern_without_files_is_a_sentence(tmp_path: Path) -> None:
    code, said = batch(tmp_path / "*.dat", "--out", tmp_path / "r.h5")
    assert code == 1
    assert "no file matches this pattern" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--out", "{tmp}/none/r.h5"), 1, ("none/r.h5.journal", "cannot be written")),
        (("--out", "{tmp}/folder.h5"), 1, ("is not a file",)),
        (("--out", "{tmp}/r.csv"), 2, ("end the name in .h5",)),
        (("--out", "{tmp}/taken.h5"), 1, ("taken.h5", "name another file")),
        (("--out", "{tmp}/r.h5", "--models", "spheer"), 1, ("spheer", "sphere")),
        (("--out", "{tmp}/r.h5", "--fixed", "raduis=3"), 1, ("raduis", "radius")),
        (("--out", "{tmp}/r.h5", "--ranges", "radius=3:1"), 2, ("smaller number first",)),
        (("--out", "{tmp}/r.h5", "--shard", "3/2"), 2, ("I/N",)),
        (("--out", "{tmp}/r.h5", "--shard", "two"), 2, ("I/N",)),
        (("--out", "{tmp}/r.h5", "--series", "--shard", "1/2"), 2, ("do not give --scheduler",)),
        (("--out", "{tmp}/r.h5", "--against", "time"), 2, ("add --series",)),
        (("--out", "{tmp}/r.h5", "--series", "--plot", "a.doc"), 2, (".svg or .png",)),
        (("--out", "{tmp}/r.h5", "--merge"), 2, ("--merge needs none",)),
    ],
)
def test_wrong_usage_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    (tmp_path / "a.dat").write_text("0.1 1 1\n", encoding="utf-8")
    (tmp_path / "taken.h5").write_bytes(b"mine")
    (tmp_path / "folder.h5").mkdir()
    found, said = batch(tmp_path / "a.dat", *(each.format(tmp=tmp_path) for each in arguments))
    assert found == code
    assert all(word in said for word in words), said
    assert (tmp_path / "taken.h5").read_bytes() == b"mine"
    assert {path.name for path in tmp_path.iterdir()} == {"a.dat", "folder.h5", "taken.h5"}


def test_merge_without_shards_and_nothing_to_fit_are_said(tmp_path: Path) -> None:
    code, said = batch("--merge", "--out", tmp_path / "r.h5")
    assert code == 1
    assert "its folder contains no shards" in said
    code, said = batch("--out", tmp_path / "r.h5")
    assert code == 2
    assert "name the files to fit" in said
