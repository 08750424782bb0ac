"""Every tab of `sasnet web`, by day, by night and on a phone: axe finds nothing, and nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from imagefiles import rods
from pages import NewPage
from webpages import Server, findings, opened_curve, spheres, until

#: How a browser shows the page.
LOOKS = {
    "day": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "night": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
#: Elements whose end lies right of the window, though no place around them scrolls.
CUT_OFF = """(() => {
    const own = (e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX);
    const scrolls = (e) => e && e !== document.body && (own(e) || scrolls(e.parentElement));
    return [...document.querySelectorAll("main *, header *, dialog[open] *")]
        .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e))
        .map((e) => e.outerHTML.slice(0, 80));
})()"""

#: Of all that the page has, what is out of sight at the right included.
WIDTH = "Math.max(...['html', 'main'].map((one) => document.querySelector(one)?.scrollWidth ?? 0))"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("data")
    spheres(folder)
    spheres(folder, "more.dat", 50.0)
    rods(folder)
    (folder / "paper.dat").write_text("This is no measurement.\n", encoding="utf-8")
    found = Server(tmp_path_factory.mktemp("work"), folder)
    yield found
    found.end()


def see(page: Any, place: str) -> None:
    """See that nothing of what is shown is inaccessible, cut off or wider than the window."""
    found = findings(page)
    assert found == [], f"{place}: {found}"
    assert page.evaluate(CUT_OFF) == [], place
    assert page.evaluate(WIDTH) <= page.viewport_size["width"], place


def batched(page: Any) -> None:
    """Have both curves fitted by a batch, once."""
    page.check("#all")
    page.click("#batch")
    page.fill("#batch-models", "sphere")
    page.click("#batch-start")
    page.wait_for_selector("#batch-links a:has-text('Report')", timeout=200_000)
    page.click("#to-files")
    page.uncheck("#all")


@pytest.mark.parametrize("look", LOOKS)
def test_every_tab_is_accessible_and_whole(server: Server, new_page: NewPage, look: str) -> None:
    page = new_page(server.address, **LOOKS[look])
    page.wait_for_selector("tr:has-text('paper.dat') .state:has-text('cannot be read')")
    page.wait_for_selector("tr:has-text('rods.npy') .state:has-text('classified')")
    see(page, "files")
    if not server.get("api/batches")["batches"]:
        batched(page)
    for name in ("spheres.dat", "more.dat"):
        page.get_by_label(f"Tick {name}").check()
    for dialog, leave in (("#batch", "#batch-no"), ("#together", "#describe-no")):
        page.click(dialog)
        see(page, dialog)
        page.click(leave)
    opened_curve(page)
    until(page, "document.getElementById('means').textContent.includes('batch')")
    see(page, "curve, fitted")
    page.click("#to-files")
    page.click("button.open:text-is('paper.dat')")
    until(page, "!document.getElementById('unread').hidden")
    see(page, "curve that cannot be read")
    page.click("#to-batches")
    page.wait_for_selector("#trends .uplot")
    see(page, "batches")
    page.click("#to-images")
    page.wait_for_selector(".shot:has-text('rods.npy'):has-text('cylinder')")
    see(page, "images")
    page.click(".shot:has-text('rods.npy')")
    until(page, "document.querySelectorAll('#figures img').length > 0")
    see(page, "image")
    page.goto(f"{server.address.partition('?')[0]}tags")
    if page.is_visible("#begin"):
        see(page, "tags, closed")
        page.select_option("#kind", "sans2d")
        page.click("#begin button")
    page.wait_for_selector(".cell:has-text('rods.npy')")
    see(page, "tags")
    page.click(".cell:has-text('rods.npy')")
    page.keyboard.press("Enter")
    until(page, "document.getElementById('picture')?.naturalWidth > 0")
    see(page, "tags of an image")
