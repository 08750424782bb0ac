"""How long `sasnet web` lets people wait, at 10⁵ rows and while files are dropped, beside an empty page.

Both servers run at once, and are asked in turn. Usage: ``python -m benchmarks service/page [--rows N]
[--drop N …] [--write]``; ``--write`` keeps the table in ``benchmarks/service/page.md``. Needs Chromium.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.predict.predictor import available_cores
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.web.content import stamp_of
from sasnet_plugin.web.curves.record import LOOKED, Record

from ..asked import parser_of
from ..tables import beside_empty, markdown
from .tag_page import EMPTY, address, seconds

REPEATS, FRAMES, DRAGS = 15, 60, 15
#: Files that one file of a file system is linked to at most, well below what it allows.
_LINKS = 50_000
SEARCHES = {
    "the list": "files?",
    "search: a name": "files?search=run+0123",
    "search: doubtful": "files?search=doubtful",
    "by probability": "files?order=probability",
    "by answer, backwards, a model": "files?order=answer&backwards=true&search=sphere",
    "the middle of the list": "files?start=50000",
    "news": "news?",
}
Times = dict[str, tuple[list[float], list[float]]]


def curve(radius: float, seed: int = 0) -> str:
    """A measurement of spheres as text."""
    q, rng = np.geomspace(0.004, 0.35, 120), np.random.default_rng(seed)
    values = {"radius": radius, "sld": 3.5, "sld_solvent": 6.35, "radius_pd": 0.1, "radius_pd_n": 35}
    clean = 0.012 * call("sphere", q, values).intensity + 0.05
    rows = np.c_[q, clean * (1 + 0.02 * rng.normal(size=q.size)), 0.02 * clean]
    return "\n".join(" ".join(f"{v:.6g}" for v in row) for row in rows)


def prepared(home: Path, number: int) -> Path:
    """A folder of curves, and what a server has written down that has looked at all of them."""
    folder, rng = home / "runs", np.random.default_rng(1)
    folder.mkdir(parents=True)
    names = [f"run {k:06d}.dat" for k in range(number)]
    for k, name in enumerate(names):
        if k % _LINKS == 0:
            (folder / name).write_text(curve(62.0, k))
        else:
            (folder / name).hardlink_to(folder / names[k - k % _LINKS])
    path, rows = home / "work" / "sasnet-web.sqlite", []
    Record(path).close()
    models, spark = ("sphere", "cylinder", "vesicle", "lamellar"), np.linspace(99, 0, 32).astype(int).tolist()
    for name, p in zip(names, rng.random(number), strict=True):
        model = models[int(4 * p)]
        line = {
            "entry": "", "points": 120, "q_min": 0.004, "q_max": 0.35, "model": model,
            "structure_factor": None, "model_probability": p / 2, "group": f"{model}-like", "probability": p,
            "doubt": "Outside." if p < 0.1 else "", "spark": spark,
        }  # fmt: skip
        body = {"stamp": list(stamp_of((folder / name).stat())[:2]), "lines": [line], "problem": ""}
        rows.append((time.time(), f"folder:{name}", json.dumps(body)))
    with closing(sqlite3.connect(path)) as connection, connection:  # all at once, not each on the disk
        connection.executemany(f"insert into {LOOKED} (time, about, body) values (?, ?, ?)", rows)
    return folder


def served(work: Path, *given: str) -> subprocess.Popen[str]:
    """`sasnet web`."""
    command = [sys.executable, "-m", "sasnet_plugin", "web", *given, "--work", str(work), "--no-browser"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def asked(page: str, nothing: str) -> Times:
    """Requests of a program, in turn with those to the empty page."""
    cookie = seconds(page)[1]["set-cookie"].partition(";")[0]
    api, found = page.partition("?")[0], {}
    for what, where in {"the page": "", **{k: f"api/{v}" for k, v in SEARCHES.items()}}.items():
        ours, empty = [], []
        for repeat in range(REPEATS + 1):
            more = f"&search=run+{repeat:04d}" if what == "search: a name" else ""
            ours.append(seconds(api + where + more, cookie)[0])
            empty.append(seconds(nothing)[0])
        found[what] = ours[1:], empty[1:]  # the first fills caches
    return found


async def painted(at: str, home: Path, ready: str = "") -> tuple[float, float]:
    """Seconds until Chromium has painted something of a page, and until a condition holds."""
    page_of = _chromium()
    async with page_of(home) as page:
        await page.open(at)
        paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        first = float(await page.until(paint)) / 1000
        whole = float(await page.until(f"({ready}) && performance.now()")) / 1000 if ready else first
        return first, whole


async def moved(page_address: str, key: str, home: Path) -> tuple[list[float], list[float]]:
    """Of a curve's page: seconds from a limit's move to its suggestion, and from a slider's to the curve."""
    page_of = _chromium()
    async with page_of(home, (1300, 900)) as page:
        await page.open(f"{page_address}#curve?key={key}")
        await page.until("document.body?.dataset.drawn")
        await page.until("!!document.querySelector('[aria-label=\"radius, slider\"]')")
        suggested, framed = [], []
        for _ in range(DRAGS):
            await page.run("delete document.body.dataset.suggested")
            await page.run(
                "document.querySelector('.grip.low').dispatchEvent("
                "new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}))"
            )
            suggested.append(float(await page.until("document.body.dataset.suggested")) / 1000)
            await asyncio.sleep(0.3)
        for k in range(FRAMES):
            await page.run("delete document.body.dataset.frame")
            await page.run(
                "(() => { const one = document.querySelector('[aria-label=\"radius, slider\"]');"
                f" one.value = {450 + k}; one.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"
            )
            framed.append(float(await page.until("document.body.dataset.frame")) / 1000)
        return suggested, framed


async def dropped(page_address: str, home: Path, number: int, total: int) -> tuple[float, float]:
    """Seconds until so many dropped files are taken in and listed, and the longest frame meanwhile."""
    page_of = _chromium()
    async with page_of(home) as page:
        await page.open(page_address)
        await page.until("document.body?.dataset.ready")
        text = json.dumps(curve(62.0))
        script = f"""(() => {{
            const dataTransfer = new DataTransfer(), text = {text};
            for (let k = 0; k < {number}; k++)
                dataTransfer.items.add(new File([text, "\\n# " + k], `drop {number} ${{k}}.dat`));
            window.longest = 0;
            let last = performance.now();
            const frame = (now) => {{ longest = Math.max(longest, now - last); last = now;
                requestAnimationFrame(frame); }};
            requestAnimationFrame(frame);
            window.began = performance.now();
            const how = {{ dataTransfer, bubbles: true, cancelable: true }};
            document.body.dispatchEvent(new DragEvent("drop", how));
        }})()"""
        await page.run(script)
        there = "document.querySelector('#title').textContent"
        if number > 1:
            there = f"document.querySelector('#count').textContent.startsWith('{total:,} ')"
        for _ in range(6):  # each waits a minute
            try:
                await page.until(there)
                break
            except AssertionError:
                continue
        taken, longest = await page.run("performance.now() - began"), await page.run("longest")
        return float(taken) / 1000, float(longest) / 1000


def _chromium() -> Any:
    sys.path.append(str(Path(__file__).parents[2] / "tests" / "integrations"))
    from chromium import Page

    return Page


def measured(number: int, drops: tuple[int, ...]) -> tuple[Times, dict[str, float]]:
    """Times beside those of the empty page, and others, s."""
    with tempfile.TemporaryDirectory() as name:
        home, alone = Path(name), {}
        folder = prepared(home, number)
        start = time.perf_counter()
        ours = served(home / "work", str(folder))
        empty = subprocess.Popen([sys.executable, "-c", EMPTY], stdout=subprocess.PIPE, text=True)
        fresh = served(home / "fresh")
        try:
            page, nothing = address(ours), address(empty)
            alone["start of the server"] = time.perf_counter() - start
            found = asked(page, nothing)
            painting: Times = {"first paint": ([], []), "first paint, and the list": ([], [])}
            for repeat in range(5):
                listed = "document.body && document.querySelectorAll('#rows tr[data-key]').length"
                paint, whole = asyncio.run(painted(page, home / f"a{repeat}", listed))
                bare, _ = asyncio.run(painted(nothing, home / f"b{repeat}"))
                for kept, taken in zip(painting.values(), (paint, whole), strict=True):
                    kept[0].append(taken)
                    kept[1].append(bare)
            found |= painting
            print(table(found, alone, number, os.getloadavg()[0]), file=sys.stderr, flush=True)
            suggested, framed = asyncio.run(moved(page, "folder:run%20000000.dat%231", home / "moved"))
            alone["suggestion after a limit was moved, median"] = statistics.median(suggested)
            alone["slider to curve, median"] = statistics.median(framed)
            alone["slider to curve, 95th of 100"] = float(np.quantile(framed, 0.95))
            there = address(fresh)
            for place, drop in enumerate(drops):
                total = sum(drops[: place + 1])  # in one list
                taken, longest = asyncio.run(dropped(there, home / f"d{drop}", drop, total))
                alone[f"{drop:,} files dropped, until they are listed"] = taken
                alone[f"{drop:,} files dropped, longest frame"] = longest
                print(alone, file=sys.stderr, flush=True)
        finally:
            for one in (ours, empty, fresh):
                one.kill()
        return found, alone


def table(found: Times, alone: dict[str, float], number: int, load: float) -> str:
    """The page in Markdown."""
    lines = [
        "# The page of `sasnet web`", "",
        f"{number:,} data sets in a folder; Python {platform.python_version()}, {available_cores()} cores,"
        f" {platform.machine()}; load of the machine by others {load:.1f}. Medians.", "",
    ]  # fmt: skip
    lines.append(beside_empty(found))
    lines.append(markdown(["what", "ms"], [[k, f"{1000 * v:.0f}"] for k, v in alone.items()]))
    lines += ["A suggestion within 300 ms, on an idle machine, and a curve within 50 ms are wanted.", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = parser_of(__doc__, rows=100_000)
    parser.add_argument("--drop", type=int, nargs="*", default=[1, 300, 10_000])
    given = parser.parse_args()
    load = os.getloadavg()[0]
    text = table(*measured(given.rows, tuple(given.drop)), given.rows, load)
    print(text)
    if given.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
