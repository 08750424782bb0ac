"""`sasnet web` in a browser: files dropped, limits dragged, sliders moved, fits stopped, a server killed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from child import PATIENCE
from pages import NewPage
from webpages import (
    Server,
    evaluated,
    findings,
    of_no_model,
    opened_curve,
    serve,
    spheres,
    until,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all that does not kill it, on a folder with a curve and with what is none."""
    folder = data / "runs"
    spheres(folder)
    (folder / "paper.dat").write_text("This is no measurement.\n")
    yield from serve(tmp_path_factory.mktemp("work"), folder)


@pytest.fixture(scope="module")
def odd_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all odd files."""
    folder = tmp_path_factory.mktemp("samples")
    odd(folder)
    of_no_model(folder)
    yield from serve(tmp_path_factory.mktemp("fitted"), folder)


def test_what_is_dropped_is_listed_and_junk_is_told(server: Server, new_page: NewPage, data: Path) -> None:
    page = new_page(server.address)
    page.wait_for_selector("tr:has-text('paper.dat') .state:has-text('cannot be read')")
    assert "paper.dat" in page.text_content("tr:has-text('paper.dat') .doubt")
    first = spheres(data / "others", "dropped spheres.dat")
    again = data / "again" / first.name
    again.parent.mkdir()
    again.write_bytes(first.read_bytes())
    others = data / "again" / "other spheres.dat"
    others.write_bytes(spheres(data / "more", "dropped spheres.dat", radius=70.0).read_bytes())
    junk = data / "again" / "<img src=x onerror=alert(1)>.dat"
    junk.write_bytes(bytes(range(256)) * 40)
    page.set_input_files("#add", [str(first), str(others), str(junk)])
    until(page, "document.querySelectorAll('#rows tr[data-key]').length === 5")
    page.evaluate("for (const one of document.querySelectorAll('#rows tr[data-key]')) one.seen = true")
    new = spheres(data / "later", "a new one.dat", radius=50.0)
    page.set_input_files("#add", [str(again), str(others), str(new)])
    until(page, "document.querySelectorAll('#rows tr[data-key]').length === 6")
    kept = "[...document.querySelectorAll('#rows tr[data-key]')].filter((one) => one.seen).length"
    assert page.evaluate(kept) >= 2, "rows of which nothing changes are left, so that no click is lost"
    page.fill("#search", "unreadable")
    until(page, "document.querySelectorAll('#rows tr[data-key]').length === 2")
    assert not page.query_selector("#rows img")
    page.fill("#search", "")
    until(page, "document.querySelectorAll('#rows tr[data-key]').length === 6")
    names = sorted(path.name for path in (server.work / "dropped").iterdir())
    assert names == [
        "_img src=x onerror=alert(1)_.dat",
        "a new one.dat",
        "dropped spheres.dat",
        "other spheres.dat",
    ]
    assert str(server.work / "dropped") in page.text_content(".foot")
    page.wait_for_selector("tr:has-text('other spheres') .number:has-text('%')")
    page.click("th[data-order=probability] button")
    page.wait_for_selector("th[data-order=probability][aria-sort=ascending]")
    # One file that is dropped anywhere is opened.
    text = "\n".join(first.read_text().splitlines()[:-10])
    page.evaluate(
        """text => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([text], "dragged.dat"));
            const how = { dataTransfer, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new DragEvent("drop", how));
        }""",
        text,
    )
    page.wait_for_selector("#title:has-text('dragged.dat')")
    # Of a folder that is dropped one file may not be read; the other is taken all the same.
    page.evaluate(
        """text => {
            const entry = (name, file) => ({ name, fullPath: `/run/${name}`, isFile: true, file });
            const good = entry("a good one.dat", (done) => done(new File([text], "a good one.dat")));
            const bad = entry("locked.dat", (done, failed) => failed(new DOMException("no permission")));
            let left = [bad, good];
            const createReader = () => ({ readEntries: (done) => { done(left); left = []; } });
            const items = [{ webkitGetAsEntry: () => ({ name: "run", createReader }) }];
            const how = new Event("drop", { bubbles: true, cancelable: true });
            Object.defineProperty(how, "dataTransfer", { value: { items, files: [] } });
            document.body.dispatchEvent(how);
        }""",
        text,
    )
    page.wait_for_selector("#rows tr:has-text('a good one.dat')")
    told = page.text_content("#problem")
    assert told == "The browser could not read /run/locked.dat: no permission"


def test_three_hundred_files_are_dropped_at_once(new_page: NewPage, tmp_path: Path) -> None:
    own = Server(tmp_path / "work")
    try:
        page = new_page(own.address)
        text = spheres(tmp_path / "data").read_text()
        page.evaluate(
            """text => {
                const dataTransfer = new DataTransfer();
                for (let k = 0; k < 300; k++)
                    dataTransfer.items.add(new File([`# ${k}\n${text}`], `run ${k}.dat`));
                dataTransfer.items.add(new File(["\0\1\2"], "photo.jpg"));
                dataTransfer.items.add(new File([`# 7\n${text}`], "run 7.dat"));
                const how = { dataTransfer, bubbles: true, cancelable: true };
                document.body.dispatchEvent(new DragEvent("drop", how));
            }""",
            text,
        )
        page.wait_for_selector("#count:has-text('300 data sets')", timeout=1000 * PATIENCE)
        page.wait_for_selector("#problem:has-text('photo.jpg: this kind of file contains no curves')")
        assert len(list((own.work / "dropped").iterdir())) == 300, "the same file is there once"
        until(page, "document.querySelector('#list').scrollTop = 1e6")
        page.wait_for_selector("button.open:text-is('run 99.dat')")
        assert page.evaluate("document.querySelectorAll('#rows tr').length") < 150, "rows out of sight"
        page.check("#all")
        page.wait_for_selector("#count:has-text('ticked')")
    finally:
        assert own.end(signal.SIGINT) == 0


def odd(folder: Path) -> None:
    """The spheres with negative intensities; without uncertainties; in nm⁻¹; two entries; q too large."""
    q, intensity, error = np.loadtxt(spheres(folder, "usual.dat"), unpack=True)
    np.savetxt(folder / "negative.dat", np.c_[q, intensity - 0.05, error], header="q(1/A) I(1/cm) dI(1/cm)")
    np.savetxt(folder / "no_errors.dat", np.c_[q, intensity], header="q(1/A) I(1/cm)")
    np.savetxt(folder / "nm.dat", np.c_[10 * q, intensity, error], header="q(1/nm) I(1/cm) dI(1/cm)")
    columns = np.c_[q, intensity, 1.7 * intensity + 0.01 / q]
    np.savetxt(folder / "two.csv", columns, delimiter=",", header="q (1/A),water,oil", comments="")
    np.savetxt(folder / "far.dat", np.c_[400 * q, intensity, error])


def test_negative_intensities_no_errors_nanometres_and_two_entries(
    odd_server: Server, new_page: NewPage
) -> None:
    page = new_page(odd_server.address)
    until(page, "document.querySelectorAll('#rows .number:not(:empty)').length === 7")
    opened_curve(page, "negative.dat")
    assert page.text_content("#window").startswith("120 of 120"), "points below 0 count, too"
    page.select_option("#view", "linear")
    page.click("#refit")
    page.wait_for_selector("#said.yes, #said.doubts")
    page.click("#to-files")
    page.wait_for_selector(".state:has-text('fitted')")
    opened_curve(page, "no_errors.dat")
    assert "uncertainties were estimated" in page.text_content("#notes")
    opened_curve(page, "nm.dat")
    assert "q 0.004 to 0.35" in page.text_content("#window")
    radius = float(page.get_by_label("radius, value").input_value())
    assert radius == pytest.approx(62.0, rel=0.25), "in Å"
    page.select_option("#unit", "A")
    until(page, "document.querySelector('#window').textContent.includes('0.04 to 3.5')")
    for entry in ("water", "oil"):
        page.click("#to-files")
        page.click(f"button.open:has-text('{entry}')")
        page.wait_for_selector(f"#title:has-text('{entry}')")


def test_limits_of_q_that_are_dragged_bring_a_new_suggestion(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address))
    assert page.text_content("#window").startswith("120 of 120 points")
    before = page.text_content("#candidates")
    grip = page.locator(".grip.low")
    box = grip.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 100
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 150, y, steps=8)
    page.mouse.up()
    until(page, "document.body.dataset.suggested")
    until(page, f"document.querySelector('#candidates').textContent !== {json.dumps(before)}")
    number = int(re.match(r"(\d+) of 120", page.text_content("#window"))[1])
    assert 70 < number < 110
    grip.focus()
    page.keyboard.press("ArrowRight")
    assert page.text_content("#window").startswith(f"{number - 1} of 120")
    # The address holds it all: another page with it shows the same.
    until(page, "location.hash.includes('q=')")
    other = new_page(server.address)
    other.evaluate(f"location.hash = {json.dumps(page.evaluate('location.hash'))}")
    until(other, f"document.querySelector('#window').textContent.startsWith('{number - 1} of')")
    page.click("#whole")
    assert page.text_content("#window").startswith("120 of 120")


def test_the_curve_under_a_slider_is_sasmodels_own(server: Server, new_page: NewPage) -> None:
    from sasmodels.core import load_model
    from sasmodels.data import Data1D
    from sasmodels.direct_model import DirectModel

    page = opened_curve(new_page(server.address))
    page.select_option("#model", "ellipsoid")
    page.select_option("#factor", "hardsphere")
    page.get_by_label("volfraction, slider").wait_for()  # the table of before has no such row
    slider = page.get_by_label("radius_polar, slider")
    slider.focus()
    asked, answer = evaluated(page, lambda: [page.keyboard.press("ArrowRight") for _ in range(5)])
    assert asked["model"] == "ellipsoid"
    assert answer["points"] == 120
    q = np.array(answer["q"])
    kernel = load_model("ellipsoid@hardsphere", dtype="double", platform="dll")
    exact = DirectModel(Data1D(x=q, y=q, dy=q), kernel)
    np.testing.assert_allclose(answer["intensity"], exact(**asked["values"]), rtol=1e-6)
    assert "not fitted" in page.text_content("#means")
    for view in ("Guinier", "Kratky", "Porod", "linear"):
        page.select_option("#view", view)
        assert page.query_selector("#plot .u-over")


def test_the_model_chosen_last_stays_though_the_one_before_is_answered_later(
    server: Server, new_page: NewPage
) -> None:
    page = opened_curve(new_page(server.address))
    page.wait_for_selector("#candidates [aria-pressed=true]")
    page.wait_for_load_state("networkidle")
    held: list[Any] = []
    page.route("**/api/start", lambda route: route.continue_() if held else held.append(route))
    page.select_option("#model", "ellipsoid")
    page.select_option("#factor", "hardsphere")
    page.get_by_label("volfraction, slider").wait_for()
    with page.expect_response("**/api/start"):
        held[0].continue_()
    page.wait_for_load_state("networkidle")
    assert page.input_value("#factor") == "hardsphere"
    assert page.get_by_label("volfraction, slider").is_visible()


def test_a_curve_that_is_being_opened_is_not_left_for_the_one_before(
    server: Server, new_page: NewPage
) -> None:
    page = opened_curve(new_page(server.address))
    page.wait_for_selector("#candidates [aria-pressed=true]")
    page.wait_for_load_state("networkidle")
    other = page.evaluate("location.hash").replace("spheres.dat", "other.dat")
    held: list[Any] = []
    page.route("**/api/curve", lambda route: held.append(route))
    page.select_option("#view", "linear")  # the address is to hold that, a moment later
    page.evaluate("address => { location.hash = address; }", other)
    page.wait_for_timeout(400)
    assert held
    assert page.evaluate("location.hash") == other
    held[0].abort()


def test_a_fit_is_the_command_s_own_to_the_digit_and_its_files_open(
    server: Server, new_page: NewPage, data: Path, tmp_path: Path
) -> None:
    command = subprocess.Popen(
        [sys.executable, "-m", "sasnet_plugin", "fit", str(data / "runs" / "spheres.dat"), "--json",
         "--models", "sphere"],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    page = new_page(server.address)
    page.evaluate(
        """fetch("/api/fits", { method: "POST", headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ keys: ["folder:spheres.dat#1"], models: ["sphere"] }) })"""
    )
    opened_curve(page)
    page.wait_for_selector("#said.yes")
    number = until(page, "Number(new URLSearchParams(location.hash.split('?')[1]).get('fit'))")
    ours = page.evaluate(f"fetch('/api/fits/{number}').then(a => a.json())")["answer"]["fit"]
    theirs = json.loads(command.communicate(timeout=PATIENCE)[0])
    for answer in (ours, theirs):
        for fit in answer["fits"]:
            fit.pop("seconds")
        answer.pop("next")
    assert ours == theirs
    assert page.text_content(".headline").endswith(theirs["headline"])
    page.wait_for_selector("#out a:has-text('NXcanSAS')")
    links = {
        one.text_content(): one.get_attribute("href") for one in page.query_selector_all("#out .links a")
    }
    files = {}
    for what, href in links.items():
        with page.expect_download() as got:
            page.click(f"#out a[href='{href}']")
        files[what] = tmp_path / got.value.suggested_filename
        got.value.save_as(files[what])
    _read_back(files, theirs)

    # Fixed stays fixed, and the fit before can be gone back to.
    box = page.get_by_label("radius, value")
    box.fill("60.5")
    box.press("Enter")
    page.get_by_label("radius, fit or fixed").select_option("fixed")
    page.click("#refit")
    until(page, f"document.querySelector('.headline').textContent.startsWith('Fit {number + 1}')", PATIENCE)
    second = page.evaluate(f"fetch('/api/fits/{number + 1}').then(a => a.json())")["answer"]["fit"]
    assert second["fits"][0]["parameters"]["radius"]["value"] == 60.5
    assert second["fits"][0]["parameters"]["radius"]["fixed"]
    page.click(f"button:has-text('Fit {number} sphere')")
    until(page, f"document.querySelector('.headline').textContent.startsWith('Fit {number}.')")
    best = theirs["fits"][0]["parameters"]["radius"]["value"]
    # The fit is named first; its values follow when the model's parameters are known.
    until(page, "Number(document.querySelector('[aria-label=\"radius, value\"]').value) !== 60.5")
    assert float(page.get_by_label("radius, value").input_value()) == pytest.approx(best, rel=1e-5)
    assert page.get_by_label("radius, fit or fixed").input_value() == "fit", "in that fit it was free"
    page.get_by_label(f"Compare fit {number + 1}").check()


def _read_back(files: dict[str, Path], told: dict[str, Any]) -> None:
    """Each file by the reader of its own program."""
    import h5py
    from bumps.cli import load_model
    from sasdata.dataloader.loader import Loader

    assert set(files) >= {"Report", "SasView project", "Bumps script", "Bumps session", "NXcanSAS",
                          "Curves as CSV", "Parameters for SasView"}  # fmt: skip
    radius = told["fits"][0]["parameters"]["radius"]["value"]
    assert "radius" in json.dumps(json.loads(files["SasView project"].read_text()))
    assert load_model(str(files["Bumps script"])).chisq() == pytest.approx(
        told["fits"][0]["reduced_chisq"], rel=0.01
    )
    assert Loader().load(str(files["NXcanSAS"]))[0].x.size == 120
    with h5py.File(files["Bumps session"]) as session:
        assert len(session)
    columns = np.genfromtxt(files["Curves as CSV"], delimiter=",", names=True)
    assert {"q_per_angstrom", "intensity", "uncertainty", "sphere"} <= set(columns.dtype.names)
    chisq = np.mean(((columns["intensity"] - columns["sphere"]) / columns["uncertainty"]) ** 2)
    assert chisq == pytest.approx(told["fits"][0]["reduced_chisq"], rel=0.1)
    assert f":radius,True,{radius:.3f}"[:17] in files["Parameters for SasView"].read_text()
    assert "<html" in files["Report"].read_text()


def test_a_fit_is_stopped_at_once_and_seen_by_every_page(
    server: Server, new_page: NewPage, tmp_path: Path
) -> None:
    path = of_no_model(tmp_path)
    page, other = new_page(server.address), new_page(server.address)
    page.set_input_files("#add", [str(path)])
    page.wait_for_selector(f"#title:has-text('{path.name}')")
    for one in (page, other):
        opened_curve(one, path.name)
    page.click("#find")
    until(page, "document.querySelector('#progress').textContent.includes('fits done')")
    other.wait_for_selector("#stop:not([disabled])")
    page.reload()
    page.wait_for_selector("#progress:has-text('fits done')")
    began = time.monotonic()
    stopped = other.evaluate(
        """async () => {
            const under_way = async () => (await (await fetch("/api/news")).json()).open.length;
            const began = performance.now();
            document.querySelector("#stop").click();
            while (await under_way()) await new Promise((done) => setTimeout(done, 20));
            return (performance.now() - began) / 1000;
        }"""
    )
    assert stopped < 1.0
    page.wait_for_selector("#stop[disabled]")
    page.wait_for_selector("#history:has-text('stopped')")
    assert (
        time.monotonic() - began < 3.0
    )  # of which the pages' own look takes a half, and their tools as much
    with_its_children = subprocess.run(["ps", "-eo", "pid"], capture_output=True, text=True).stdout
    assert str(server.process.pid) in with_its_children


def test_empty_tabs_and_a_curve_without_a_fit_have_no_finding_of_axe(
    server: Server, new_page: NewPage
) -> None:
    """`test_page_accessible` has the tabs with something in them."""
    page = new_page(server.address)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for tab in ("#to-curve", "#to-batches", "#to-images"):
            page.click(tab)
            page.wait_for_selector(f"{tab}[aria-current=page]")
            assert findings(page) == [], tab
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        opened_curve(page)
        page.wait_for_selector("#candidates button")
        assert findings(page) == []


def test_everything_is_done_by_keys_alone(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    page.focus("#search")
    page.keyboard.type("spheres.dat")
    rows = "[...document.querySelectorAll('#rows tr[data-key]')]"
    until(page, f"{rows}.length && {rows}.every((one) => one.textContent.includes('spheres.dat'))")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('open')"):
            break
    page.keyboard.press("Enter")
    until(page, "document.body.dataset.drawn")
    named = page.evaluate(
        """[...document.querySelectorAll("button, input, select, a, [role=slider]")]
            .filter((one) => one.checkVisibility())
            .filter((one) => one.tabIndex < 0
                || !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
            .map((one) => one.outerHTML)"""
    )
    assert named == []


def test_a_server_that_is_killed_loses_nothing_that_was_done(new_page: NewPage, tmp_path: Path) -> None:
    work = tmp_path / "work"
    first = Server(work)
    page = new_page(first.address)
    page.click("#example")
    page.wait_for_selector("#candidates button")
    until(page, "document.body.dataset.drawn")
    page.click("#refit")
    page.wait_for_selector("#said.yes")
    page.wait_for_selector("#out a:has-text('Report')")
    headline = page.text_content(".headline")
    path = of_no_model(tmp_path)
    page.click("#to-files")
    page.set_input_files("#add", [str(path)])
    page.wait_for_selector(f"#title:has-text('{path.name}')")
    until(page, f"(document.body.dataset.drawn || '').includes({json.dumps(path.name)})")
    page.click("#find")
    until(page, "document.querySelector('#progress').textContent.includes('fits done')")
    first.end(signal.SIGKILL)
    page.wait_for_selector("#problem:has-text('start sasnet web again')")
    second = Server(work)
    try:
        again = new_page(second.address)
        opened_curve(again, "example spheres.dat")
        again.wait_for_selector("#said.yes")
        assert again.text_content(".headline") == headline
        again.wait_for_selector("#out a:has-text('Report')")
        opened_curve(again, path.name)
        again.wait_for_selector("#history:has-text('sasnet was closed during this fit')")
    finally:
        assert second.end(signal.SIGINT) == 0


def test_what_cannot_be_read_is_told_how_to_and_is_a_curve_then(
    odd_server: Server, new_page: NewPage
) -> None:
    page = new_page(odd_server.address)
    page.wait_for_selector("tr:has-text('far.dat') .state:has-text('cannot be read')")
    assert page.is_disabled("tr:has-text('far.dat') .tick")
    page.click("button.open:text-is('far.dat')")
    page.wait_for_selector("#unread-why:has-text('check the unit of q')")
    assert findings(page) == []
    page.fill("#unread-wavelength", "long")
    page.click("#unread-read")
    page.wait_for_selector("#unread-why:has-text('“long” is no wavelength')")
    page.fill("#unread-wavelength", "")
    page.select_option("#unread-unit", "nm")
    page.click("#unread-read")
    until(page, "(document.body.dataset.drawn || '').includes('far.dat')")
    assert page.is_hidden("#unread")
    page.click("#to-files")
    page.wait_for_selector("tr:has-text('far.dat') .state:has-text('classified')")


def test_numbers_are_typed_as_people_do_and_the_plot_stays_beside_the_slider(
    server: Server, new_page: NewPage
) -> None:
    page = opened_curve(new_page(server.address, viewport={"width": 1280, "height": 720}))
    page.select_option("#model", "core_shell_sphere")
    value = page.get_by_label("thickness, value")
    value.fill("17,5")
    value.press("Enter")
    assert value.input_value() == "17.5"
    value.fill("7x")
    value.press("Enter")
    page.wait_for_selector("#problem:has-text('thickness: “7x” is not a number; 17.5 is kept.')")
    upper = page.get_by_label("thickness, upper limit")
    before = upper.input_value()
    upper.fill("0.5")
    upper.press("Enter")
    page.wait_for_selector("#problem:has-text('leave no range between them')")
    assert upper.input_value() == before
    slider = page.get_by_label("thickness, slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.evaluate("document.querySelector('main').scrollTop = 1e6")
    assert page.locator("#plot .u-over").bounding_box()["y"] > 0, "the hand sees what it does"
    for one in page.query_selector_all("#parameters input[type=range]"):
        box, frame = one.bounding_box(), page.locator("#parameters").bounding_box()
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1, "no slider is cut off"
    phone = opened_curve(new_page(server.address, viewport={"width": 390, "height": 800}))
    phone.get_by_label("radius, slider").focus()
    phone.evaluate("document.querySelector('main').scrollTop = 1e6")
    phone.get_by_label("radius, slider").scroll_into_view_if_needed()
    box = phone.locator("#plot .u-over").bounding_box()
    assert 0 <= box["y"] < 200, "on a phone, too"


def test_a_link_keeps_limits_that_were_moved_after_a_fit_and_the_next_step_is_a_button(
    odd_server: Server, new_page: NewPage
) -> None:
    page = opened_curve(new_page(odd_server.address), "no_model.dat")
    page.select_option("#model", "sphere")
    until(page, "document.querySelector('#means').textContent.startsWith('spheres')")
    page.click("#refit")
    page.wait_for_selector("#said.no", timeout=1000 * PATIENCE)
    # Nothing but spheres was asked for, so that all models are the next step.
    page.wait_for_selector("#again:has-text('Fit with all models')")
    page.click("#again")
    until(page, "document.querySelector('#progress').textContent !== ''")
    asked = odd_server.get("api/fits?key=folder%3Ano_model.dat%231")["fits"][0]["asked"]
    assert "start" not in asked, "those were of the spheres"
    assert asked.get("models") is None
    page.click("#stop")
    page.wait_for_selector("#history:has-text('stopped')")
    page.locator(".grip.low").focus()
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    said = page.text_content("#window").split(",")[0]
    assert said == "111 of 120 points"
    until(page, "location.hash.includes('q=') && location.hash.includes('fit=')")
    fit = page.evaluate("location.hash.match(/fit=(\\d+)/)[1]")
    other = new_page(odd_server.address)
    other.evaluate(f"location.hash = {json.dumps(page.evaluate('location.hash'))}")
    other.wait_for_selector(f"#said.no .headline:has-text('Fit {fit}.')")
    until(other, "document.body.dataset.suggested")
    assert other.text_content("#window").startswith(said)
    page.wait_for_load_state("networkidle")
    other.wait_for_load_state("networkidle")
