"""No command replaces a file that it has not written; its own it replaces again and again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tinypatterns import TOML, pattern
from tinyzoo import sphere_curve, write_zoo
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.types import DataError


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(map(str, arguments)))
    return result.exit_code, result.output


@pytest.fixture
def images(zoo: Path, tmp_path: Path) -> Path:
    """A folder with two patterns."""
    write_zoo(zoo, "gisas_hex")
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("f1", "f2"):
        np.save(folder / f"{name}.npy", pattern(counts=1e6).counts)
        (folder / f"{name}.toml").write_text(TOML)
    return folder


@pytest.fixture
def curve(zoo: Path, tmp_path: Path) -> Path:
    np.savetxt(tmp_path / "a.dat", np.column_stack(sphere_curve(60.0)))
    return tmp_path / "a.dat"


def refuse(path: Path, *arguments: str | Path) -> None:
    """The command leaves a file as it is, and says so before it computes anything."""
    before = path.read_bytes()
    code, said = run(*arguments)
    assert code == 1
    assert said.startswith(f"sasnet: {path}: exists and was not written by this command")
    assert said.count("\n") == 1
    assert path.read_bytes() == before


def test_inputs_are_never_replaced(images: Path, curve: Path) -> None:
    f1, f2 = images / "f1.npy", images / "f2.npy"
    follow = "follow", f1, f2, "--domain", "gisas_hex"
    refuse(f1, *follow, "--out", f1)
    refuse(f2, *follow, "--out", images / "t.csv", "--plot", f2)
    refuse(f1, "classify", f1, "--plot", f1)
    refuse(curve, "classify", curve, "--plot", curve)
    for path in (curve, curve.with_suffix(".h5"), curve.with_suffix(".svg"), curve.with_suffix(".csv")):
        if not path.exists():
            path.write_text("mine")
        out = curve.with_suffix(".h5") if path.suffix == ".h5" else curve.with_name("r.h5")
        if path.suffix == ".csv":
            out = path.with_suffix(".hdf5")
        options = ("--series", "--plot", path) if path.suffix == ".svg" else ()
        if path != curve:
            refuse(path, "batch", curve, "--out", out, *options)


def test_the_same_command_again_replaces_what_it_wrote(images: Path) -> None:
    table, figure = images / "t.csv", images / "t.png"
    command = "follow", images / "f1.npy", "--domain", "gisas_hex", "--out", table, "--plot", figure
    for _ in range(2):
        assert run(*command)[0] == 0
    command = "classify", images / "f1.npy", "--plot", images / "c.svg", "--report", images / "pages"
    for _ in range(2):
        assert run(*command)[0] == 0
    (page,) = (images / "pages").iterdir()
    page.write_text("my notes")
    code, said = run(*command)
    assert code == 1
    assert "f1.npy" in said.splitlines()[0], "the answer comes first"
    assert page.read_text() == "my notes"
    assert run(*command, "--force")[0] == 0
    assert "my notes" not in page.read_text()


def test_simulate_and_train_leave_what_is_not_theirs(tmp_path: Path) -> None:
    out = tmp_path / "shards"
    out.mkdir()
    for name in ("data.tmp4999999", ".x.tmp4999999"):
        (out / name).write_text("mine")
    plan = "simulate", "--out", out, "--models", "guinier", "--rounds", 1, "--limit", 1
    assert run(*plan)[0] == 0
    assert {path.name for path in out.iterdir()} >= {"data.tmp4999999", ".x.tmp4999999"}
    zoo, folder = tmp_path / "zoo", tmp_path / "run"
    zoo.mkdir()
    (zoo / "model.onnx").write_text("mine")
    train = "train", "--data", out, "--validation", out, "--run", folder, "--zoo", zoo
    refuse(zoo / "model.onnx", *train)
    folder.mkdir()
    (folder / "settings.json").write_text("mine")
    refuse(folder / "settings.json", *train)


@pytest.mark.parametrize(("command", "module"), [("classify", "kinds"), ("fit", "fit")])
def test_ctrl_c_leaves_the_table_of_what_was_answered(
    command: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recognised(path: Path) -> str:
        if path.name == "later.dat":
            raise KeyboardInterrupt
        raise DataError(f"{path}: is no measurement.")

    monkeypatch.setattr(f"sasnet_plugin.cli.{module}.recognise_domain", recognised)
    table, first = tmp_path / "table.csv", tmp_path / "first.dat"
    code, _ = run(command, first, tmp_path / "later.dat", tmp_path / "last.dat", "--csv", table)
    assert code == 130
    assert [line.partition(",")[0] for line in table.read_text().splitlines()] == ["file", str(first)]
