"""Fitting -> Suggest model… in the real SasView 6.2.0 and 6.1.3, with the mouse, under Xvfb.

SASNET_SCREENSHOTS names a folder to which the pictures of a session are copied (docs/screenshots).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sasviews import Home, lines_of_sasnet
from test_sasview_pages import check_page

from sasnet_plugin.fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS

APOFERRITIN, SDS, POLYMER = "apoferritin.txt", "hSDS_D2O_2p0_percent.xml", "ISIS_Polymer_Blend_TK49.xml"
#: The longest that SasView works between two ticks of 50 ms while sasnet works, as a share of the longest in
#: its own work in that session, such as its start and making a page. Its start alone is short where all files
#: are in memory.
SHARE = 0.4
#: Phases of the session in which SasView works and sasnet does not.
OWN = ("start", "steps", "SasView's own fit")
#: Milliseconds of two ticks: what nobody notices, however short SasView's own work is.
TWO_TICKS = 100.0


def went_well(seen: dict[str, Any], files: int) -> None:
    """Status, boxes that nobody asked for, and what was seen of each data set."""
    assert seen["status"] == 0
    assert all("What's New" in text for text in seen["modal"])
    assert not seen["sasnet_importable"], "sasnet is not to be installed beside SasView"
    assert seen["states"] == ["fitted"] * files
    assert seen["child_ended"]
    assert seen["closed"] == [True] * files, "Close, then Escape"
    assert all(" ± " in text for text in seen["values"])
    names = [row[0] if row[2] == "–" else f"{row[0]}@{row[2]}" for row in seen["fitted"][-1][:2]]
    assert seen["both"] == [
        f"Sent to a fit page: {', '.join(names)}.",
        [row[0] for row in seen["fitted"][-1][:2]],
    ], "a page for each candidate that is selected"
    for path, size, is_page in seen["reports"]:
        assert is_page
        assert size > 10_000
        assert Path(path).exists(), "reports survive the window"
    assert seen["cut"] == [], "words of the table that are cut"
    assert [title.partition(", ")[2] for title in seen["drawn"]] == [
        "nearest simulated curve, not fitted", "fit"
    ] * files  # fmt: skip
    assert len(seen["reopened"]) == files
    assert min(seen["reopened"]) > 10_000, "a report of a fit whose process is gone"
    name, pages = seen["unfitted"]
    assert pages == [name], "a model that was not fitted is sent, too"
    for table in seen["suggested"]:
        assert len(table) == 10
        shown = [float(row[3].removesuffix(" %")) for row in table]
        assert shown == sorted(shown, reverse=True)
        assert all(row[1] != "not listed" for row in table), "each has its category of SasView"
        assert all(row[5] == "" for row in table), "nothing is fitted yet"
    for table in seen["fitted"]:
        best = table[0]
        assert float(best[5]) < 2
        assert best[7] in (EXPLAINS, DOUBTS, DOES_NOT)
        assert any(row[8] for row in table)


def responsive(seen: dict[str, Any], version: str, *phases: str) -> None:
    """Between two ticks there is little work while sasnet works, and nothing waits for sasnet.

    A busy machine lets a window wait now and then, for a file or for the screen; one that waits for sasnet
    does so each time.
    """
    for phase, gaps in seen["gaps_ms"].items():
        print(f"SasView {version}, {phase}: longest gaps between two ticks {[round(gap) for gap in gaps]} ms,"
              f" longest work {seen['work_ms'].get(phase, 0):.0f} ms")  # fmt: skip
    own = max(seen["work_ms"][phase] for phase in OWN if phase in seen["work_ms"])
    mark = max(SHARE * own, TWO_TICKS)
    assert max(seen["work_ms"][phase] for phase in phases) < mark
    repeated = [min(gaps) for phase, gaps in seen["gaps_ms"].items() if phase in phases and len(gaps) > 1]
    assert max(repeated, default=0.0) < mark


def sent(seen: dict[str, Any], version: str, least: int) -> None:
    """Each page as sent, and SasView's own fit of it no worse and no better than sasnet's."""
    assert len(seen["sends"]) >= least
    for each in seen["sends"]:
        name = f"{each['row'][0]}@{each['row'][2]}"
        assert each["status"] == f"Sent to a fit page: {name.removesuffix('@–')}."
        check_page(each["sent"], each["page"])
        theories = [name for graph in each["graphs"] if len(graph) > 1 for name in graph[1:]]
        assert any(re.match(r"M\d+ ?\[", name) for name in theories), "a graph of data with their theory"
        assert each["page"]["category"] == each["row"][1]
        ours, theirs = each["sent"]["reduced_chisq"], each["chi2_fitted"]
        print(f"SasView {version}, {name}: reduced χ² {theirs:.5f} after its fit, {ours:.5f} by sasnet, "
              f"ratio {theirs / ours:.5f}")  # fmt: skip
        assert theirs == pytest.approx(ours, rel=0.01)
        assert set(each["after"]["free"]) == set(each["page"]["free"])


def keep(home: Home, *names: tuple[str, str]) -> None:
    """Copy pictures to where the documentation has them, if that is wanted."""
    folder = os.environ.get("SASNET_SCREENSHOTS")
    for name, as_name in names:
        picture = home.folder / "out" / f"{name}.png"
        assert picture.stat().st_size > 5000
        if folder:
            shutil.copy(picture, Path(folder) / f"sasview_{as_name}.png")


def test_from_the_menu_to_sasviews_own_fit(home: Home, sasview62: Path, example_data: Path) -> None:
    assert home.sasnet("--install").returncode == 0
    assert [path.name for path in home.plugins.iterdir()] == ["sasnet_suggest.py"]
    files = [example_data / POLYMER, example_data / SDS]
    send = {"1": ["vesicle@hayter_msa", "sphere@hayter_msa"]}
    seen = home.session([str(sasview62)], "whole", files, send=send)
    went_well(seen, 2)
    responsive(seen, "6.2.0", "suggestion", "fit")
    assert [len(seen["gaps_ms"][phase]) for phase in ("suggestion", "fit")] == [2, 2], (
        "waiting shows each time"
    )
    sent(seen, "6.2.0", 3)
    assert [each["file"] for each in seen["sends"]].count(str(files[0])) == 1
    assert {each["page"]["structure_factor"] for each in seen["sends"][1:]} == {"hayter_msa"}
    # The data of the second file came to the page that was empty; its second model to a page of its own.
    assert [each["new_pages"] for each in seen["sends"]][:2] == [0, 0]
    pictures = ("menu", "menu"), ("suggested0", "suggested"), ("fitted1", "fitted"), ("sent2", "page")
    keep(home, *pictures)


def crowded_spheres(path: Path) -> Path:
    """A curve of spheres that keep their distance, which is fitted sooner than a measured one."""
    from sasmodels.core import load_model
    from sasmodels.data import empty_data1D
    from sasmodels.direct_model import DirectModel

    q = np.geomspace(0.006, 0.3, 70)
    model = DirectModel(empty_data1D(q, resolution=0.0), load_model("sphere@hardsphere"))
    exact = model(radius=40.0, volfraction=0.3, sld=4.0, sld_solvent=1.0, background=0.01)
    error = 0.02 * exact
    measured = exact + error * np.random.default_rng(1).standard_normal(q.size)
    np.savetxt(path, np.column_stack([q, measured, error]), header="Q I dI")
    return path


def test_the_same_with_the_release_before(home: Home, sasview61: Path) -> None:
    assert home.sasnet("--install").returncode == 0
    seen = home.session([str(sasview61)], "whole", [crowded_spheres(home.folder / "spheres.txt")])
    went_well(seen, 1)
    responsive(seen, "6.1.3", "suggestion", "fit")
    sent(seen, "6.1.3", 1)
    assert seen["sends"][0]["page"]["structure_factor"] == "hardsphere"


def test_killed_fits_and_stop(home: Home, sasview62: Path, example_data: Path) -> None:
    assert home.sasnet("--install").returncode == 0
    files = [example_data / POLYMER, crowded_spheres(home.folder / "spheres.txt")]
    seen = home.session([str(sasview62)], "killed", files)
    assert seen["status"] == 0
    assert seen["workers"] > 0
    state, sentence = seen["after_kill"]
    assert state == "fit ended early: the process of sasnet is gone"
    assert sentence.startswith("The process of sasnet has ended; the next request starts it again.")
    for state, chisq in (seen["next"], seen["after_worker_kill"]):
        assert state == "fitted"
        assert float(chisq) < 2
    assert seen["rows"] == ["LOQ_Standard_TK49_SANS", "spheres.txt"]
    # The first may be done already, as the fits go on one after the other.
    first, last = seen["stopped"]
    assert first in ("fitted", "stopped")
    assert last == "stopped"
    responsive(seen, "6.2.0", "fit killed", "fit after a kill", "two fits")
    assert not Path(f"/proc/{seen['child']}").exists(), "the process outlives SasView"
    keep(home, ("all", "several"))


def write_broken(home: Home, text: str) -> None:
    """Install as `text` twice: the folder of one is gone, a file of the other is cut in the middle."""
    source = Path(__file__).parents[2] / "sasnet_plugin" / "integrations" / "sasview"
    assert str(source) in text
    for broken in ("gone", "damaged"):
        copy = home.folder / broken
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (home.plugins / f"sasnet_{broken}.py").write_text(text.replace(str(source), str(copy)), "utf-8")
    shutil.rmtree(home.folder / "gone")
    (home.folder / "damaged" / "table.py").write_text("def half(:\n", encoding="utf-8")


def test_missing_hook_other_data_uninstalled_and_broken(
    home: Home, sasview62: Path, example_data: Path
) -> None:
    """After it is uninstalled nothing of it is left, and two broken installations cannot stop SasView."""
    home = replace(home, shares=False)  # what is compiled is to be removed, too
    assert home.sasnet("--install").returncode == 0
    text = (home.plugins / "sasnet_suggest.py").read_text(encoding="utf-8")
    folder = example_data.parent
    files = [
        folder / "2d_data" / "P_New.sans",
        folder / "sesans_data" / "sphere2micron.ses",
        example_data / SDS,
    ]
    seen = home.session([str(sasview62)], "hooks", files)
    assert seen["status"] == 0
    assert seen["missing"] == [
        "This SasView (6.2.0) has no FittingWidget.createPageForParameters, which sasnet needs; "
        "sasnet knows SasView 6.1 and 6.2."
    ]
    assert seen["no_data"] == ["There are no data: load a file, and tick it or send it to a fit page."]
    image, sesans, curve = seen["refusals"]
    assert image == "sasnet suggests models for 1D data only; average the image to a curve first."
    assert "SESANS" in sesans
    assert curve == ""

    done = home.sasnet("--uninstall")
    assert done.returncode == 0
    assert "sasnet_suggest.py" in done.stdout
    assert home.files("sasnet") == []
    assert home.sasnet("--uninstall").stdout == "There was nothing to remove.\n"

    write_broken(home, text)
    seen = home.session([str(sasview62)], "plain")
    assert (seen["status"], seen["entry"], seen["title"]) == (0, False, "SasView 6.2.0")
    lines = lines_of_sasnet(seen["log"])
    assert len(lines) == 2, "nothing is said but of the broken ones"
    for broken in ("gone", "damaged"):
        (line,) = [line for line in lines if f"sasnet_{broken}.py" in line]
        assert "sasnet is not added to SasView" in line
        assert "repeat 'sasnet sasview --install'" in line


def test_launcher_starts_sasview_with_files(home: Home, sasview61: Path, example_data: Path) -> None:
    command = [sys.executable, "-m", "sasnet_plugin", "sasview", str(example_data / APOFERRITIN)]
    seen = home.session([*command, "--python", str(sasview61.parents[1])], "plain", loaded=1)
    assert (seen["status"], seen["entry"], seen["title"]) == (0, True, "SasView 6.1.3")
    assert seen["data"] == ["apoferritin.txt"]
    assert home.files("sasnet") == []
