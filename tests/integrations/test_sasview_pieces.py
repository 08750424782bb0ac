"""Pieces of the integration that need no SasView: installing, launching, tables, repairs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.integrations.sasview import adapter, install
from sasnet_plugin.integrations.sasview.adapter import SasView, data_set
from sasnet_plugin.integrations.sasview.entries import Entry
from sasnet_plugin.report.exports.sasview import plugin_text, sasview_name
from sasnet_plugin.types import SasnetError

FOLDER = Path(install.__file__).parent
#: What SasView's own files say on the folder, for each system.
FOLDERS = {
    "linux": ({"XDG_DATA_HOME": ""}, ".local/share/SasView/plugin_models"),
    "darwin": ({}, "Library/Application Support/SasView/plugin_models"),
    "win32": ({"LOCALAPPDATA": ""}, "AppData/Local/sasview/SasView/plugin_models"),
}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_what_runs_in_sasview_needs_nothing_of_sasnet(path: Path) -> None:
    outside = {"PySide6", "sas"} | set(sys.stdlib_module_names)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= outside
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert str(node.module).split(".")[0] in outside
        elif isinstance(node, ast.ImportFrom) and path.name not in ("install.py", "launch.py"):
            assert node.level == 1


@pytest.mark.parametrize("system", FOLDERS)
def test_folder_of_plugin_models(system: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    variables, expected = FOLDERS[system]
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(install.sys, "platform", system)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert install.plugin_folder() == tmp_path / expected


def test_install_and_uninstall_leave_what_is_the_users(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "plugin_models"
    path = install.install(folder)
    assert list(folder.iterdir()) == [path]
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "sasnet_suggest.cpython-312.pyc").touch()
    mine = folder / "my_model.py", folder / "__pycache__" / "my_model.cpython-312.pyc"
    for each in mine:
        each.touch()
    assert len(install.uninstall(folder)) == 2
    assert sorted(p for p in folder.rglob("*") if p.is_file()) == sorted(mine)
    assert install.uninstall(folder) == []
    for each in mine:
        each.unlink()
    install.install(folder)
    install.uninstall(folder)
    assert not folder.exists()


@pytest.mark.parametrize("case", ["no Qt", "gone"])
def test_dropin_says_one_line_where_it_cannot_work(tmp_path: Path, case: str) -> None:
    path = install.install(tmp_path)
    text = path.read_text(encoding="utf-8")
    if case == "gone":
        path.write_text(text.replace(str(FOLDER), str(tmp_path / "gone")), encoding="utf-8")
    # -I -S: standard library alone, so no PySide6.
    done = subprocess.run([sys.executable, "-I", "-S", str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("sasnet is not added to SasView (")
    assert str(path) in done.stderr


def test_record_names_this_sasnet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    found = install.record()
    assert found["folder"] == str(FOLDER)
    assert found["command"][0] == sys.executable
    assert found["command"][-2:] == ["sasnet_plugin", "serve"]
    assert found["environment"] == {"SASNET_SURFACE": "page", "PYTHONPATH": "/somewhere"}
    monkeypatch.delenv("PYTHONPATH")
    assert install.record()["environment"] == {"SASNET_SURFACE": "page"}


def test_what_cannot_be_done_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(SasnetError, match=r"menu entry .* cannot be written .*; name another folder"):
        install.install(blocked / "plugin_models")
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SasnetError, match=r"^SasView is not installed together .* --python PATH\.$"):
        install.start_sasview([])
    with pytest.raises(SasnetError, match=r"nowhere: there is no Python here"):
        install.start_sasview([], str(tmp_path / "nowhere"))
    with pytest.raises(SasnetError, match=r"this Python has no SasView; install it there"):
        install.start_sasview([], sys.executable)
    monkeypatch.setattr(install, "python_with_sasview", lambda given: sys.executable)
    with pytest.raises(SasnetError, match=r"missing\.dat: there is no such file"):
        install.start_sasview([str(tmp_path / "missing.dat")])


@pytest.mark.parametrize("wrong", [["--install", "--uninstall"], ["--install", "data.dat"]])
def test_wrong_usage(wrong: list[str]) -> None:
    assert CliRunner().invoke(app, ["sasview", *wrong]).exit_code == 2


def test_command_installs_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAS_DLL_PATH", str(tmp_path / "compiled"))
    run = CliRunner().invoke
    said = run(app, ["sasview", "--install", "--plugins", str(tmp_path)]).stdout
    assert "Written" in said
    assert "from its next start" in said
    assert (tmp_path / install.NAME).exists()
    assert "Removed" in run(app, ["sasview", "--uninstall", "--plugins", str(tmp_path)]).stdout


def test_without_sasview_the_command_says_so_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SasView makes its folder at its first start; what sasnet has written there is no SasView."""
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(install, "plugin_folder", lambda: tmp_path / "SasView" / "plugin_models")
    for _ in range(2):
        said = CliRunner().invoke(app, ["sasview", "--install"]).stdout
        assert "No SasView was found" in said
        assert "next start" not in said
    (tmp_path / "SasView" / "config").mkdir()
    assert "from its next start" in CliRunner().invoke(app, ["sasview", "--install"]).stdout


def suggestion(*names: str) -> dict[str, Any]:
    models = [
        {"model": n, "structure_factor": None, "probability": 0.5 / (i + 1), "group": "g", "preview": None}
        for i, n in enumerate(names)
    ]
    return {"models": models, "warning": "Strange.", "notes": ["Note."]}


def fit(*names: str) -> dict[str, Any]:
    return {
        "fit": {
            "verified": True,
            "headline": "c: radius 5 Å; χ² 1. Explains the data.",
            "verdict": "explains",
            "notes": ["Not fitted within the time limit: b."],
            "unfitted": ["b"],
            "fits": [{"model": n, "structure_factor": None, "warnings": ["Beware."]} for n in names],
        },
        "pages": [{"reduced_chisq": 1.0 + i, "weight": 0.5} for i, _ in enumerate(names)],
        "curves": [{"name": n, "q": [0.1], "intensity": [1.0]} for n in names],
        "dq": None,
    }


def test_rows_before_and_after_fits() -> None:
    entry = Entry("data")
    entry.take_suggestion(suggestion("a", "b", "c"))
    assert [each.name for each in entry.candidates] == ["a", "b", "c"]
    assert entry.remarks == ["⚠ Strange.", "Note."]
    assert entry.state == "perhaps none of these"
    assert all(candidate.page is None for candidate in entry.candidates)
    entry.take_fit(fit("c", "d"), 7)
    assert [each.name for each in entry.candidates] == ["c", "d", "a", "b"]
    best, new, left, _ = entry.candidates
    assert (best.probability, best.reduced_chisq, best.verdict, best.warnings) == (
        pytest.approx(1 / 6), 1.0, "explains", ("Beware.",),
    )  # fmt: skip
    assert (new.probability, new.reduced_chisq, new.verdict) == (None, 2.0, "")
    assert left.page is None
    assert [each.warnings[0] for each in entry.candidates[2:]] == [
        "Not fitted: other models were more probable, or closer to the data before the fit.",
        "Not fitted within the time limit.",
    ]  # fmt: skip
    assert entry.remarks == [
        "c: radius 5 Å; χ² 1. Explains the data.", "Not fitted within the time limit: b."
    ]  # fmt: skip
    assert (entry.fit, entry.state) == (7, "fitted")
    # What an earlier fit said does not stay beside the numbers of a later one.
    entry.take_fit(fit("a"), 9)
    assert [each.reduced_chisq for each in entry.candidates] == [1.0, None, None, None]
    # A reason stands in every row that was not fitted.
    assert all(each.warnings[0].startswith("Not fitted") for each in entry.candidates[1:])
    entry.take_fit(fit(), 11)
    assert entry.state == "no model could be fitted"


def test_differences_of_a_page_are_named() -> None:
    sent = {
        "radius": ["True", "61.80339", "1", "20.0", "inf", []],
        "sld": ["False", "4.0", None, "-inf", "inf", []],
        "radius_effective_mode": ["None", "1", None, "", "", []],
        "radius.width": ["True", "0.1", None, "0.0", "1.0", "35", "3", "schulz"],
        "fitpage_structure": ["hardsphere"],
        "q_range_min": ["0.00512"],
        "smearing_min": ["None"],
    }
    same = {
        "radius": ["True", "61.803", None, "20", "inf", ()],
        "sld": ["False", "4", None, "-inf", "inf", ()],
        "radius_effective_mode": [None, "1", None, "0", "2", ()],
        "radius.width": ["True", "0.1", None, "0", "1", "35", "3", "schulz"],
        "fitpage_structure": ["hardsphere"],
        "q_range_min": ["0.0051200"],
    }
    assert adapter.compare(sent, same) == {}
    wrong = {
        "radius": ["True", "50", None, "20", "inf", ()],
        "sld": ["True", "4", None, "-inf", "inf", ()],
        "radius.width": ["True", "0.1", None, "0", "1", "35", "3", "gaussian"],
        "fitpage_structure": ["None"],
    }
    assert adapter.compare(sent, same | wrong) == {
        "radius": "radius: 50, not 61.80339",
        "sld": "sld: fitted",
        "radius.width": "radius.width: gaussian, not schulz",
        "fitpage_structure": "fitpage_structure: None, not hardsphere",
    }
    del same["sld"]
    assert adapter.compare(sent, same) == {"sld": "sld: missing"}


def test_page_is_cleaned_of_what_belongs_to_a_file() -> None:
    sent = {
        "tab_name": ["M1"],
        "data_id": [["x"]],
        "radius": ["True"],
        "reduced_chisq": 1.0,
        "model": "sphere",
    }
    assert adapter.clean(sent) == {"radius": ["True"]}


def test_a_sum_is_among_the_plugin_models_before_its_page_is_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sasview = object.__new__(SasView)
    listed: dict[str, list[Any]] = {"Sphere": [["sphere", True]]}

    def reread() -> None:
        listed["Plugin Models"] = [[path.stem, True] for path in tmp_path.glob("*.py")]

    changed = SimpleNamespace(customModelDirectoryChanged=SimpleNamespace(emit=reread))
    shown = SimpleNamespace(master_category_dict=listed, communicate=changed)
    monkeypatch.setattr(SasView, "_any_page", lambda _: shown)
    for name in ("sas", "sas.system", "sas.system.user"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(get_plugin_dir=lambda: tmp_path))
    name = sasview_name("sphere+power_law")
    assert sasview.category(name) == ""
    sasview._install(name, plugin_text("sphere+power_law"))
    assert sasview.category(name) == "Plugin Models"
    # What the user has there under this name stays.
    (tmp_path / f"{name}.py").write_text("theirs")
    sasview._install(name, plugin_text("sphere+power_law"))
    assert (tmp_path / f"{name}.py").read_text() == "theirs"


@pytest.mark.parametrize(
    ("loader", "assumed"), [("ASCII", True), ("CSV", True), ("IGOR 1D", False), ("CanSAS XML 1D", False)]
)
def test_text_without_units_is_told_to_be_that(loader: str, assumed: bool) -> None:
    data = SimpleNamespace(
        name="data", x=[0.01, 0.02], y=[2.0, 1.0], dy=[0.1, 0.1], dx=None, dxl=None, dxw=None,
        meta_data={"loader": loader}, _yunit="Counts",
    )  # fmt: skip
    item = SimpleNamespace(child=lambda _: SimpleNamespace(data=lambda: data), text=lambda: "data")
    curve = data_set(item).curve
    assert curve is not None
    assert curve["q_assumed"] is assumed
    assert curve["intensity_unit"] == ("" if assumed else "Counts")
