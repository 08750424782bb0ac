"""`sasnet bumps` as its user sees it: the page in a real Chromium, and Ctrl-C in the terminal."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from child import PATIENCE, REPOSITORY, alive, descendants
from chromium import Page
from typer.testing import CliRunner

import sasnet_plugin
from sasnet_plugin.cli.main import app
from sasnet_plugin.cli.programs import one
from sasnet_plugin.types import SasnetError

#: Where the picture of the documentation goes; SASNET_PICTURES=docs makes it anew.
PICTURES = os.environ.get("SASNET_PICTURES")
MODELS = {"sphere", "core_shell_sphere", "vesicle"}

#: Left and right half of the page have tabs of their own: open one of them, by clicks, and say if it is open.
TAB = """(() => {
    const tabs = document.querySelectorAll('ul.nav-tabs')[%d];
    const tab = tabs && [...tabs.querySelectorAll('a')].find(a => a.textContent.trim() == '%s');
    if (tab && !tab.classList.contains('active')) tab.click();
    return Boolean(tab) && tab.classList.contains('active');
})()"""
#: Cells of the table with a heading.
TABLE = """(() => {
    const table = [...document.querySelectorAll('table')].find(t => t.textContent.includes('%s'));
    const cells = row => [...row.children].map(cell => cell.innerText.trim());
    return table ? [...table.querySelectorAll('tbody tr')].map(cells) : null;
})()"""
#: Data, fit and residuals as plotly has them.
DRAWN = """(() => {
    const plot = document.querySelector('.js-plotly-plot');
    if (!plot || !plot._fullData) return null;
    return plot._fullData.map(trace => ({name: trace.name, x: [...trace.x], y: [...trace.y]}));
})()"""
LOAD = """[...document.querySelectorAll('.history tbody tr')].find(
    row => row.children[1].innerText.startsWith('%s')).querySelector('button.btn-secondary').click()"""
CHOOSE = """(() => {
    const menu = document.querySelector('#plot_select');
    menu.value = [...menu.options].findIndex(option => option.text.includes('%s'));
    menu.dispatchEvent(new Event('change'));
})()"""


@dataclass
class Running:
    """`sasnet bumps` with its page open."""

    process: subprocess.Popen[str]
    address: str
    printed: str


def start(file: Path, *options: str) -> Running:
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    process = subprocess.Popen(
        [sys.executable, "-m", "sasnet_plugin", "bumps", str(file), "--no-browser", "--details", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env=os.environ | {"PYTHONPATH": path}, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if found := re.search(r"http://\S+", line):
            return Running(process, found[0], printed)
    raise AssertionError(printed + process.communicate()[1])


def stop(running: Running, how: signal.Signals = signal.SIGINT) -> None:
    """End it; Ctrl-C as a terminal does it, to the process and to all that it has started."""
    with running.process as process:
        family = {process.pid} | descendants(process.pid)
        if how == signal.SIGINT:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == (0 if how == signal.SIGINT else -how)
        # After a kill, bumps' own pool may complain of the broken pipe before it ends.
        assert how == signal.SIGKILL or "Traceback" not in errors
    deadline = time.monotonic() + PATIENCE
    while alive(family) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(family)


@pytest.fixture(scope="module")
def file(example_data: Path) -> Path:
    return example_data / "apoferritin.txt"


@pytest.fixture(scope="module")
def running(file: Path) -> Iterator[Running]:
    models = "--models", ",".join(sorted(MODELS))
    found = start(file, *models, "--structure-factor", "stickyhardsphere", "--time-limit", "120")
    yield found
    stop(found)


def test_the_page_shows_data_fit_and_ranking_and_switches_by_a_click(
    running: Running, file: Path, tmp_path: Path
) -> None:
    asyncio.run(_look(running, sasnet_plugin.load(file)[0], tmp_path))


async def _look(running: Running, curve: sasnet_plugin.Curve, tmp_path: Path) -> None:
    async with Page(tmp_path / "profile", size=(1640, 720)) as page:
        await page.open(running.address)

        await page.until(TAB % (1, "Custom"))
        ranking = await page.until(TABLE % "Rank")
        names = [_name(row) for row in ranking]
        assert [row[0] for row in ranking] == [str(i + 1) for i in range(len(ranking))]
        assert {row[1] for row in ranking} == MODELS
        weights = [float(row[5].lstrip("<")) for row in ranking]
        assert weights == sorted(weights, reverse=True)
        assert [row[7] for row in ranking] == ["◂"] + [""] * (len(ranking) - 1)
        for row in ranking:
            # The same as the terminal says.
            assert re.search(rf"^{row[1]} +{row[2]} .* {re.escape(row[3])} ", running.printed, re.M)

        data, fit, residuals = await page.until(DRAWN)
        _agree(curve, ranking[0], data, fit, residuals)
        await page.run("window.dispatchEvent(new Event('resize'))")
        await asyncio.sleep(1.0)  # plotly moves
        picture = Path(PICTURES or tmp_path) / "bumps.png"
        await page.screenshot(picture)
        assert picture.stat().st_size > 20_000, "an empty page is smaller"

        await page.until(TAB % (0, "History"))
        history = (await page.until(TABLE % "Current state"))[1:]
        assert [row[1].split(":")[0] for row in history] == names
        assert [row[3] for row in history] == ["Loaded"] + ["Load"] * (len(names) - 1)

        other = len(names) - 1
        await page.run(LOAD % f"{names[other]}:")
        await page.until(f"({TABLE % 'Rank'})[{other}][7] == '◂'")
        assert [row[7] for row in await page.run(TABLE % "Rank")] == [""] * other + ["◂"]
        await page.until(TAB % (0, "Data"))
        await page.until(f"({DRAWN}).some(trace => trace.name.endsWith('{names[other]}'))")
        data, fit, residuals = await page.run(DRAWN)
        _agree(curve, ranking[other], data, fit, residuals)

        await page.run(CHOOSE % "Warnings")
        notes = await page.until(TABLE % "What to know")
        assert "Fits the data" in notes[0][1]
        assert notes[0][0] == "Answer"
        await page.run(CHOOSE % "Curves")
        drawn = "[...document.querySelectorAll('.js-plotly-plot')].map(p => p._fullData.map(t => t.name))"
        legend = (await page.until(f"({drawn}).find(names => names.includes('data'))"))[1:]
        assert [label.split(":")[0] for label in legend] == names
        assert not page.errors


def _name(row: list[str]) -> str:
    return row[1] if row[2] == "–" else f"{row[1]}@{row[2]}"


def _agree(curve: sasnet_plugin.Curve, row: list[str], data: Any, fit: Any, residuals: Any) -> None:
    """What is drawn is the measurement, and a fit of it as good as the ranking says."""
    assert fit["name"].endswith(_name(row))
    np.testing.assert_allclose(data["x"], curve.q)
    np.testing.assert_allclose(data["y"], curve.intensity)
    assert len(fit["x"]) == len(fit["y"]) >= len(curve)
    chisq = float(np.sum(np.square(residuals["y"])))
    # Up to a dozen parameters are fitted; the table has three digits.
    assert chisq / len(curve) < 1.01 * float(row[3]) < 1.01 * 1.01 * chisq / (len(curve) - 12)


READER = """
import sys
sys.modules["sasnet_plugin"] = None
from bumps.webview.server.state_hdf5_backed import State
state = State()
state.read_session_file(sys.argv[1])
for item in state.history.store.values():
    print(item.label.partition(":")[0], item.problem.fitProblem.chisq())
print("now", state.problem.fitProblem.chisq())
"""


def test_a_session_saved_in_the_page_opens_without_sasnet(running: Running, tmp_path: Path) -> None:
    from urllib.request import HTTPCookieProcessor, build_opener

    session, user = tmp_path / "session.h5", build_opener(HTTPCookieProcessor())
    user.open(running.address).close()  # as the page does, with the cookie that it gets
    with user.open(running.address.partition("?")[0] + "get_session") as answer:
        session.write_bytes(answer.read())
    done = subprocess.run(
        [sys.executable, "-c", READER, str(session)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    found = dict(line.rsplit(maxsplit=1) for line in done.stdout.splitlines())
    now = float(found.pop("now"))
    assert set(found) == {f"{model}@stickyhardsphere" for model in MODELS}
    for name, chisq in found.items():
        form, _, factor = name.partition("@")
        assert re.search(rf"^{form} +{factor} .* {float(chisq):.3g} ", running.printed, re.MULTILINE)
    assert f"{now:.6g}" in {f"{float(chisq):.6g}" for chisq in found.values()}


# A process of its own: what its client leaves open when it ends is no matter of this test.
DREAM = """
import asyncio, sys
import socketio
async def start():
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(sys.argv[1])
    await client.call("start_fit_thread", ("dream", {"samples": 1_000_000}))
    await client.disconnect()
asyncio.run(start())
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_of_a_fit_that_bumps_has_begun(example_data: Path, how: signal.Signals) -> None:
    file = example_data / "sphere_80.txt"  # which a sphere fits, soon
    running = start(file, "--models", "sphere", "--structure-factor", "none", "--time-limit", "6")
    subprocess.run([sys.executable, "-c", DREAM, running.address], check=True, timeout=60)
    deadline = time.monotonic() + PATIENCE
    while len(descendants(running.process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(descendants(running.process.pid)) >= 2, "Bumps fits in processes"
    stop(running, how)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.dat"], "nowhere.dat"),
        (["two.txt", "--port=70000"], "65535"),
        (["--models=sfere"], "did you mean sphere"),
        (["--q-range=0.1:0.1001"], "choose another --q-range"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(arguments: list[str], said: str, file: Path) -> None:
    if arguments[0].startswith("--"):
        arguments = [str(file), *arguments]
    done = CliRunner().invoke(app, ["bumps", *arguments])
    assert done.exit_code in (1, 2)
    assert isinstance(done.exception, SystemExit)
    assert said in done.stderr


def test_one_data_set_of_a_file_with_several_is_asked_for() -> None:
    q = np.geomspace(0.01, 0.1, 20)
    curves = [sasnet_plugin.Curve(q, q, file="a.h5", entry=entry) for entry in ("hot", "cold")]
    assert one("a.h5", [("a.h5", curves[1])]) is curves[1]
    with pytest.raises(SasnetError, match=r"a.h5: .*hot, cold.*--entry"):
        one("a.h5", [("a.h5", curve) for curve in curves])


def test_a_package_that_the_page_lacks_is_said_before_the_fits(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sasnet_plugin.cli import programs

    monkeypatch.setattr(programs, "find_spec", lambda name: None if name == "plotly" else name)
    done = CliRunner().invoke(app, ["bumps", str(file)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "needs plotly, which is not installed; run" in done.stderr
    assert "pip install '.[bumps]'" in done.stderr


def test_a_taken_port_is_said_before_the_fits(file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = CliRunner().invoke(app, ["bumps", str(file), f"--port={port}"])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert f"Port {port} cannot be used" in done.stderr
