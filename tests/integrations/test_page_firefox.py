"""`sasnet web` in Firefox: files, limits dragged, a slider, a fit, a batch; nothing is an error there."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import numpy as np
from firefox import RIGHT, Firefox
from webpages import Server, spheres

from sasnet_plugin.simulate.kernel import call

#: A folder for pictures of what Firefox shows, to be looked at.
SEEN = os.environ.get("SASNET_SEEN")


def test_the_page_is_used_in_firefox(tmp_path: Path) -> None:
    server = Server(tmp_path / "work")
    try:
        asyncio.run(_used(server, tmp_path))
    finally:
        assert server.end(signal.SIGINT) == 0


async def _used(server: Server, folder: Path) -> None:
    some = [spheres(folder / "data", f"run {k}.dat", radius=50.0 + 6 * k) for k in range(3)]
    async with Firefox(folder / "profile") as page:
        await page.open(server.address)
        await page.until("document.body.dataset.ready === 'yes'")
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
        await page.until("document.querySelector('#said.yes .headline')?.textContent.includes('Explains')")
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
        assert page.errors == []


async def _look(page: Firefox, name: str) -> None:
    if SEEN:
        await page.screenshot(Path(SEEN, f"firefox_{name}.png"))
