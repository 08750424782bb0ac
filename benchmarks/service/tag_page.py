"""How long `sasnet tag` lets people wait at 10⁵ images, beside an empty page of the same kind of server.

Both servers run at once, and are asked in turn. Usage: ``python -m benchmarks service/tag_page [--images N]
[--write]``; ``--write`` keeps the table in ``benchmarks/service/tag_page.md``. The first paint needs
Chromium.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from sasnet_plugin.domains.diffraction import LABELS
from sasnet_plugin.predict.predictor import available_cores
from sasnet_plugin.report.images.settings import RASTER
from sasnet_plugin.web.content import Source, source_of, stamp_of
from sasnet_plugin.web.events import LABEL, Event, Log, Prediction
from sasnet_plugin.web.thumbnails import Thumbnail, Thumbnails

from ..asked import parser_of
from ..tables import beside_empty

DOMAIN = "diffraction"
REPEATS = 15
EMPTY = """
import socket, uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
app = FastAPI()
app.get("/")(lambda: HTMLResponse("<!doctype html><title>empty</title><p>empty</p>"))
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
print(f"http://127.0.0.1:{sock.getsockname()[1]}/", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[sock])
"""
FILTERS = {
    "one tag": {"filter": "Round"},
    "five terms": {"filter": "Round and not (Streak or Bent) and p(Empty) < 0.3 and unlabelled"},
    "disagree, suspect first": {"filter": "disagree", "order": "suspect"},
    "all, uncertain first": {"filter": "", "order": "uncertain"},
    "all, uncertain first, after a label": {"filter": "", "order": "uncertain"},
    "all, diverse first": {"filter": "", "order": "diverse"},
    "all, diverse first, after a label": {"filter": "", "order": "diverse"},
    "nine in ten, diverse first, others each time": {"filter": "p(Round) > 0.1", "order": "diverse"},
}


def prepared(home: Path, number: int) -> Path:
    """A folder of images, and a database with a prediction of each and labels of every tenth."""
    folder, rng = home / "images", np.random.default_rng(1)
    folder.mkdir()
    np.save(folder / "image 000000.npy", rng.poisson(3.0, (48, 48)).astype(np.int32))
    for k in range(1, number):  # a file system allows some 65,000 links to a file
        if k % 50_000 == 0:
            np.save(folder / f"image {k:06d}.npy", rng.poisson(3.0, (48, 48)).astype(np.int32))
        else:
            (folder / f"image {k:06d}.npy").hardlink_to(folder / f"image {k - k % 50_000:06d}.npy")
    log, p = Log(str(home / "labels.sqlite")), rng.random((number, len(LABELS)))
    names = [f"image {k:06d}.npy" for k in range(number)]
    log.append(
        Event(LABEL, str(k), "anna", names[k], 1, LABELS[k % 11], k // 10 % 2) for k in range(0, number, 10)
    )
    said = (dict(zip(LABELS, row, strict=True)) for row in p)
    # As a server leaves it that has seen them all: what each file holds, and a thumbnail of that.
    thumbnails = Thumbnails(home / "thumbnails.sqlite")
    content = {k: source_of(str(folder), names[k], DOMAIN).content for k in range(0, number, 50_000)}
    for one in content.values():
        thumbnails.put(one, Thumbnail(1, "", np.zeros(RASTER.descriptor**2, np.float32), b"\x89PNG"))
    of = [content[k - k % 50_000] for k in range(number)]
    for name, one in zip(names, of, strict=True):
        thumbnails.put_source(folder, DOMAIN, Source(name, stamp_of((folder / name).stat()), one))
    thumbnails.close()
    log.add_predictions(
        [
            Prediction("model@1", name, 1, one, LABELS, p, 1.0)
            for name, one, p in zip(names, of, said, strict=True)
        ]
    )
    log.close()
    return folder


def address(process: subprocess.Popen[str]) -> str:
    """What a server prints."""
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    return next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))


def seconds(at: str, cookie: str = "", body: dict[str, Any] | None = None) -> tuple[float, dict[str, str]]:
    """Wall time of one request, s, and the headers of its answer."""
    where = urlsplit(at)
    connection = http.client.HTTPConnection(where.netloc)
    start = time.perf_counter()
    path = f"{where.path}?{where.query}"
    headers = {"Cookie": cookie, "Content-Type": "application/json"}
    connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    answer.read()
    taken = time.perf_counter() - start
    assert answer.status == 200, answer.status
    connection.close()
    return taken, dict(answer.getheaders())


async def painted(at: str, home: Path) -> float:
    """Seconds until Chromium has painted something of a page."""
    sys.path.append(str(Path(__file__).parents[2] / "tests" / "integrations"))
    from chromium import Page

    async with Page(home) as page:
        await page.open(at)
        paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        return float(await page.until(paint)) / 1000


def measured(number: int) -> dict[str, tuple[list[float], list[float]]]:
    """Times of what is asked of the page, and of the empty one beside it, s."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        folder = prepared(home, number)
        command = [sys.executable, "-m", "sasnet_plugin", "tag", str(folder), "--domain", DOMAIN]
        command += ["--no-browser", "--once", "--database", str(home / "labels.sqlite")]
        command += ["--cache", str(home / "thumbnails.sqlite")]
        start = time.perf_counter()
        found: dict[str, tuple[list[float], list[float]]] = {}
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ours,
            subprocess.Popen([sys.executable, "-c", EMPTY], stdout=subprocess.PIPE, text=True) as empty,
        ):
            try:
                page, nothing = address(ours), address(empty)
                print(f"started in {time.perf_counter() - start:.1f} s", file=sys.stderr)
                cookie = seconds(page)[1]["set-cookie"].partition(";")[0]
                api = page.partition("?")[0] + "api/"
                select = api + "select"
                for what, body in {"the page": None, **FILTERS}.items():
                    found[what] = [], []
                    for repeat in range(REPEATS + 1):
                        if "label" in what:
                            rows = [1000 * repeat + len(found)]
                            said = {"who": "ben", "rows": rows, "tag": LABELS[repeat % 11], "value": 1}
                            seconds(api + "tag", cookie, said)
                        if body and "each time" in what:
                            body = {**body, "filter": f"p(Round) > {0.1 + repeat / 1e4}"}
                        times = seconds(select if body else page, cookie, body)[0], seconds(nothing)[0]
                        for kept, taken in zip(found[what], times, strict=True):
                            if repeat:  # the first fills caches
                                kept.append(taken)
                found["first paint"] = [], []
                for repeat in range(5):
                    for place, at in enumerate((page, nothing)):
                        taken = asyncio.run(painted(at, home / f"profile-{repeat}-{place}"))
                        found["first paint"][place].append(taken)
            finally:
                ours.kill()
                empty.kill()
        return found


def table(found: dict[str, tuple[list[float], list[float]]], number: int, load: float) -> str:
    """The page in Markdown."""
    lines = [
        "# The page of `sasnet tag`", "",
        f"{number:,} images, each with a prediction of 11 tags; Python {platform.python_version()},"
        f" {available_cores()} CPU cores, {platform.machine()}; thumbnails are made meanwhile; load of"
        f" the machine by others {load:.1f}. Medians.", "",
    ]  # fmt: skip
    lines.append(beside_empty(found))
    lines += ["A first paint within 1,000 ms and a filter within 200 ms are wanted.", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = parser_of(__doc__, images=100_000)
    given = parser.parse_args()
    # What runs beside: processes that wanted a core in the minute before.
    load = os.getloadavg()[0]
    text = table(measured(given.images), given.images, load)
    print(text)
    if given.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
