"""`sasnet tag` by keys, by a screen reader's names, on a phone: what the page owes everybody."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from test_tag_browser import PICTURES, Server
from webpages import SOON, findings, until

NUMBER = 130
PHONE = {"width": 390, "height": 844}
NewPage = Callable[..., Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tagged") / "shots"
    folder.mkdir()
    rng, (y, x) = np.random.default_rng(3), np.mgrid[:48, :48] - 23.5
    for k in range(NUMBER):
        ring = 30 * np.exp(-0.5 * ((np.hypot(y, x) - 5 - k % 12) / 2) ** 2) + 0.5
        np.save(folder / f"ring {k:03d}.npy", rng.poisson(ring).astype(np.int32))
    started = Server(folder)
    yield started
    started.end(signal.SIGKILL)


@pytest.fixture
def new_page(server: Server, browser: Any) -> Iterator[NewPage]:
    pages: list[Any] = []
    wrong: list[str] = []

    def make(**how: Any) -> Any:
        pages.append(browser.new_page(**how))
        pages[-1].on("pageerror", lambda error: wrong.append(str(error)))
        pages[-1].goto(server.address)
        pages[-1].wait_for_selector(".cell:has-text('ring')", timeout=SOON)
        return pages[-1]

    yield make
    for page in pages:
        page.close()
    assert not wrong


def named(*parts: str) -> re.Pattern[str]:
    """What a screen reader says of a cell."""
    return re.compile(r"^\s*" + r"\s*;\s*".join(map(re.escape, parts)).replace("/", ".") + r"\s*$")


def test_everything_is_tagged_by_keys_and_cells_are_buttons_with_names(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1280, "height": 800})
    page.keyboard.press("Tab")
    page.get_by_role("button", name=named("ring 000.npy")).focus()
    page.keyboard.press("1")
    first = page.evaluate("document.querySelector('#tags button').dataset.tag")
    page.get_by_role("button", name=named("ring 000.npy", first)).wait_for(timeout=SOON)
    # A tag beyond nine, by its name; that there is none is said, and vanishes as the name is mended.
    last = page.evaluate("[...document.querySelectorAll('#tags button')].at(-1).dataset.tag")
    page.keyboard.press("t")
    page.keyboard.type("no such tag")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#problem').textContent.startsWith('No tag begins with')")
    page.fill("#named", last.upper())
    until(page, "document.querySelector('#problem').hidden")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=named("ring 000.npy", first, last)).wait_for(timeout=SOON)
    page.keyboard.press("ArrowRight")
    until(
        page, "document.activeElement.matches('.cell.cursor') && document.activeElement.dataset.place === '1'"
    )
    page.keyboard.press(" ")
    until(page, "document.activeElement.getAttribute('aria-pressed') === 'true'")
    # Of all images it is shown first, by whichever key, and can be left.
    page.keyboard.press("Control+a")
    page.keyboard.press("2")
    page.wait_for_selector("#preview[open]")
    assert page.text_content("#preview-title") == f"{NUMBER} labels on {NUMBER} images"
    assert page.locator("#preview li").count() == 12
    assert page.evaluate("document.querySelector('#preview').scrollTop") == 0, "how many is seen first"
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('#preview').open")
    second = page.evaluate("document.querySelectorAll('#tags button')[1].dataset.tag")
    page.wait_for_timeout(300)
    assert f",{second}," not in page.evaluate("fetch('/export/log.csv').then(a => a.text())")
    page.keyboard.press("2")
    page.wait_for_selector("#preview[open]")
    page.click("#preview-write")
    page.get_by_role("button", name=named("ring 001.npy", second)).wait_for(timeout=SOON)
    page.keyboard.press("z")
    page.get_by_role("button", name=named("ring 001.npy")).wait_for(timeout=SOON)


def test_a_filter_s_error_goes_with_the_filter(new_page: NewPage) -> None:
    page = new_page()
    page.fill("#filter", "ring and (")
    page.keyboard.press("Enter")
    page.wait_for_selector("#filter-problem:visible")
    assert page.get_attribute("#filter", "aria-invalid") == "true"
    page.fill("#filter", "labelled")
    assert not page.is_visible("#filter-problem")
    page.keyboard.press("Enter")
    until(page, "/images?$/.test(document.querySelector('#count').textContent)")
    assert not page.is_visible("#problem")


def test_nothing_of_an_open_image_moves_when_it_is_tagged(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1280, "height": 800})
    page.dblclick(".cell[data-place='5']")
    until(page, "(document.querySelector('#picture') || {}).naturalWidth > 100")
    order = "[...document.querySelectorAll('tr[data-place] th')].map(one => one.textContent).join()"
    before, picture = page.evaluate(order), page.get_attribute("#picture", "src")
    button = page.locator("tr[data-place] button[data-value='1']").nth(4)
    box = button.bounding_box()
    tag = button.get_attribute("data-tag")
    pressed = f'document.querySelector(\'[data-tag="{tag}"][data-value="1"][aria-pressed=true]\')'
    page.mouse.click(box["x"] + 3, box["y"] + 3)
    until(page, f"!!{pressed}")
    page.wait_for_timeout(300)
    assert button.bounding_box() == box
    assert page.evaluate(order) == before
    assert page.get_attribute("#picture", "src") == picture
    assert page.evaluate("document.activeElement.dataset.tag") == tag, "the next key goes on from there"
    # Where the mouse is, the beam, and the colours.
    page.hover("#picture")
    assert "pixels from the beam" in page.text_content("#under")
    assert page.is_visible("#beam")
    until(page, "document.querySelector('#bar-colours').naturalWidth === 256")
    assert "logarithmic" in page.text_content("#bar-top")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(new_page: NewPage, scheme: str) -> None:
    page = new_page(viewport={"width": 1280, "height": 800}, color_scheme=scheme, bypass_csp=True)
    assert not (found := findings(page)), "\n".join(found)
    page.dblclick(".cell[data-place='2']")
    until(page, "(document.querySelector('#picture') || {}).naturalWidth > 100")
    assert not (found := findings(page)), "\n".join(found)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+a")
    page.keyboard.press("3")
    page.wait_for_selector("#preview[open]")
    assert not (found := findings(page)), "\n".join(found)
    _picture(page, f"preview_{scheme}")


def test_a_phone_shows_it_whole(new_page: NewPage) -> None:
    page = new_page(viewport=PHONE)
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) <= PHONE["width"]
    _picture(page, "phone")
    page.dblclick(".cell[data-place='2']")
    until(page, "(document.querySelector('#picture') || {}).naturalWidth > 100")
    assert page.evaluate(width) <= PHONE["width"]
    _picture(page, "phone_image")
    page.click("[data-do=close]")
    until(page, "document.querySelector('#single').hidden")


def _picture(page: Any, name: str) -> None:
    if PICTURES and PICTURES.startswith("/tmp"):
        page.screenshot(path=f"{PICTURES}/tag_{name}.png")
