"""``sasnet batch --export``: what is written is what was fitted, is kept, and replaces nobody's files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from batchfiles import FAST
from typer.testing import CliRunner

from sasnet_plugin import load
from sasnet_plugin.batch import deposit
from sasnet_plugin.batch.deposit import TOGETHER, export
from sasnet_plugin.batch.journal import Journal, journal_of
from sasnet_plugin.cli.main import app
from sasnet_plugin.types import SasnetError

SphereFile = Callable[..., Path]
TWO = ("--models", "sphere,ellipsoid", "--structure-factor", "none", "--fixed", "radius_pd=0")


def batch(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["batch", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.output
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch of six spheres and a letter, of two models each; the folder that holds it."""
    from sasnet_plugin.simulate.kernel import call

    place = tmp_path_factory.mktemp("deposit")
    (place / "data").mkdir()
    q = np.geomspace(0.006, 0.2, 40)
    for k in range(6):
        exact = call("sphere", q, {"radius": 40.0 + 3 * k}).intensity + 0.1
        sigma = 0.02 * exact
        noisy = exact + sigma * np.random.default_rng(k).standard_normal(q.size)
        columns = (q, noisy, sigma) if k else (q, noisy)  # one without uncertainties
        np.savetxt(place / "data" / f"run{k}.dat", np.column_stack(columns))
    (place / "data" / "letter.dat").write_text("Dear colleague, the beam was down.\n", encoding="utf-8")
    code, _ = batch(place / "data", "--out", place / "r.h5", "--workers", 1, *TWO)
    assert code == 1  # the letter
    return place


@pytest.fixture
def journal(answered: Path) -> Iterator[Journal]:
    with Journal(journal_of(answered / "r.h5")) as found:
        yield found


def rows(journal: Journal) -> dict[str, dict[str, Any]]:
    """Of each file that was fitted its row."""
    return {
        Path(record["file"]).stem: row
        for record in journal.records()
        for row in record["rows"]
        if row["fits"]
    }


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_every_row_is_read_back_from_the_file_of_all(
    journal: Journal, answered: Path, tmp_path: Path
) -> None:
    found = export(journal, tmp_path)
    assert (found.written, found.kept, found.complaints) == (6, 0, [])
    with h5py.File(tmp_path / TOGETHER) as file:
        assert sorted(file) == sorted(rows(journal))
        for name, row in rows(journal).items():
            group = file[name]
            (curve,) = load(answered / "data" / f"{name}.dat")
            np.testing.assert_array_equal(group["q"], curve.q)
            np.testing.assert_array_equal(group["I"], curve.intensity)
            assert group.attrs["dI_estimated"] == (curve.dintensity is None)
            if curve.dintensity is not None:
                np.testing.assert_array_equal(group["dI"], curve.dintensity)
            assert group["fit_I"].shape == (len(row["fits"]), len(curve))
            table = group["parameters"][()]
            for number, fit in enumerate(row["fits"]):
                free = sum(not p["fixed"] for p in fit["parameters"].values())
                chisq = np.sum(((group["I"][()] - group["fit_I"][number]) / group["dI"][()]) ** 2)
                assert chisq / (len(curve) - free) == pytest.approx(fit["reduced_chisq"], rel=1e-3)
                assert group["fits"][number]["model"].decode() == fit["model"]
                own = {each["name"].decode(): each for each in table[table["fit"] == number]}
                assert list(own) == list(fit["parameters"])
                for parameter, p in fit["parameters"].items():
                    assert own[parameter]["value"] == p["value"]
                    assert np.isnan(own[parameter]["error"]) == (p["error"] is None)
                    assert p["error"] in (None, own[parameter]["error"])


def test_sasdata_reads_each_curve_and_each_fit(journal: Journal, tmp_path: Path) -> None:
    from sasdata.dataloader.loader import Loader

    export(journal, tmp_path)
    with h5py.File(tmp_path / TOGETHER) as file:
        for name, row in rows(journal).items():
            measured, *fits = Loader().load(str(tmp_path / f"{name}.nxcansas.h5"))
            np.testing.assert_array_equal(measured.y, file[name]["I"])
            assert len(fits) == len(row["fits"])
            for number, fit in enumerate(fits):
                np.testing.assert_array_equal(fit.y, file[name]["fit_I"][number])
                assert row["fits"][number]["model"] in fit.title


def test_what_says_the_same_is_kept_and_not_evaluated_again(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(journal, tmp_path)
    before = contents(tmp_path)
    (tmp_path / TOGETHER).unlink()  # as where the export was stopped
    (tmp_path / "run2.nxcansas.h5").unlink()
    evaluated = []
    real = deposit._evaluate_fit
    monkeypatch.setattr(
        deposit,
        "_evaluate_fit",
        lambda fit, curve, error: evaluated.append(curve.file) or real(fit, curve, error),
    )
    found = export(journal, tmp_path)
    assert (found.written, found.kept) == (1, 5)
    assert {Path(file).stem for file in evaluated} == {"run2"}
    after = contents(tmp_path)
    assert set(after) == set(before)
    assert after["run1.nxcansas.h5"] == before["run1.nxcansas.h5"]
    assert after["run1.sascif"] == before["run1.sascif"]


def test_a_damaged_file_is_made_again(journal: Journal, tmp_path: Path) -> None:
    export(journal, tmp_path)
    path = tmp_path / "run1.nxcansas.h5"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    export(journal, tmp_path)
    with h5py.File(path) as file:
        assert "sasentry02" in file


def test_nothing_of_others_is_replaced_unless_forced(journal: Journal, tmp_path: Path) -> None:
    mine = tmp_path / "run3.nxcansas.h5"
    mine.write_text("My thesis.", encoding="utf-8")
    found = export(journal, tmp_path)
    assert mine.read_text(encoding="utf-8") == "My thesis."
    assert found.written == 5
    (said,) = found.complaints
    assert "run3.nxcansas.h5" in said
    assert "--force" in said
    assert export(journal, tmp_path, force=True).complaints == []
    assert mine.read_bytes().startswith(b"\x89HDF")

    (tmp_path / TOGETHER).write_text("My thesis.", encoding="utf-8")
    (tmp_path / "sasbdb.json").unlink()
    with pytest.raises(SasnetError, match=TOGETHER):
        export(journal, tmp_path)


@pytest.mark.slow
def test_other_data_of_the_same_name_have_their_own_files(tmp_path: Path, sphere_file: SphereFile) -> None:
    for folder, radius in (("a", 40.0), ("b", 60.0)):
        (tmp_path / folder).mkdir()
        sphere_file(tmp_path / folder / "run.dat", radius)
    files = tmp_path / "a" / "run.dat", tmp_path / "b" / "run.dat"
    code, said = batch(*files, "--out", tmp_path / "r.h5", "--workers", 1, *FAST, "--export", tmp_path / "x")
    assert code == 0, said
    assert "2 data sets exported" in said
    with h5py.File(tmp_path / "x" / TOGETHER) as file:
        radii = {
            name: next(p["value"] for p in file[name]["parameters"][()] if p["name"] == b"radius")
            for name in file
        }
    assert radii == pytest.approx({"run": 40.0, "run-2": 60.0}, rel=0.01)
    code, said = batch(*files, "--out", tmp_path / "r.h5", "--workers", 1, *FAST, "--export", tmp_path / "x")
    assert "0 data sets exported, 2 unchanged" in said


def test_a_file_that_has_changed_is_not_exported(tmp_path: Path, sphere_file: SphereFile) -> None:
    (tmp_path / "data").mkdir()
    path = sphere_file(tmp_path / "data" / "run.dat", 40.0)
    batch(path, "--out", tmp_path / "r.h5", "--workers", 1, *FAST)
    sphere_file(path, 70.0)
    os.utime(path, ns=(1, 1))
    with Journal(journal_of(tmp_path / "r.h5")) as journal:
        found = export(journal, tmp_path / "x")
    assert found.written == 0
    assert "has changed" in found.complaints[0]
    assert not (tmp_path / "x" / "run.nxcansas.h5").exists()


def test_a_curve_that_is_not_the_fitted_one_is_refused(journal: Journal) -> None:
    record = next(r for r in journal.records() if r["rows"][0]["fits"])
    (row, curve), *_ = deposit.curves(record, journal.options[record["options"]])
    kept = row["fits"][0]
    kept["parameters"]["scale"]["value"] *= 1.05
    with pytest.raises(SasnetError, match=r"reduced χ² of .*, not .*; fit the file again"):
        deposit.result_of(row, curve)


def test_a_sample_without_its_files_is_refused_in_a_sentence(journal: Journal) -> None:
    record = next(r for r in journal.records() if r["rows"][0]["fits"])
    for kept, sentence in (
        ({}, "older version; give the command again"),
        ({"sample": {"kind": "contrasts", "files": ["/data/a.dat"], "points": [3]}}, "files have changed"),
    ):
        other = record | {"file": "/data/a (together)", "rows": [record["rows"][0] | kept]}
        with pytest.raises(SasnetError, match=sentence):
            list(deposit.curves(other, {}))


def test_the_folder_of_the_measurements_is_refused(journal: Journal, answered: Path) -> None:
    with pytest.raises(SasnetError, match="holds the measurements"):
        export(journal, answered / "data")
    assert not list((answered / "data").glob("*.h5"))


@pytest.mark.slow
def test_another_batch_does_not_replace_the_files_of_all(tmp_path: Path, sphere_file: SphereFile) -> None:
    (tmp_path / "data").mkdir()
    path = sphere_file(tmp_path / "data" / "run.dat", 40.0)
    command = (path, "--workers", 1, *FAST, "--export", tmp_path / "x", "--out")
    assert batch(*command, tmp_path / "a.h5")[0] == 0
    before = contents(tmp_path / "x")
    code, said = batch(*command, tmp_path / "b.h5")
    assert code != 0
    assert contents(tmp_path / "x") == before


@pytest.mark.slow
def test_shards_export_when_they_are_merged(tmp_path: Path, sphere_file: SphereFile) -> None:
    (tmp_path / "data").mkdir()
    for k in range(4):
        sphere_file(tmp_path / "data" / f"run{k}.dat", 40.0 + k)
    out = ("--out", tmp_path / "r.h5")
    command = (tmp_path / "data", *out, "--workers", 1, *FAST)
    code, said = batch(*command, "--shard", "1/2", "--export", tmp_path / "x")
    assert code == 2
    assert "--merge" in said
    for part in ("1/2", "2/2"):
        assert batch(*command, "--shard", part)[0] == 0
    code, said = batch("--merge", *out, "--export", tmp_path / "x")
    assert code == 0, said
    with h5py.File(tmp_path / "x" / TOGETHER) as file:
        assert sorted(file) == [f"run{k}" for k in range(4)]


def test_a_window_and_its_points_are_those_of_the_fit(tmp_path: Path, sphere_file: SphereFile) -> None:
    (tmp_path / "data").mkdir()
    path = sphere_file(tmp_path / "data" / "run.dat", 40.0)
    window = ("--q-range", "0.01:0.15")
    code, said = batch(
        path, "--out", tmp_path / "r.h5", "--workers", 1, *FAST, *window, "--export", tmp_path / "x"
    )
    assert code == 0, said
    with h5py.File(tmp_path / "x" / TOGETHER) as file:
        q = file["run"]["q"][()]
    assert q.min() >= 0.01
    assert q.max() <= 0.15


#: Keys of the branch's data classes for SASBDB that are written here.
KEYS = {
    "project": {"published", "pubmed_pmid", "doi", "project_title"},
    "sample": {"sample_title", "molecule", "buffer", "curve_type", "experimental_curve", "angular_units",
               "intensity_units", "guinier", "pddf", "description", "fits"},
    "fit": {"software", "software_version", "fit_data", "angular_units", "chi_squared", "description",
            "models"},
    "model": {"software_or_db", "software_version", "model_data", "symmetry", "log", "comment"},
    "guinier": {"rg", "rg_error", "i0", "range_start", "range_end"},
    "pddf": {"software", "software_version", "pddf_file", "dmax", "dmax_error", "rg", "rg_error", "i0"},
}  # fmt: skip


def test_the_project_for_sasbdb_has_keys_and_files_of_every_row(journal: Journal, tmp_path: Path) -> None:
    found = export(journal, tmp_path)
    project = json.loads((tmp_path / "sasbdb.json").read_text(encoding="utf-8"))
    assert set(project) <= {"project", "samples", "instruments"}
    assert project["project"].keys() <= KEYS["project"]
    assert len(project["samples"]) == 6
    for sample, (name, row) in zip(project["samples"], rows(journal).items(), strict=True):
        assert sample.keys() <= KEYS["sample"]
        assert sample["guinier"].keys() <= KEYS["guinier"]
        radius = next(p["value"] for k, p in row["fits"][0]["parameters"].items() if "radius" in k)
        assert sample["guinier"]["rg"] == pytest.approx(0.0775 * radius, rel=0.1)  # √(3/5) R, in nm
        assert sample.get("pddf", {}).keys() <= KEYS["pddf"]
        columns = np.loadtxt(tmp_path / sample["experimental_curve"])
        q = load(tmp_path / f"{name}.nxcansas.h5")[0].q
        np.testing.assert_allclose(columns[:, 0], q, rtol=1e-15)  # units are converted on reading
        for fit, kept in zip(sample["fits"], row["fits"], strict=True):
            assert fit.keys() <= KEYS["fit"]
            assert fit["models"][0].keys() <= KEYS["model"]
            assert fit["chi_squared"] == kept["reduced_chisq"]
            assert np.loadtxt(tmp_path / fit["fit_data"]).shape == (40, 4)
    assert any("molecule" in said for said in found.remarks)
