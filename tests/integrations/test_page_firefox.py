"""`sasnet web` in Firefox: files, limits dragged, a slider, fits, a batch, images; nothing is an error."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from firefox import RIGHT, Firefox
from imagefiles import rods
from webpages import Server, spheres

from sasnet_plugin.simulate.kernel import call

#: A folder for pictures of what Firefox shows, to be looked at.
SEEN = os.environ.get("SASNET_SEEN")


def test_curves_and_images_are_seen_and_fitted_in_firefox(tmp_path: Path) -> None:
    server = Server(tmp_path / "work")
    try:
        asyncio.run(_used(server, tmp_path))
    finally:
        assert server.end(signal.SIGINT) == 0


async def _used(server: Server, folder: Path) -> None:
    async with Firefox(folder / "profile") as page:
        await page.open(server.address)
        await page.until("document.body.dataset.ready === 'yes'")
        await _use_curves(page, folder)
        await _use_an_image(page, folder)
        assert page.errors == []


async def _use_curves(page: Firefox, folder: Path) -> None:
    some = [spheres(folder / "data", f"run {k}.dat", radius=50.0 + 6 * k) for k in range(3)]
    await page.files("#add", some)
    await page.until("document.querySelectorAll('#rows .number:not(:empty)').length === 3")
    await _look(page, "files")
    await page.click("#rows button.open")
    await page.until("document.body.dataset.drawn?.includes('run 0')")
    await page.drag(".grip.low", 120)
    await page.until("document.body.dataset.suggested")
    await page.until("parseInt(document.querySelector('#window').textContent) < 115")
    await page.run("document.querySelector('[aria-label=\"radius, slider\"]').focus()")
    await page.run("delete document.body.dataset.frame")
    await page.press(RIGHT, 4)
    await page.until("document.body.dataset.frame")
    values = await page.run(
        "Object.fromEntries([...document.querySelectorAll('[aria-label$=\", value\"]')]"
        ".map((one) => [one.getAttribute('aria-label').split(',')[0], Number(one.value)]))"
    )
    values |= {"radius_pd_n": 35, "radius_pd_nsigma": 3}
    body = json.dumps({"key": "dropped:run 0.dat#1", "model": "sphere", "values": values})
    how = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": body}
    answer = await page.run(f"fetch('/api/evaluate', {json.dumps(how)}).then((a) => a.json())")
    exact = call("sphere", np.array(answer["q"]), values).intensity
    exact = values["scale"] * exact + values["background"]
    np.testing.assert_allclose(answer["intensity"], exact, rtol=1e-6)
    await _look(page, "curve")
    await page.click("#refit")
    await page.until("document.querySelector('#said.yes .headline')?.textContent.includes('Fits the data')")
    await page.until("[...document.querySelectorAll('#out a')].some((a) => a.textContent === 'Report')")
    await page.run("location.hash = '#files'")
    await page.until("!document.querySelector('#files').hidden")
    await page.click("#all")
    await page.until("!document.querySelector('#batch').disabled")
    await page.click("#batch")
    await page.run("document.querySelector('#batch-models').value = 'sphere'")
    await page.click("#batch-start")
    await page.until("/Done: 3 of 3/.test(document.querySelector('#batch-state').textContent)")
    await page.until("document.querySelectorAll('#trends .u-over').length > 2")
    await _look(page, "batch")


async def _use_an_image(page: Firefox, folder: Path) -> None:
    image = rods(folder / "images")
    await page.click("#to-images")
    await page.files("#add-images", [image, image.with_suffix(".toml")])
    await page.until("document.querySelectorAll('.shot .state').length")
    await page.click(".shot .name")
    await page.until("document.querySelector('#shot-picture').naturalWidth > 0")
    await page.until("document.querySelector('#shot-said .headline')?.textContent.includes('cylinder')")
    left, right = [await _q_under(page, "#shot-frame", across) for across in (-200, 200)]
    assert left[0] < 0 < right[0], "qx to the right"
    assert right[1] == pytest.approx(abs(right[0]), rel=0.3), "q is its length"
    # By keys: closer, a cross that moves, all of it again.
    await page.run("document.querySelector('#shot-frame').focus()")
    await page.press("+", 3)
    zoomed = "document.querySelector('#shot-frame .inner').style.transform"
    scale = f"Number({zoomed}.split('e(').at(-1).slice(0, -1))"
    assert await page.run(scale) > 3
    before = await page.run("document.querySelector('#shot-under').textContent")
    await page.press(RIGHT, 2)
    assert await page.run("document.querySelector('#shot-under').textContent") != before
    assert await page.run("document.querySelector('#shot-frame .cross').checkVisibility()")
    await page.press("0")
    assert await page.run(scale) == 1
    await page.click("#verify")
    await page.until("!document.querySelector('#parts').hidden", patience=3)
    for name in ("measured", "simulated", "residual"):
        await page.until(f"document.getElementById('{name}').naturalWidth > 0")
        await page.hover(f"#{name}", 30)
        await page.until("document.querySelector('#part-under').textContent.includes('q = ')")
    await _look(page, "images")


async def _q_under(page: Firefox, selector: str, across: int) -> tuple[float, float]:
    """qx and q under the mouse, 1/Å, so many pixels beside an element's centre."""
    await page.run(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    await page.hover(selector, across)
    under = "document.querySelector('#shot-under').textContent"
    said = await page.until(f"{under}.match(/qx (\\S+), .* q = (\\S+) /)")
    return float(said[1]), float(said[2])


async def _look(page: Firefox, name: str) -> None:
    if SEEN:
        await page.screenshot(Path(SEEN, f"firefox_{name}.png"))
