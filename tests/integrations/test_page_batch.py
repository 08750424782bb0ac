"""Many curves from the page: a batch that is killed and goes on, several curves together, commands."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from child import PATIENCE
from pages import NewPage
from webpages import Server, findings, opened_curve, serve, spheres, until

from sasnet_plugin.data.sample.described import read_description
from sasnet_plugin.data.sample.sectors import weigh_parts
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.simulate.magnetic_spheres import calculate_parts
from sasnet_plugin.types import Curve, Sector

#: So many that a batch is seen under way on a quick machine, too; Å that the radius grows by in each.
FRAMES, GROWTH = 24, 2.5
SOLVENTS = {"h2o": "H2O", "match": "2.5", "d2o": "6.36"}


#: Each plot lies within its cell, and each cell within the list of them.
_TRENDS_ARE_WHOLE = """(() => {
    const right = (one) => one.getBoundingClientRect().right, all = right(document.querySelector("#trends"));
    const cells = [...document.querySelectorAll(".trend")];
    return cells.length > 2 && cells.every((cell) => right(cell) <= all + 1
        && [...cell.querySelectorAll(".u-wrap, canvas")].every((one) => right(one) <= right(cell) + 1));
})()"""


def heating(folder: Path) -> None:
    """Frames of spheres that grow with the temperature in their headers."""
    for k in range(FRAMES):
        path = spheres(folder, f"frame {k + 1}.dat", radius=40.0 + GROWTH * k)
        path.write_text(f"# temperature: {20 + 5 * k} °C\n{path.read_text()}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all that fits few curves: contrasts, spin states and spheres."""
    runs = tmp_path_factory.mktemp("runs")
    contrasts(runs)
    spin_states(runs)
    spheres(runs)
    yield from serve(tmp_path_factory.mktemp("work"), runs)


def until_said(page: Any, pattern: str) -> str:
    """What is said of the batch, once it is that."""
    until(page, f"/{pattern}/.test(document.querySelector('#batch-state').textContent)")
    return str(page.text_content("#batch-state"))


def test_a_batch_that_is_killed_goes_on_is_drawn_against_the_temperature_and_another_is_stopped(
    new_page: NewPage, tmp_path: Path
) -> None:
    runs, work = tmp_path / "runs", tmp_path / "work"
    heating(runs)
    (runs / "paper.dat").write_text("This is no measurement.\n")
    server = Server(work, runs)
    page = new_page(server.address)
    page.wait_for_selector("tr:has-text('paper.dat') .state:has-text('cannot be read')")
    page.check("#all")
    page.wait_for_selector(f"#count:has-text('{FRAMES} ticked')")
    page.click("#batch")
    page.fill("#batch-models", "sphere")
    page.check("#batch-series")
    page.click("#batch-start")
    until_said(page, f"Under way: [1-9]\\d* of {FRAMES}")
    server.end(signal.SIGKILL)
    journal = work / "batches" / "000001" / "results.h5.journal"
    done = journal.read_text().count('"rows"')
    assert 0 < done < FRAMES

    server = Server(work, runs)
    try:
        page = new_page(server.address)
        page.click("#to-batches")
        said = until_said(page, "Stopped")
        assert "continue the batch" in said
        until(page, "!document.querySelector('#batch-go').hidden")
        page.click("#batch-go")
        until_said(page, f"Done: {FRAMES} of {FRAMES} files done\\.")
        assert journal.read_text().count('"rows"') == FRAMES, "nothing is done twice"
        page.select_option("#against", "temperature")
        until(page, "document.querySelectorAll('#trends .u-over').length >= 3")
        assert page.text_content("#changes") == "The model is sphere in all frames."
        # A narrow window, and a scroll bar that comes: nothing of a trend is cut off at the right.
        for wide in (1280, 1160):
            page.set_viewport_size({"width": wide, "height": 500})
            until(page, _TRENDS_ARE_WHOLE)
        page.set_viewport_size({"width": 1400, "height": 900})
        radii = [
            float(re.search(r"radius ([\d.]+)", one.text_content())[1])  # type: ignore[index]
            for one in page.query_selector_all("#batch-rows tr")
        ]
        np.testing.assert_allclose(radii, 40.0 + GROWTH * np.arange(FRAMES), rtol=0.02)
        assert findings(page) == []
        page.set_viewport_size({"width": 390, "height": 800})
        page.wait_for_timeout(300)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
        page.set_viewport_size({"width": 1400, "height": 900})
        files = {}
        for name in ("index.html", "trend.html", "results.h5", "results.csv"):
            with page.expect_download() as got:
                page.click(f"#batch-links a[href$='{name}']")
            files[name] = tmp_path / name
            got.value.save_as(files[name])
        with h5py.File(files["results.h5"]) as file:
            assert file["datasets"].shape == (FRAMES,)
        assert "frame 3.dat" in files["index.html"].read_text()
        assert "<svg" in files["trend.html"].read_text()
        # The list and the curve know it, and the curve begins from it.
        page.click("#to-files")
        page.wait_for_selector("tr:has-text('frame 3.dat') .state:has-text('fitted')")
        opened_curve(page, "frame 3.dat")
        page.wait_for_selector("#said:has-text('Batch 1. ')")
        assert float(page.get_by_label("radius, value").input_value()) == pytest.approx(
            40.0 + 2 * GROWTH, rel=0.02
        )
        stop_a_batch(server, page)
    finally:
        assert server.end(signal.SIGINT) == 0


def stop_a_batch(server: Server, page: Any) -> None:
    """Begin another batch and stop it: its report is there; a bad model is one sentence, and no batch."""
    page.click("#to-files")
    page.check("#all")
    page.click("#batch")
    page.check("#batch-series")
    page.click("#batch-start")
    until_said(page, f"Under way: [1-9]\\d* of {FRAMES}")
    page.click("#batch-stop")
    until_said(page, f"Stopped: \\d+ of {FRAMES} files done\\.$")
    page.wait_for_selector("#batch-links a:has-text('Report')")
    page.click("#to-files")
    page.click("#batch")
    page.fill("#batch-models", "spher")
    page.click("#batch-start")
    page.wait_for_selector("#problem:has-text('did you mean sphere')")
    assert len(server.get("api/batches")["batches"]) == 2


def contrasts(folder: Path) -> None:
    """Core-shell spheres in three solvents."""
    rng, q = np.random.default_rng(3), np.geomspace(0.006, 0.3, 80)
    for name, solvent in (("h2o", -0.56), ("match", 2.5), ("d2o", 6.36)):
        values = {
            "radius": 40.0,
            "thickness": 15.0,
            "sld_core": 1.0,
            "sld_shell": 4.0,
            "sld_solvent": solvent,
        }
        clean = 0.02 * call("core_shell_sphere", q, values | {"sld_solvent": solvent}).intensity + 0.1
        error = 0.02 * clean
        rows = np.c_[q, clean + error * rng.normal(size=q.size), error]
        np.savetxt(folder / f"{name}.dat", rows, fmt="%.7g")


def spin_states(folder: Path) -> None:
    """Magnetic spheres in sectors along and across a field, both spin states; files give the sectors."""
    rng, q = np.random.default_rng(7), np.geomspace(0.005, 0.2, 70)
    values = {"radius": 40.0, "radius_pd": 0.1, "sld": 6.9, "sld_solvent": 5.66, "sld_magnetic": 1.3,
              "nonmagnetic_layer": 0.0}  # fmt: skip
    parts = calculate_parts("sphere", values, q)
    for place, name, spin in ((0, "along", "+"), (0, "along", "-"), (90, "across", "+"), (90, "across", "-")):
        empty = Curve(q, np.ones(q.size), sector=Sector(place, 10.0), spin=spin)
        clean = 0.01 * weigh_parts(empty, 0.0, None) @ parts + 0.02
        rows = np.c_[q, clean * (1 + 0.01 * rng.normal(size=q.size)), 0.01 * clean]
        head = f"sector azimuth = {place} half-width = 10\nq(1/A) I(1/cm) dI(1/cm)"
        np.savetxt(folder / f"{name}_{SPIN[spin]}.dat", rows, fmt="%.7g", header=head)


SPIN = {"+": "up", "-": "down"}


def test_spin_states_and_sectors_are_asked_for_and_fitted_together(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    for name in ("across_down", "across_up", "along_down", "along_up"):
        page.get_by_label(f"Tick {name}.dat").check()
    page.click("#together")
    page.wait_for_selector("#describe-magnetic[open]")
    assert findings(page) == []
    sectors = page.eval_on_selector_all("[aria-label^='Sector, ']", "all => all.map((one) => one.value)")
    assert sectors == ["90:10", "90:10", "0:10", "0:10"], "as the files say"
    page.fill("#describe-models", "sphere")
    page.get_by_label("Spin state of along_up.dat").select_option("+")
    page.click("#describe-fit")
    page.wait_for_selector("#problem:has-text('spin states need a field; enter its azimuth')")
    page.click("#to-files")
    page.click("#together")
    assert page.get_by_label("Spin state of along_up.dat").input_value() == "+", "it stays entered"
    for name in ("across", "along"):
        for spin, word in SPIN.items():
            page.get_by_label(f"Spin state of {name}_{word}.dat").select_option(spin)
    page.fill("#describe-field", "0")
    page.fill("#describe-polarisation", "1:1")
    page.fill("#describe-models", "sphere")
    page.click("#describe-fit")
    page.wait_for_selector(".headline:has-text('Magnetic scattering')", timeout=1000 * PATIENCE)
    radius = re.search(r"radius / Å([\d.]+)", page.text_content(".shared"))
    assert radius is not None
    assert float(radius[1]) == pytest.approx(40.0, abs=0.5)
    words = shlex.split(page.text_content("#said code"))
    sample = read_description(words[words.index("--sample-file") + 1])
    assert sample == {
        "kind": "sectors", "field": 0, "polarisation": {"polariser": 1, "flipper": 1},
        "sectors": {"1": "90:10", "2": "90:10", "3": "0:10", "4": "0:10"},
        "spins": {"1": "-", "2": "+", "3": "-", "4": "+"},
    }  # fmt: skip
    page.wait_for_selector("#out a:has-text('Bumps script')")
    taken = page.locator("#out a").all_inner_texts()
    assert {"SasView project", "Bumps script", "Report"} <= set(taken)
    assert any(name.startswith("Plugin ") for name in taken), "the model with spin states"


def said_by(words: list[str], *without: str) -> Any:
    """What a command that the page names says as JSON, without what it writes."""
    assert words[:2] == ["sasnet", "fit"]
    for option in ("--report", "--export"):
        if option in words:
            place = words.index(option)
            words = words[:place] + words[place + 2 :]
    words = [word for word in words if word != ""]
    done = subprocess.run(
        [sys.executable, "-m", "sasnet_plugin", *words[1:], "--json"],
        stdout=subprocess.PIPE, timeout=4 * PATIENCE, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def without_times(answer: Any) -> Any:
    """An answer without what is not of the data: seconds, and the next command."""
    for fit in answer["fits"]:
        fit.pop("seconds", None)
    answer.pop("next")
    answer.pop("purpose", None)
    return answer


def test_a_command_carries_the_starts_and_limits_of_the_page(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address))
    page.locator(".grip.low").focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    page.select_option("#model", "fuzzy_sphere")
    page.get_by_label("fuzziness, slider").wait_for()  # the table of before has no such row
    page.get_by_label("radius, slider").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    for label, value in (
        ("fuzziness, lower limit", "0.01"),
        ("fuzziness, upper limit", "25.5"),
    ):
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Enter")
    page.get_by_label("sld_solvent, fit or fixed").select_option("fixed")
    began = float(page.get_by_label("radius, value").input_value())
    page.click("#refit")
    page.wait_for_selector("#command")
    words = shlex.split(page.text_content("#command"))
    starts = dict(pair.split("=") for pair in words[words.index("--start") + 1].split(","))
    assert float(starts["radius"]) == pytest.approx(began, rel=1e-5)
    assert words[words.index("--ranges") + 1] == "fuzziness=0.01:25.5"
    low, high = map(float, words[words.index("--q-range") + 1].split(":"))
    assert high >= 0.35
    assert len(str(low)) < 8, "a number for people"
    fit = until(page, "(location.hash.match(/fit=(\\d+)/) || [])[1]")
    ours = server.get(f"api/fits/{fit}")["answer"]["fit"]
    assert "--start" in ours["next"] or "--models" in ours["next"]
    assert without_times(ours) == without_times(said_by(words))


def test_curves_that_are_described_are_fitted_together_as_the_command_does(
    server: Server, new_page: NewPage
) -> None:
    page = new_page(server.address)
    for name in ("match", "d2o", "h2o"):
        page.get_by_label(f"Tick {name}.dat").check()
    page.click("#together")
    assert findings(page) == []
    for name, solvent in SOLVENTS.items():
        page.get_by_label(f"Solvent of {name}.dat").fill(solvent)
    page.fill("#describe-own", "radius, background")
    page.fill("#describe-share", "radius")
    page.click("#describe-fit")
    # The files of the fit before are written first.
    twice = "#problem:has-text('radius cannot be both shared and separate')"
    page.wait_for_selector(twice, timeout=1000 * PATIENCE)
    page.click("#to-files")
    page.click("#together")
    page.fill("#describe-own", "")
    page.fill("#describe-share", "thicknes")
    page.click("#describe-fit")
    page.wait_for_selector("#problem:has-text('did you mean thickness')")
    page.click("#to-files")
    page.click("#together")
    for name, solvent in SOLVENTS.items():
        page.get_by_label(f"Solvent of {name}.dat").fill(solvent)
    page.fill("#describe-own", "background")
    page.fill("#describe-share", "")
    page.select_option("#describe-kind", "contrasts")
    page.fill("#describe-models", "core_shell_sphere")
    page.click("#describe-fit")
    said = ".headline:has-text('contrasts of one sample together')"
    page.wait_for_selector(said, timeout=1000 * PATIENCE)
    table = page.text_content(".shared")
    radius = re.search(r"radius / Å([\d.]+)", table)
    assert radius is not None
    assert float(radius[1]) == pytest.approx(40.0, abs=0.5)
    assert {"d2o.dat", "h2o.dat", "match.dat", "All curves"} <= {
        one.text_content() for one in page.query_selector_all(".shared thead th")
    }
    code = page.text_content("#said code")
    words = shlex.split(code)
    sample = read_description(words[words.index("--sample-file") + 1])
    assert sample == {
        "kind": "contrasts",
        "solvents": {"1": 6.36, "2": "H2O", "3": 2.5},
        "own": ["background"],
    }
    until(page, "/fit=\\d+/.test(location.hash)")
    fit = page.evaluate("location.hash.match(/fit=(\\d+)/)[1]")
    ours = server.get(f"api/fits/{fit}")["answer"]["sample"]
    theirs = said_by(words, "--together")
    assert without_times(ours) == without_times(theirs)
