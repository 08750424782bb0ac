"""Mistakes of somebody who drops images for the first time: what the page says of them, and what it keeps."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from imagefiles import rods
from pages import NewPage
from test_tag_browser import Server as TagServer
from webpages import Server, until

GEOMETRY = "wavelength = {}\ndistance = 4000\npixel_size = 5\ndirect_beam = [47.5, 47.5]\n"


def blob(path: Path, seed: int = 0) -> Path:
    """Write an image that is brightest in its middle, without a word on how it was measured."""
    y, x = np.mgrid[:96, :96] - 47.5
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.random.default_rng(seed).poisson(500 * np.exp(-(x**2 + y**2) / 800) + 2))
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("work"))
    yield found
    found.end()


def test_a_mistyped_geometry_is_corrected_where_it_stands(
    server: Server, new_page: NewPage, tmp_path: Path
) -> None:
    page = new_page(server.address)
    page.click("#to-images")
    page.set_input_files("#add-images", str(blob(tmp_path / "untold.npy")))
    until(page, "(document.body.dataset.image || '').includes('untold.npy')")
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
