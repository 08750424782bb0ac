"""`sasnet web` as its users see it: a server of its own, and a browser driven by Playwright."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from child import PATIENCE, REPOSITORY

from sasnet_plugin.simulate.kernel import call

#: Milliseconds after which something that was to happen never will.
SOON = 40_000.0
_AXE = Path(__file__).parent / "axe" / "axe-core-4.14.1.min.js.gz"


class Server:
    """`sasnet web` of a folder.

    Parameters
    ----------
    work : Path
        For what is done.
    folder : Path, optional
        Of data.
    more : str
        Further options.
    """

    def __init__(self, work: Path, folder: Path | None = None, *more: str) -> None:
        path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
        given = [str(folder)] if folder else []
        self.work = work
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sasnet_plugin", "web", *given, "--work", str(work), "--no-browser",
             *more],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        lines = iter(self.process.stdout.readline, "")
        self.address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))

    def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        """End it, and all that it has started with SIGKILL alone."""
        os.kill(self.process.pid, how)
        with self.process:
            return self.process.wait(PATIENCE)

    def get(self, where: str) -> Any:
        """What the server answers to a program that has its token."""
        home, _, query = self.address.partition("?")
        mark = "&" if "?" in where else "?"
        with urllib.request.urlopen(f"{home}{where}{mark}{query}") as answer:
            return json.load(answer)


def serve(work: Path, folder: Path) -> Iterator[Server]:
    """A server of several tests, which Ctrl-C ends well unless one of them has ended it."""
    server = Server(work, folder)
    yield server
    if server.process.poll() is None:
        assert server.end(signal.SIGINT) == 0


def spheres(folder: Path, name: str = "spheres.dat", radius: float = 62.0) -> Path:
    """A measurement of polydisperse spheres."""
    rng, q = np.random.default_rng(5), np.geomspace(0.004, 0.35, 120)
    values = {"radius": radius, "sld": 3.5, "sld_solvent": 6.35, "radius_pd": 0.11, "radius_pd_n": 61,
              "radius_pd_nsigma": 4}  # fmt: skip
    clean = 0.012 * call("sphere", q, values).intensity + 0.05
    error = 0.012 * np.sqrt(clean) * clean.max() ** 0.25 * 0.1 + 0.012 * clean
    measured = clean + error * rng.normal(size=q.size)
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / name, np.c_[q, measured, error], fmt="%.7g", header="q(1/A) I(1/cm) dI(1/cm)")
    return folder / name


def of_no_model(folder: Path) -> Path:
    """Data that nothing explains, so that a fit of them goes on for as long as it may."""
    path = spheres(folder, "no_model.dat")
    q, intensity, error = np.loadtxt(path, unpack=True)
    waves = 1 + 0.2 * np.sin(40 * np.log(q))
    np.savetxt(path, np.c_[q, intensity * waves, error], fmt="%.7g", header="q(1/A) I(1/cm) dI(1/cm)")
    return path


def opened(page: Any, address: str) -> Any:
    """Go to the page, until it can be used; errors of its scripts are failures."""
    page.goto(address)
    page.wait_for_selector("body[data-ready=yes]", timeout=SOON)
    return page


def opened_curve(page: Any, name: str = "spheres.dat") -> Any:
    """Open a curve of the list; a model lies beside it."""
    page.click("#to-files")
    page.click(f"button.open:text-is('{name}')")
    until(page, f"(document.body.dataset.drawn || '').includes({json.dumps(name)})")
    return page


def until(page: Any, script: str, seconds: float = SOON / 1000) -> Any:
    """Wait until an expression is true; its value. Playwright's own way is against the page's policy."""
    end = time.monotonic() + seconds
    while not (found := page.evaluate(script)):
        assert time.monotonic() < end, f"never true: {script}"
        page.wait_for_timeout(50)
    return found


def without_folders(page: Any, *folders: Path) -> None:
    """Write the home of whoever looks for these folders, in all that is seen."""
    page.evaluate("for (const one of document.querySelectorAll('*')) one.scrollTop = 0")
    page.evaluate(_WITHOUT, [str(folder) for folder in folders])


def made_small(path: Path) -> None:
    """A picture with so few colours that it is a third as large, and looks the same."""
    from PIL import Image

    with Image.open(path) as image:
        small = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


#: Folders of the test, in what is seen, become the home of whoever looks.
_WITHOUT = """(folders) => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode())
        for (const one of folders) walk.currentNode.data = walk.currentNode.data.replaceAll(one, "~");
}"""


def findings(page: Any) -> list[str]:
    """What axe finds: rule, and the first element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(gzip.decompress(_AXE.read_bytes()).decode())
    found = page.evaluate("axe.run().then(all => all.violations)")
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found]


def evaluated(page: Any, act: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the page asks of a model last when something is done, and the answer."""
    asked: list[Any] = []
    page.on("response", lambda got: asked.append(got) if got.url.endswith("/api/evaluate") else None)
    with page.expect_response("**/api/evaluate", timeout=SOON):
        act()
    page.wait_for_load_state("networkidle")
    last = asked[-1]
    return json.loads(last.request.post_data), last.json()
