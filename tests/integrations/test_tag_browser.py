"""`sasnet tag` as its users see it: two people, two browsers, ten thousand images, a killed server."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from child import PATIENCE, REPOSITORY
from chromium import Page
from webpages import made_small

from sasnet_plugin.images.diffraction.specification import DIFFRACTION

#: Where the pictures of the documentation go; SASNET_PICTURES=docs/screenshots makes them anew.
PICTURES = os.environ.get("SASNET_PICTURES")
IMAGES = 10_000
#: Simulated images; all others are links to these.
DRAWN = 24

LABELLED = "[...document.querySelectorAll('.cell .yes')].map(x => x.textContent)"
MODEL = "document.querySelectorAll('.cell .model').length"
COUNT = "(document.querySelector('#count') || {}).textContent"
STATUS = "(document.querySelector('#status') || {}).innerText"
FILTER = """(() => {{ document.querySelector('#filter').value = {!r};
    document.querySelector('#filters').requestSubmit(); }})()"""
CLICK = "document.querySelector('[data-do={}]').click()"
EXPORT = "fetch('/export/labels.csv').then(answer => answer.text())"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten thousand files of a few simulated diffraction images."""
    folder, rng = tmp_path_factory.mktemp("tag") / "shots", np.random.default_rng(5)
    folder.mkdir()
    simulator = DIFFRACTION.open_simulator()
    batch, _ = simulator.measure([simulator.clean(simulator.sample(rng)) for _ in range(DRAWN)], rng)
    for k in range(IMAGES):
        path = folder / f"shot {k:05d}.npy"
        if k < DRAWN:
            np.save(path, np.where(batch[k].mask, batch[k].counts, -1).astype(np.int32))
        else:
            path.hardlink_to(folder / f"shot {k % DRAWN:05d}.npy")
    return folder


class Server:
    """`sasnet tag`, and its address."""

    def __init__(self, folder: Path) -> None:
        path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
        place = folder.parent
        options = "--database", str(place / "labels.sqlite"), "--cache", str(place / "thumbnails.sqlite")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sasnet_plugin", "tag", str(folder), "--domain", "diffraction", *options,
             "--no-browser", "--user", "anna"],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        lines = iter(self.process.stdout.readline, "")
        self.address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))

    def end(self, how: signal.Signals) -> int:
        os.killpg(self.process.pid, how)
        with self.process:
            return self.process.wait(PATIENCE)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


def test_two_people_tag_ten_thousand_images_and_a_kill_costs_no_label(
    images: Path, servers: list[Server], tmp_path: Path
) -> None:
    asyncio.run(_tag(images, servers, tmp_path))


async def _tag(images: Path, servers: list[Server], home: Path) -> None:
    servers.append(Server(images))
    pictures = Path(PICTURES or home)
    async with Page(home / "anna", (1400, 860)) as anna, Page(home / "ben", (1000, 700)) as ben:
        await anna.open(servers[0].address)
        await anna.until(f"{COUNT} == '10,000 images'")
        seen = await anna.until("document.querySelectorAll('.cell').length")
        await anna.until("document.querySelector('.cell .name').textContent == 'shot 00000.npy'")
        assert 20 < seen < 200, "of ten thousand only those in sight are in the page"
        await _press(anna, "1", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "2")
        await anna.until(f"{LABELLED}.join() == 'Spherical/Oblate,Round,Round,Round'")
        await _press(anna, "z")
        await anna.until(f"{LABELLED}.join() == 'Spherical/Oblate'")
        await _press(anna, "Z")
        await anna.until(f"{LABELLED}.length == 4")

        await ben.open(servers[0].address)
        await ben.until(f"{LABELLED}.length == 4")
        await ben.run("document.querySelector('#who').value = 'ben'")
        await _press(ben, "End", "3")
        await ben.until(f"{LABELLED}.includes('Elliptical')")

        await anna.run(FILTER.format('file("shot 0000") or file("shot 0001")'))
        await anna.until(f"{COUNT} == '20 images'")
        await anna.run(CLICK.format("predict-list"))
        await anna.until(f"{MODEL} > 8")
        await anna.until(f"{STATUS}.includes('by anna, ben')")
        await anna.run(CLICK.format("retrain"))
        await anna.until("document.querySelector('#problem').textContent.includes('label at least 20')")
        await anna.run("document.querySelector('#accept').requestSubmit()")
        await anna.until("document.querySelectorAll('#preview[open] li').length == 12")
        assert "diffraction@" not in await anna.run(EXPORT), "nothing is written before it was seen"
        await anna.run("document.querySelector('#preview-write').click()")
        await anna.until("document.querySelector('#problem').textContent.startsWith('Accepted')")
        await anna.run(FILTER.format("labelled"))
        # Both are told by the server, each when it comes.
        await anna.until(f"{COUNT} == (/(\\d+) labelled/.exec({STATUS}) || [])[1] + ' images'")
        shown = int((await anna.run(COUNT)).split()[0])
        assert shown > 4, "what was accepted, beside what two people have tagged"
        await _seen(anna, pictures / "tag_grid.png")
        await _press(anna, "ArrowRight", "ArrowRight", "Enter")
        await anna.until("(document.querySelector('#picture') || {}).naturalWidth > 100")
        await anna.until("document.querySelector('#bar-colours').naturalWidth == 256")
        await _seen(anna, pictures / "tag_image.png")
        before = await anna.run(EXPORT)
        assert before.count("\n") > 5
        assert ",ben," in before

        servers[0].end(signal.SIGKILL)
        await _press(anna, "Escape", "5")
        await anna.until("document.querySelector('#problem').textContent.includes('unconfirmed changes')")
        servers.append(Server(images))
        await anna.open(servers[1].address)
        await anna.until(f"{COUNT} == '10,000 images'")
        assert await anna.run(EXPORT) == before
        # What the model said is kept as well.
        await anna.until(f"{STATUS}.includes('20 predicted by diffraction@')")
        assert not anna.errors
        assert not ben.errors
    assert servers[1].end(signal.SIGINT) == 0


async def _press(page: Page, *keys: str) -> None:
    await page.run("document.querySelector('#grid').focus()")
    for key in keys:
        name = key.removeprefix("Shift+")
        await page.call("Input.dispatchKeyEvent", type="keyDown", key=name, modifiers=8 * (name != key))
        await page.call("Input.dispatchKeyEvent", type="keyUp", key=name)
        await asyncio.sleep(0.05)


async def _seen(page: Page, picture: Path) -> None:
    await page.until("[...document.querySelectorAll('#grid img')].every(image => image.naturalWidth > 20)")
    await page.screenshot(picture)
    assert picture.stat().st_size > 20_000, "an empty page is smaller"
    made_small(picture)
