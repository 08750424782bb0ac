"""Images in the page of `sasnet web`: dropped, looked into, of a kind that is chosen, fitted; their tags."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imagefiles import DIRECTOR, RADIUS, broken, lattice, rods
from pages import NewPage
from test_tag_browser import Server as TagServer
from typer.testing import CliRunner
from webpages import Server, findings, serve, spheres, until

from sasnet_plugin.cli.main import app

#: Seconds that a fit may take on a machine that is busy.
FITTED = 180_000.0


GEOMETRY = "wavelength = {}\ndistance = 4000\npixel_size = 5\ndirect_beam = [47.5, 47.5]\n"


def blob(path: Path, seed: int = 0) -> Path:
    """Write an image that is brightest in its middle, without a word on how it was measured."""
    y, x = np.mgrid[:96, :96] - 47.5
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.random.default_rng(seed).poisson(500 * np.exp(-(x**2 + y**2) / 800) + 2))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("data") / "beamtime"
    rods(found)
    rods(found, "untold.npy", told=False)
    lattice(found)
    broken(found)
    spheres(found)
    return found


@pytest.fixture(scope="module")
def rods_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image that one network reads, and a curve: to begin a server with them costs little."""
    found = tmp_path_factory.mktemp("rods")
    rods(found)
    spheres(found)
    return found


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all that does not kill it."""
    yield from serve(tmp_path_factory.mktemp("work"), folder)


def listed(page: Any, number: int) -> Any:
    """Go to the tab; so many images are there."""
    page.click("#to-images")
    until(page, f"document.querySelectorAll('.shot .state').length === {number}")
    return page


def opened_image(page: Any, name: str) -> Any:
    """Open an image of the list; its picture is there."""
    page.click(f".shot:has(.name:text-is('{name}'))")
    until(page, f"(document.body.dataset.image || '').includes('{name}')")
    until(page, "document.querySelector('#shot-picture').naturalWidth > 0")
    until(page, "!document.querySelector('#shot-under').textContent.startsWith('Loading')")
    return page


def shown_share(page: Any) -> float:
    """Which share of the picture's width is seen."""
    wide = page.evaluate("document.querySelector('#shot-picture').getBoundingClientRect().width")
    return float(page.evaluate("document.querySelector('#shot-frame').clientWidth")) / float(wide)


def test_what_is_dropped_is_an_image_or_a_curve_by_itself(
    server: Server, new_page: NewPage, tmp_path: Path
) -> None:
    page = listed(new_page(server.address), 3)
    first, curve, junk = rods(tmp_path, "dropped.npy"), spheres(tmp_path, "ball.dat"), broken(tmp_path)
    page.set_input_files("#add-images", [str(first), str(first.with_suffix(".toml"))])
    page.wait_for_selector(".shot:has-text('dropped.npy'):has-text('cylinder')")
    assert (server.work / "dropped" / "dropped.toml").exists(), "its geometry lies beside it"
    page.set_input_files("#add-images", [str(curve)])
    page.wait_for_selector("#title:has-text('ball.dat')")
    page.set_input_files("#add", [str(first)])
    page.wait_for_selector("#image-title:has-text('dropped.npy')")
    page.click("#to-images")
    page.set_input_files("#add-images", [str(junk)])
    page.wait_for_selector("#problem:has-text('damaged or cut short')")
    page.click("#to-files")
    page.wait_for_selector("tr:has-text('broken.cbf') .state:has-text('cannot be read')")
    page.wait_for_selector("tr:has-text('dropped.npy') input.tick[disabled]")  # no curve to be fitted


def test_a_picture_says_where_one_is_and_is_zoomed_by_mouse_and_keys(
    server: Server, new_page: NewPage
) -> None:
    page = new_page(server.address)
    page.click("#to-images")
    opened_image(page, "rods.npy")
    box = page.locator("#shot-frame").bounding_box()

    def q_at(x: float, y: float) -> tuple[float, float, float]:
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        found = re.search(r"qx (\S+), qy (\S+), q = (\S+) Å", page.text_content("#shot-under"))
        assert found is not None
        return float(found[1]), float(found[2]), float(found[3])

    left, right, above = q_at(0.1, 0.5), q_at(0.9, 0.5), q_at(0.5, 0.1)
    assert left[0] < 0 < right[0], "qx to the right"
    assert above[1] > 0, "qy up"
    assert right[2] == pytest.approx(np.hypot(*right[:2]), rel=0.01)
    assert not page.is_hidden("#shot-beam")
    # What lies under the mouse stays there while it is zoomed.
    page.click("#shot-frame", position={"x": box["width"] * 0.9, "y": box["height"] * 0.5})
    page.mouse.wheel(0, -300)
    until(page, "document.querySelector('#shot-frame .inner').style.transform.includes('scale(1.2')")
    assert q_at(0.9, 0.5)[0] == pytest.approx(right[0], rel=0.03)
    page.focus("#shot-frame")
    for key in ("+", "+", "+"):
        page.keyboard.press(key)
    assert shown_share(page) < 0.3
    before = page.text_content("#shot-under")
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert page.text_content("#shot-under") != before, "the cross says where it is"
    assert page.is_visible("#shot-frame .cross")
    page.keyboard.press("0")
    assert shown_share(page) == pytest.approx(1.0, abs=0.01)
    page.click("#closer")
    assert shown_share(page) == pytest.approx(1 / 1.5, abs=0.01)
    for view in ("polar", "correlation", "linear"):
        page.select_option("#shot-view", view)
        until(page, "!document.querySelector('#shot-under').textContent.startsWith('Loading')")
    assert page.is_hidden("#problem")


def test_an_image_that_does_not_tell_its_kind_is_asked_about_and_the_choice_is_kept(
    server: Server, new_page: NewPage
) -> None:
    page = new_page(server.address)
    page.click("#to-images")
    opened_image(page, "untold.npy")
    page.wait_for_selector(".kinds li")
    assert page.text_content("#shot-said").startswith("What kind of image is this?")
    assert page.is_disabled("#verify")
    page.wait_for_selector(".kinds li:has-text('X-ray scattering images'):has-text('%')")
    page.fill("#geometry", "wavelength=6\ndistance=4000\npixel_size=5.3\ndirect_beam=[63.5, 63.5]")
    page.select_option("#kind", "sans2d")
    page.click("#read")
    page.wait_for_selector("#shot-said .headline:has-text('cylinder')")
    page.reload()
    page.wait_for_selector("#shot-said .headline:has-text('cylinder')")
    assert page.input_value("#kind") == "sans2d"
    page.select_option("#kind", "")
    page.fill("#geometry", "")
    page.click("#read")
    page.wait_for_selector("#shot-said .headline:has-text('What kind of image')")


def test_physics_is_fitted_simulated_again_and_kept_over_a_kill(
    new_page: NewPage, rods_alone: Path, tmp_path: Path
) -> None:
    """Each server is told what it is to show first, an image and a curve."""
    first = Server(tmp_path / "work", rods_alone, "--show", "rods.npy")
    try:
        page = new_page(first.address)
        page.wait_for_selector("#image-title:has-text('rods.npy')")
        page.go_back()
        assert "#show" not in page.url, "the address was of the beginning alone"
        opened_image(listed(page, 1), "rods.npy")
        page.click("#verify")
        page.wait_for_selector("#shot-progress:has-text('director')")
        page.wait_for_selector("#parts:not([hidden])", timeout=FITTED)
        headline = page.text_content("#shot-said .headline")
        radius, director = (
            float(re.search(what, headline)[1]) for what in (r"radius (\S+)", r"about (\S+?)(?: ±|°)")
        )
        assert radius == pytest.approx(RADIUS, rel=0.1)
        assert director == pytest.approx(DIRECTOR, abs=3)
        for part in ("measured", "simulated", "residual"):
            until(page, f"document.getElementById('{part}').naturalWidth > 0")
        page.hover("#simulated")
        assert "q = " in page.text_content("#part-under")
        with page.expect_download() as got:
            page.click("#shot-out a:has-text('Report')")
        assert "cylinder" in Path(got.value.path()).read_text(encoding="utf-8")
        page.wait_for_selector("#figures section:first-child h3:text-is('Simulated again')")
        until(page, "document.querySelector('#figures img').naturalWidth > 0")
        of_network = page.text_content("#figures section:has-text('Quantities') h3")
        assert of_network == "Quantities by the network, before the fit; use the fitted values"
        assert "█" not in page.text_content("#figures"), "the figure has bars enough"
        assert page.text_content("#shot-out").count("image") == 3
        assert "said" in page.get_attribute("#shot-said", "class"), "the answer stands in its box"
        # A second one is under way when the server is killed.
        page.click("#verify")
        page.wait_for_selector("#shot-progress:has-text('director')")
    finally:
        first.end(signal.SIGKILL)
    page.wait_for_selector("#problem:has-text('start sasnet web again')")
    second = Server(tmp_path / "work", rods_alone, "--show", "spheres.dat")
    try:
        again = new_page(second.address)
        again.wait_for_selector("#title:has-text('spheres.dat')")
        listed(again, 1).wait_for_selector(".shot:has-text('rods.npy'):has-text('fit: cylinder')")
        opened_image(again, "rods.npy")
        again.wait_for_selector("#parts:not([hidden])")
        assert again.text_content("#shot-said .headline") == headline
        until(again, "document.getElementById('residual').naturalWidth > 0")
        again.wait_for_selector("#shot-history:has-text('sasnet was closed during this fit')")
        again.click("#verify")
        again.wait_for_selector("#shot-progress:has-text('director')")
        began = time.monotonic()
        again.click("#stop-shot")
        again.wait_for_selector("#shot-history:has-text('stopped')")
        assert time.monotonic() - began < 5.0
    finally:
        assert second.end(signal.SIGINT) == 0


def test_what_cannot_be_shown_first_is_a_sentence(rods_alone: Path, tmp_path: Path) -> None:
    for given, why in (
        ([str(rods_alone), "--show", "no.dat"], "is not a file in"),
        (["--show", "a"], "name its folder as well"),
    ):
        done = CliRunner().invoke(app, ["web", *given, "--work", str(tmp_path / "no")])
        assert done.exit_code != 0
        assert why in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_tags_are_a_tab_of_the_same_server(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    page.click("a:text-is('Tags')")
    page.select_option("#kind", "sans2d")
    assert findings(page) == []
    page.click("#begin button")
    page.wait_for_selector(".cell:has-text('rods.npy')")
    page.click(".cell:has-text('rods.npy')")
    page.keyboard.press("Enter")
    until(page, "(document.querySelector('#picture') || {}).naturalWidth > 0")
    assert findings(page) == []
    page.focus("#frame")
    for key in ("+", "+", "ArrowUp"):
        page.keyboard.press(key)
    assert "scale(2.25)" in page.evaluate("document.querySelector('#frame .inner').style.transform")
    assert "q = " in page.text_content("#under")
    page.click("[aria-label='All of the image']")
    assert "scale(1)" in page.evaluate("document.querySelector('#frame .inner').style.transform")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.wait_for_selector(".cell:has-text('rods.npy') .yes:has-text('cylinder')")
    page.click("a:text-is('Images')")
    listed_again = page.wait_for_selector(".shot:has-text('rods.npy')")
    assert listed_again is not None
    assert page.get_attribute("#to-images", "aria-current") == "page"


def test_everything_is_done_by_keys_alone(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    page.focus("#to-images")
    page.keyboard.press("Enter")
    page.wait_for_selector(".shot:has-text('rods.npy')")
    page.focus("#shot-search")
    page.keyboard.type("rods")
    until(page, "document.querySelectorAll('.shot').length === 1")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('shot')"):
            break
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#figures img')")
    named = page.evaluate(
        """[..."button input select textarea a summary [tabindex]".split(" ")]
            .flatMap((kind) => [...document.querySelectorAll(`#image ${kind}`)])
            .filter((one) => one.checkVisibility())
            .filter((one) => one.tabIndex < 0
                || !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
            .map((one) => one.outerHTML)"""
    )
    assert named == []


# What happens to somebody who drops images for the first time: what the page says, and what it keeps.


def test_a_mistyped_geometry_is_corrected_where_it_stands(
    server: Server, new_page: NewPage, tmp_path: Path
) -> None:
    page = new_page(server.address)
    page.click("#to-images")
    page.set_input_files("#add-images", str(blob(tmp_path / "mute.npy")))
    until(page, "(document.body.dataset.image || '').includes('mute.npy')")
    page.select_option("#kind", "sans2d")
    page.click("#read")
    until(page, "document.getElementById('shot-said').textContent.includes('geometry lacks')")
    said = page.text_content("#shot-said")
    assert "wavelength (Å), distance (mm), pixel_size (mm)" in said
    assert "--geometry" not in said
    page.fill("#geometry", "wavelength 6\ndistance = 4000\npixel_size = 5")
    page.click("#read")
    until(
        page, "document.getElementById('shot-said').textContent.includes('wavelength 6: is not name=value')"
    )
    assert page.is_visible("#geometry"), "the image is still open"
    assert page.input_value("#geometry").startswith("wavelength 6")
    page.fill("#geometry", "wavelength = 6\ndistance = 4\npixel_size = 5")
    page.click("#read")
    until(page, "document.getElementById('shot-said').textContent.includes('distance = 4 looks like m')")
    assert "--geometry" not in page.text_content("#shot-said")
    page.fill("#geometry", "wavelength = 6\ndistance = 4000\npixel_size = 5")
    page.click("#read")
    until(page, "document.getElementById('shot-title').textContent === 'small-angle-scattering images'")


def test_what_is_said_of_all_images_is_said_once(server: Server, new_page: NewPage, tmp_path: Path) -> None:
    page = new_page(server.address)
    page.click("#to-images")
    page.set_input_files("#add-images", [str(blob(tmp_path / f"{name}.npy", 3)) for name in ("one", "two")])
    page.click(".shot:has-text('one.npy')")
    until(page, "(document.body.dataset.image || '').includes('one.npy')")
    page.check("#others")
    page.click("#image a[href='#images']")
    page.click(".shot:has-text('two.npy')")
    until(page, "(document.body.dataset.image || '').includes('two.npy')")
    assert not page.is_checked("#others")


def test_every_file_that_is_not_taken_is_named(server: Server, new_page: NewPage, tmp_path: Path) -> None:
    page = new_page(server.address)
    for name in ("photo.jpg", "notes.pdf"):
        (tmp_path / name).write_bytes(b"x" * 50)
    page.set_input_files("#add", [str(tmp_path / "photo.jpg"), str(tmp_path / "notes.pdf")])
    until(page, "document.getElementById('problem').textContent.includes('2 files were not taken')")
    said = page.text_content("#problem")
    assert "photo.jpg" in said
    assert "notes.pdf" in said


def test_folders_that_are_dropped_keep_their_geometry_apart(
    server: Server, new_page: NewPage, tmp_path: Path
) -> None:
    for number, wavelength in enumerate((6, 12), 1):
        blob(tmp_path / f"run {number}" / "frame.npy", number)
        (tmp_path / f"run {number}" / "geometry.toml").write_text(GEOMETRY.format(wavelength))
    page = new_page(server.address)
    page.click("#to-images")
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(tmp_path / "run 1"), str(tmp_path / "run 2")],
                "dragOperationsMask": 1}  # fmt: skip
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 400, "data": data})
    for number in (1, 2):
        page.wait_for_selector(f".shot:has-text('run {number}/frame.npy')")
    ends = []
    for number in (1, 2):
        page.click(f".shot:has-text('run {number}/frame.npy')")
        until(page, f"(document.body.dataset.image || '').includes('run {number}/frame.npy')")
        page.select_option("#kind", "sans2d")
        page.click("#read")
        until(page, "document.getElementById('shot-under').textContent.includes('Å⁻¹')")
        ends.append(page.text_content("#shot-under").partition(" to ")[0])
        page.click("#image a[href='#images']")
    assert ends[0] != ends[1], "each has the wavelength of its own folder"


def test_tags_of_a_folder_hold_what_is_dropped_on_the_other_tabs(
    new_page: NewPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blob(tmp_path / "shots" / "first.npy")
    server = TagServer(tmp_path / "shots")
    try:
        home, _, token = server.address.partition("tags")
        page = new_page(f"{home}{token}")
        page.click("#to-images")
        rods(tmp_path, "dropped_rods.npy", told=False)
        page.set_input_files("#add-images", str(tmp_path / "dropped_rods.npy"))
        until(page, "(document.body.dataset.image || '').includes('dropped_rods.npy')")
        page.goto(f"{home}tags")
        page.wait_for_selector(".cell:has-text('first.npy')")
        page.wait_for_selector(".cell:has-text('dropped/dropped_rods.npy')")
    finally:
        server.end(signal.SIGKILL)
