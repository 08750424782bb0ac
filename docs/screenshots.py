"""Make the pictures of the page that the documentation shows: every tab at 1280 x 800 and on a phone.

``python docs/screenshots.py [curves] [images] [tags]`` starts ``sasnet web`` on simulated data in a temporary
folder, drives it in a browser, and writes ``docs/screenshots/web_*.png``. It needs the extra ``dev``, and
minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
HERE = Path(__file__).resolve().parent
TESTS = HERE.parent / "tests"
sys.path[:0] = [str(HERE.parent), str(TESTS), str(TESTS / "integrations")]

from chromium import chromium  # noqa: E402
from imagefiles import rods  # noqa: E402
from webpages import Server, made_small, opened, opened_curve, spheres, until, without_folders  # noqa: E402

FOLDER = HERE / "screenshots"
#: Name behind each picture, and width and height of its window in pixels.
WINDOWS = {"": (1280, 800), "_phone": (390, 844)}
#: Milliseconds for a fit on a machine that is busy.
FITTED = 300_000
FRAMES = 8
SOLVENTS = {"contrast h2o.dat": "H2O", "contrast match.dat": "2.5", "contrast d2o.dat": "6.36"}


def particles(folder: Path, name: str, radius: float, aspect: float, seed: int) -> None:
    """Write a SANS image of spheroids, all with their axis along the horizontal, and its geometry."""
    across = 2 * np.pi / 6 * 5.3 / 4000 * (np.arange(96) - 47.5)
    qx, qy = np.meshgrid(across, across)
    z = radius * np.hypot(aspect * qx, qy)
    form = (3 * (np.sin(z) - z * np.cos(z)) / z**3) ** 2
    np.save(folder / f"{name}.npy", np.random.default_rng(seed).poisson(2000 * form + 10))
    geometry = "wavelength = 6\ndistance = 4000\npixel_size = 5.3\ndirect_beam = [47.5, 47.5]\n"
    beam = "spread = 0.12\ncollimation = 4000\nsource_radius = 15\nsample_radius = 5\n"
    (folder / f"{name}.toml").write_text(geometry + beam, encoding="utf-8")


def measurements(folder: Path) -> None:
    """Write what a day at an instrument leaves: a heating run, a sample in three solvents, images, a log."""
    from sasnet_plugin.simulate.kernel import call

    for frame in range(FRAMES):
        path = spheres(folder, f"heating {frame + 1}.dat", radius=40.0 + 4 * frame)
        path.write_text(f"# temperature: {20 + 5 * frame} °C\n{path.read_text()}", encoding="utf-8")
    q, rng = np.geomspace(0.005, 0.35, 120), np.random.default_rng(1)
    for name, solvent in {"h2o": -0.56, "match": 2.5, "d2o": 6.36}.items():
        values = {
            "radius": 40.0,
            "thickness": 15.0,
            "sld_core": 0.5,
            "sld_shell": 3.0,
            "sld_solvent": solvent,
        }
        clean = 0.01 * call("core_shell_sphere", q, values | {"radius_pd": 0.1}).intensity + 0.05
        table = np.c_[q, clean * (1 + 0.02 * rng.standard_normal(q.size)), 0.02 * clean]
        np.savetxt(folder / f"contrast {name}.dat", table, header="q(1/A) I(1/cm) dI(1/cm)")
    place = np.linspace(1, 80, 80)
    np.savetxt(folder / "motor scan.dat", np.c_[place, place**2, place], header="x(mm) I dI")
    rods(folder, "sheared rods.npy")
    for number, (radius, aspect) in enumerate([(60, 1), (40, 1), (60, 2), (30, 3), (80, 1.5), (50, 1)]):
        particles(folder, f"image {number + 1}", radius, aspect, number)


class Tour:
    """Pages of both widths on one server, and where their pictures go."""

    def __init__(self, browser: Any, server: Server, hidden: Path) -> None:
        self.server, self.hidden, self.pages = server, hidden, {}
        for name, (width, height) in WINDOWS.items():
            context = browser.new_context(viewport={"width": width, "height": height})
            self.pages[name] = opened(context.new_page(), server.address)
            self.pages[name].set_default_timeout(FITTED)

    def show(self, name: str, visit: Callable[[Any], None]) -> None:
        """Visit a place on both pages, and keep what is seen."""
        for window, page in self.pages.items():
            visit(page)
            page.wait_for_timeout(1500)
            without_folders(page, self.hidden)
            path = FOLDER / f"{name}{window}.png"
            page.screenshot(path=path)
            made_small(path)


def show_curves(tour: Tour) -> None:
    """Go through the tabs of files, curves and batches as a user does."""
    page = tour.pages[""]
    tour.show("web_files", lambda one: one.click("#to-files"))
    opened_curve(page, "heating 3.dat")
    page.fill("#limit", "30")
    page.click("#find")
    until(page, "document.getElementById('said').textContent.includes('Fit 1')", FITTED / 1000)
    until(page, "document.querySelectorAll('#out .links a').length > 3", FITTED / 1000)
    tour.show("web_curve", lambda one: opened_curve(one, "heating 3.dat"))
    tour.show(
        "web_unread", lambda one: (one.click("#to-files"), one.click(".open:text-is('motor scan.dat')"))
    )
    start_batch(page)
    tour.show("web_batch", show_batch)
    tour.show("web_together", describe)
    page.click("#describe-no")
    tour.pages["_phone"].click("#describe-no")


def show_images(tour: Tour) -> None:
    """Look at images, and fit one."""
    page = tour.pages[""]
    tour.show("web_images", lambda one: one.click("#to-images"))
    page.click(".shot:has-text('sheared rods.npy')")
    page.wait_for_selector("#verify:not([disabled])")
    page.click("#verify")
    page.wait_for_selector("#parts:not([hidden])")
    tour.show("web_image", show_image)


def show_labels(tour: Tour) -> None:
    """Tag images."""
    page = tour.pages[""]
    tour.show("web_tags_begin", lambda one: one.goto(f"{tour.server.address.partition('?')[0]}tags"))
    page.select_option("#kind", "sans2d")
    page.click("#begin button")
    page.wait_for_selector(".cell")
    until(page, "document.querySelectorAll('.cell').length === 7", 60)
    page.click("[data-do=predict]")
    until(page, "document.getElementById('status').textContent.includes('7 predicted')", FITTED / 1000)
    page.click(".cell:has-text('rods')")
    page.keyboard.press("2")
    tour.show("web_tags", show_tags)
    tour.show("web_tag", show_tag)


def start_batch(page: Any) -> None:
    """Fit the frames of the heating run, and wait for the report."""
    page.click("#to-files")
    page.fill("#search", "heating")
    until(page, f"document.querySelectorAll('#rows .tick').length === {FRAMES}")
    page.check("#all")
    page.click("#batch")
    page.fill("#batch-models", "sphere")
    page.check("#batch-series")
    page.click("#batch-start")
    page.wait_for_selector("#batch-links a:has-text('Report')")
    page.click("#to-files")
    page.uncheck("#all")
    page.fill("#search", "")


def show_batch(page: Any) -> None:
    """Draw the batch against the temperature."""
    page.click("#to-batches")
    page.wait_for_selector("#batch-links a:has-text('Report')")
    page.select_option("#against", label="temperature")


def describe(page: Any) -> None:
    """Say what is known of the three contrasts."""
    page.click("#to-files")
    for name in SOLVENTS:
        page.get_by_label(f"Tick {name}").check()
    page.click("#together")
    for name, solvent in SOLVENTS.items():
        page.get_by_label(f"Solvent of {name}").fill(solvent)


def show_image(page: Any) -> None:
    """Show the fit of the rods."""
    page.click("#to-images")
    page.wait_for_selector("#image", state="hidden")
    page.click(".shot:has-text('sheared rods.npy')")
    until(page, "document.getElementById('residual').naturalWidth > 0", 60)


def show_tags(page: Any) -> None:
    """Show the grid of images."""
    if not page.query_selector("#grid"):
        page.reload()
    until(page, "document.querySelectorAll('.cell .model').length > 0", 60)


def show_tag(page: Any) -> None:
    """Open one image of the grid."""
    page.dblclick(".cell:has-text('rods')")
    until(page, "document.getElementById('picture')?.naturalWidth > 0", 60)


PARTS = {"curves": show_curves, "images": show_images, "tags": show_labels}


def main(parts: list[str]) -> None:
    """Make the pictures of some parts of the page, of all by default."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="sasnet-screenshots-") as folder, sync_playwright() as started:
        home = Path(folder)
        measurements(home / "beamtime")
        server = Server(home / "work", home / "beamtime")
        browser = started.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            tour = Tour(browser, server, home)
            until(tour.pages[""], "!document.getElementById('busy').textContent", FITTED / 1000)
            for part in parts or PARTS:
                PARTS[part](tour)
        finally:
            browser.close()
            server.end()


if __name__ == "__main__":
    main(sys.argv[1:])
