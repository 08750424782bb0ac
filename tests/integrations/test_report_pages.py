"""Report pages in a browser: a plot that is zoomed, whose axes turn, whose models can be hidden."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chromium import Page
from simulated_fits import simulated

from sasnet_plugin.report.page.overview import Row, write_overview
from sasnet_plugin.report.page.reports import write_report

#: Pixels of one canvas that are not empty.
INK = """(() => { const c = document.querySelectorAll('#plot canvas')[0];
  const every = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  return every.filter((v, i) => i % 4 === 3 && v).length })()"""
TYPED = """(i => { i.value = '%s'; i.dispatchEvent(new Event('input', {bubbles: true})) })
  (document.querySelector('input'))"""
KEY = "document.querySelector('.key button')"
BUTTON = "[...document.querySelectorAll('button')].find(b => b.textContent.includes('{}'))"


async def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the left button, from one place of the window to another."""
    kinds = ("mouseMoved", "mousePressed", "mouseMoved", "mouseReleased")
    held = {"button": "left", "buttons": 1, "clickCount": 1}
    for kind, (x, y) in zip(kinds, (start, start, end, end), strict=True):
        await page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1200, 1000), (390, 1400)], ids=["desk", "phone"])
def test_the_plot_answers_to_the_hand(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write_report(simulated("slit"), tmp_path / "fit")

    async def look() -> None:
        async with Page(tmp_path / "browser", size) as page:
            await page.open(path.as_uri())
            await page.until("document.querySelectorAll('#plot canvas').length === 2")
            assert await page.run("getComputedStyle(document.getElementById('still')).display") == "none"
            full = await page.until(INK)
            # A model is hidden, and shown again.
            await page.run(f"{KEY}.click()")
            assert await page.run(f"{KEY}.getAttribute('aria-pressed')") == "false"
            await page.until(f"{INK} < {full}")
            await page.run(f"{KEY}.click()")
            await page.until(f"{INK} === {full}")
            # Axes turn.
            await page.run(f"{BUTTON.format('I logarithmic')}.click()")
            await page.until(f"{INK} !== {full}")
            await page.run(f"{BUTTON.format('I logarithmic')}.click()")
            await page.until(f"{INK} === {full}")
            # A part is enlarged, and all is shown again.
            assert await page.run(f"{BUTTON.format('Show all')}.hidden")
            box = await page.run(
                "(({x, y, width, height}) => [x, y, width, height])"
                "(document.querySelector('#plot .u-over').getBoundingClientRect())"
            )
            x, y, width, height = box
            await drag(page, (x + 0.3 * width, y + 0.2 * height), (x + 0.6 * width, y + 0.7 * height))
            await page.until(f"!{BUTTON.format('Show all')}.hidden")
            await page.run(f"{BUTTON.format('Show all')}.click()")
            await page.until(f"{INK} === {full}")
            assert not page.errors

    asyncio.run(look())


@pytest.mark.slow
def test_the_overview_sorts_filters_and_folds(tmp_path: Path) -> None:
    rows = [
        Row("b.dat", "", "spheres", "sphere", probability=0.5, page="b.html"),
        Row("run.h5", "first", "coils", "mono_gauss_coil", probability=0.9, page="r1.html"),
        Row("run.h5", "second", "rods", "cylinder", probability=0.2, page="r2.html"),
    ]
    path = write_overview(rows, tmp_path / "pages", "runs")
    order = """[...document.querySelectorAll('tbody a')]
      .filter(a => a.offsetParent).map(a => a.textContent).join()"""

    async def look() -> None:
        async with Page(tmp_path / "browser") as page:
            await page.open(path.as_uri())
            await page.until(f"{order} === 'b.dat,first,second'")
            await page.run(f"{BUTTON.format('Probability')}.click()")
            assert await page.run(order) == "second,first,b.dat"
            await page.run(TYPED % "run gauss")
            assert await page.run(order) == "first"
            await page.run(TYPED % "")
            await page.run(f"{BUTTON.format('run.h5')}.click()")
            assert await page.run(order) == "b.dat"
            assert not page.errors

    asyncio.run(look())


def test_a_plot_whose_axis_begins_just_below_a_decade_is_drawn(tmp_path: Path) -> None:
    """uPlot's own ticks of such an axis have no end."""
    found = simulated("slit")
    pages = []
    for lowest in (0.00986, 0.0986, 0.99):
        sorted_intensity = np.sort(found.curve.intensity[found.curve.intensity > 0])
        factor = 2 * lowest / sorted_intensity[(len(sorted_intensity) - 1) // 100]
        intensity, error = factor * found.curve.intensity, factor * found.dintensity
        curve = replace(found.curve, intensity=intensity, dintensity=error)
        fits = tuple(replace(fit, theory=factor * fit.theory) for fit in found.fits)
        moved = replace(found, curve=curve, dintensity=error, fits=fits)
        pages.append(write_report(moved, tmp_path / f"{lowest}"))

    async def look() -> None:
        async with Page(tmp_path / "browser", (1200, 1000)) as page:
            for path in pages:
                await page.open(path.as_uri())
                await page.until(f"location.href === {path.as_uri()!r}")
                await page.until("document.querySelectorAll('#plot canvas').length === 2")
                await page.until(f"{INK} > 1000")
            assert not page.errors

    asyncio.run(look())
