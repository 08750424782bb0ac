"""A bumps session opens in bumps: by its own reader, by its web server, and without sasnet."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from simulated_fits import KINDS, simulated

from sasnet_plugin.report.exports.bumps import write_session


def read(path: Path) -> Any:
    from bumps.webview.server.state_hdf5_backed import State

    state = State()
    state.read_session_file(str(path))
    return state


@pytest.mark.parametrize("kind", KINDS)
def test_bumps_reads_every_candidate(kind: str, tmp_path: Path) -> None:
    result = simulated(kind)
    path = tmp_path / "fits.h5"
    write_session(result, path)
    state = read(path)
    items = list(state.history.store.values())
    assert len(items) == len(result.fits) == 2
    for item, fit in zip(reversed(items), result.fits, strict=True):  # the tab shows the last one on top
        problem = item.problem.fitProblem
        assert problem.name == fit.name
        assert item.label.startswith(f"{fit.name}: ")
        assert item.keep
        assert item.chisq_str == problem.chisq_str()
        assert 2 * problem.nllf() == pytest.approx(fit.chisq, rel=1e-6)
        assert sorted(problem.labels()) == sorted(fit.free)
        for parameter in problem._parameters:
            assert parameter.value == fit.parameters[parameter.name].value
            assert tuple(parameter.bounds) == (
                fit.parameters[parameter.name].low,
                fit.parameters[parameter.name].high,
            )
        assert item.problem.serializer == "pickle"
    assert state.shared.active_history == list(state.history.store)[-1]
    assert 2 * state.problem.fitProblem.nllf() == pytest.approx(result.fits[0].chisq, rel=1e-6)


def test_history_tab_of_the_web_server(tmp_path: Path) -> None:
    """Ask what the tab asks, over the same socket."""
    result = simulated("pinhole")
    path = tmp_path / "fits.h5"
    write_session(result, path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "bumps",
            "--webview",
            "--headless",
            f"--port={port}",
            f"--read-session={path}",
        ],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        history, chisq, plots = asyncio.run(_history(port))
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert [h["label"].split(":")[0] for h in history] == [f.name for f in reversed(result.fits)]
    assert chisq == [h["chisq_str"] for h in history]
    assert [p["fig_type"] for p in plots] == ["plotly", "plotly"]


async def _history(port: int) -> tuple[list[dict[str, Any]], list[str], list[dict[str, Any]]]:
    import msgpack
    import socketio

    client = socketio.AsyncClient(reconnection=False)
    for _ in range(300):
        try:
            await client.connect(f"http://127.0.0.1:{port}")
            break
        except socketio.exceptions.ConnectionError:
            await asyncio.sleep(0.1)

    async def ask(name: str, *arguments: Any) -> Any:
        return msgpack.unpackb(await client.call(name, arguments))

    try:
        history = (await ask("get_history"))["problem_history"]
        chisq, plots = [], []
        for item in history:
            await client.call("reload_history_item", item["name"])
            chisq.append(await ask("get_chisq"))
            plots.append(await ask("get_data_plot", [0]))
    finally:
        await client.disconnect()
    return history, chisq, plots


def test_opens_where_sasnet_is_not_installed(tmp_path: Path) -> None:
    result = simulated("perfect")
    path = tmp_path / "fits.h5"
    write_session(result, path)
    reader = (
        "import sys; sys.modules['sasnet_plugin'] = None\n"
        "from bumps.webview.server.state_hdf5_backed import State\n"
        "state = State(); state.read_session_file('fits.h5')\n"
        "print(2 * state.problem.fitProblem.nllf())"
    )
    # A home of its own: no model compiled on this machine is at hand either.
    done = subprocess.run(
        [sys.executable, "-c", reader],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "SAS_DLL_PATH": str(tmp_path / "compiled")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) == pytest.approx(result.fits[0].chisq, rel=1e-6)


def test_holds_nothing_of_this_machine(tmp_path: Path) -> None:
    """Pickled as it comes, a model holds the path of its compiled library and breaks on other machines."""
    import h5py
    import sasmodels
    from bumps.webview.server.state_hdf5_backed import read_bytes
    from sasmodels.kerneldll import SAS_DLL_PATH

    for kind in KINDS:
        path = tmp_path / f"{kind}.h5"
        write_session(simulated(kind), path)
        with h5py.File(path, "r") as file:
            groups = [file, *file["problem_history"].values()]
            pickles = [read_bytes(group["problem"], "fitProblem") for group in groups]
        assert len(pickles) == 3
        for content in pickles:
            assert b"load_model" in content
            for word in (SAS_DLL_PATH, str(Path(sasmodels.__file__).parent), "sasnet", "/data/"):
                assert word.encode() not in content


def test_bumps_fits_on_from_there(tmp_path: Path) -> None:
    result = simulated("perfect")
    write_session(result, tmp_path / "fits.h5")
    subprocess.run(
        [sys.executable, "-m", "bumps", "--read-session=fits.h5", "--write-session=more.h5", "--batch"]
        + ["--fit=lm", "--steps=2"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    state = read(tmp_path / "more.h5")
    labels = [item.label.split(":")[0] for item in state.history.store.values()]
    assert [f.name for f in reversed(result.fits)] == labels[:2]
    assert len(labels) == 3
    assert 2 * state.problem.fitProblem.nllf() <= result.fits[0].chisq * (1 + 1e-6)


def test_no_candidate_is_dropped_by_a_long_history(tmp_path: Path) -> None:
    result = simulated("perfect")
    many = replace(result, fits=tuple(replace(result.fits[0], weight=1 / (i + 2)) for i in range(12)))
    write_session(many, tmp_path / "many.h5")
    state = read(tmp_path / "many.h5")
    assert len(state.history.store) == 12
    weights = [item.label.rsplit(" ", 1)[1] for item in state.history.store.values()]
    assert [float(w) for w in weights] == pytest.approx([1 / (i + 2) for i in reversed(range(12))], rel=0.05)
    for number in range(3):
        state.save_to_history(f"later {number}")
    assert len(state.history.store) == 15
