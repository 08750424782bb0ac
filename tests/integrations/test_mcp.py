"""`sasnet mcp` asked by the official client: each tool in detail, refusals, keys and origins.

Over its port: a server for all; `test_mcp_tasks` asks every tool over both transports.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import anyio
import numpy as np
import pytest
from assistants import (
    KEY,
    RADIUS,
    SLD,
    SOLVENT,
    answer,
    asked,
    by_http,
    refusal,
    served,
    sphere,
)
from mcp.client import Client
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("data")
    q = np.geomspace(0.005, 0.3, 90)
    clean = sphere(q)
    error = 0.02 * clean
    noise = np.random.default_rng(1).standard_normal(q.size)
    table = np.column_stack([q, clean + error * noise, error])
    np.savetxt(found / "sphere.dat", table, header="q(1/A) I dI")
    np.savetxt(
        found / "other.dat",
        np.column_stack([q, 2 * clean + error * noise[::-1], error]),
        header="q(1/A) I dI",
    )
    (found / "junk.dat").write_text("nothing here\n")
    (found / "out.csv").write_text('file,entry,error\na.dat,,\nb.dat,,"b.dat: cannot be read."\n')
    (found / "link.dat").symlink_to("/etc/passwd")
    (found / "below").mkdir()
    (found / os.fsdecode(b"caf\xe9.dat")).write_text("nothing here\n")  # no UTF-8, which JSON is
    return found


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as found:
        yield found


def test_an_assistant_finds_out_what_a_curve_is(folder: Path, address: str) -> None:
    async def tasks(client: Client) -> None:
        listed = await client.list_tools()
        assert all(tool.description for tool in listed.tools)
        files = await answer(client, "list_files")
        assert "sphere.dat" in files["files"]
        assert "caf?.dat" in files["files"]
        assert "link.dat" not in files["files"]
        (data,) = (await answer(client, "read", file="sphere.dat"))["data_sets"]
        assert data["points"] == 90
        assert data["q_unit"]["stated"]
        found = await answer(client, "classify", file="sphere.dat", top=3)
        assert "sphere" in [m["model"] for m in found["models"]]
        assert sum(m["probability"] for m in found["models"]) <= 1 + 1e-9
        free = await answer(client, "model_free", file="sphere.dat")
        assert free["guinier"]["rg"] == pytest.approx(np.sqrt(0.6) * RADIUS, rel=0.03)
        size = await answer(client, "protein", file="sphere.dat", monomer=20.0)
        assert size["rg"]["value"] == pytest.approx(np.sqrt(0.6) * RADIUS, rel=0.03)
        heavy = await answer(client, "sld", material="D2O")
        assert heavy["sld"] == pytest.approx(6.36, abs=0.01)
        assert heavy["unit"] == "1e-6/Å²"
        page = await answer(client, "explain", model="core_shell_sphere")
        assert {"radius", "thickness", "sld_shell"} <= {p["name"] for p in page["parameters"]}
        assert "vesicle" in page["hard_to_tell_from"]
        state = await answer(client, "batch_status", results="out.csv")
        assert (state["answered"], state["failed"]) == (1, 1)

    asked(by_http, folder, address, tasks)


def test_a_curve_is_read_as_the_assistant_says(folder: Path, address: str) -> None:
    table = np.loadtxt(folder / "sphere.dat")
    table[:, 0] = 2 * np.degrees(np.arcsin(table[:, 0] * 1.54 / 4 / np.pi))
    np.savetxt(folder / "angles.xy", table, header="2theta(deg) I dI")

    async def tasks(client: Client) -> None:
        assert "wavelength" in await refusal(client, "read", file="angles.xy")
        (data,) = (await answer(client, "read", file="angles.xy", wavelength=1.54))["data_sets"]
        assert data["q_range"]["high"] == pytest.approx(0.3, rel=1e-6)
        part = await answer(client, "model_free", file="angles.xy", wavelength=1.54, q_max=0.04)
        assert part["guinier"]["rg"] == pytest.approx(np.sqrt(0.6) * RADIUS, rel=0.05)
        assert not part["peaks"]
        assert "not a q range" in await refusal(client, "classify", file="sphere.dat", q_min=0.2, q_max=0.1)
        found = await answer(
            client, "fit", file="angles.xy", models=["sphere"], structure_factor="none", solvent="D2O",
            probe="xray", wavelength=1.54, q_max=0.2,
        )  # fmt: skip
        assert all(said in found["next"] for said in ("--wavelength 1.54", "--q-range :0.2", "--probe xray"))
        solvent = found["fits"][0]["parameters"]["sld_solvent"]
        assert solvent["value"] == pytest.approx(9.4, abs=0.1)

    asked(by_http, folder, address, tasks)


def test_a_model_is_calculated_as_its_formula_says(folder: Path, address: str) -> None:
    values = {"radius": RADIUS, "sld": SLD, "sld_solvent": SOLVENT, "scale": 0.01, "background": 0.02}

    async def tasks(client: Client) -> None:
        places = [0.01, 0.05, 0.2]
        found = await answer(client, "evaluate", model="sphere", parameters=values, q=places)
        assert found["intensity"] == pytest.approx(sphere(np.array(places)), rel=1e-4)
        held = await answer(client, "evaluate", model="sphere", parameters=values, file="sphere.dat")
        assert held["reduced_chisq"] == pytest.approx(1.0, abs=0.4)

    asked(by_http, folder, address, tasks)


def test_a_fit_says_its_doubts_units_errors_and_sources(folder: Path, address: str) -> None:
    async def tasks(client: Client) -> None:
        heard: list[float] = []

        async def progress(done: float, total: float | None, message: str | None) -> None:
            del total, message
            heard.append(done)

        call = await client.call_tool(
            "fit",
            {"file": "sphere.dat", "models": ["sphere"], "structure_factor": "none", "solvent": "D2O"},
            progress_callback=progress,
        )
        found = dict(call.structured_content or {})
        assert found["verdict"].startswith("explains")
        radius = found["fits"][0]["parameters"]["radius"]
        assert abs(radius["value"] - RADIUS) < 4 * radius["error"]
        assert radius["unit"] == "Ang"
        assert "fitted" in radius["source"]
        assert found["fits"][0]["parameters"]["sld_solvent"]["source"] == "given, not fitted"
        assert heard
        elsewhere = await refusal(client, "export", fit=found["fit"], folder="/tmp/elsewhere")
        assert "is not in" in elsewhere
        written = await answer(client, "export", fit=found["fit"], folder=f"below/{len(heard)}")
        endings = {Path(name).name.partition(".")[2] for name in written["written"]}
        assert {"sasview.json", "bumps.py", "nxcansas.h5", "html"} <= endings
        assert all(Path(name).is_file() for name in written["written"])

    asked(by_http, folder, address, tasks)


def test_bad_requests_are_one_true_sentence(folder: Path, address: str) -> None:
    async def tasks(client: Client) -> None:
        for file in ("/etc/passwd", "../../etc/passwd", "link.dat", "below/../../x", "\0", "~/x"):
            assert "is not in" in await refusal(client, "read", file=file), file
        assert "no such file" in await refusal(client, "read", file="missing.dat")
        assert "junk.dat" in await refusal(client, "classify", file="junk.dat")
        assert "no such fit" in await refusal(client, "export", fit="fit99", folder="below")
        assert "did you mean sphere" in await refusal(client, "explain", model="spheer")
        assert "no such parameter" in await refusal(
            client, "evaluate", model="sphere", parameters={"colour": 1.0}
        )
        assert "positive numbers" in await refusal(
            client, "evaluate", model="sphere", parameters={}, q=[-1.0, 0.1]
        )
        assert "between 1 and" in await refusal(client, "fit", file="sphere.dat", time_limit=1e6)
        assert "no such model" in await refusal(client, "evaluate", model="no_model", parameters={})
        assert "neither a chemical formula" in await refusal(client, "sld", material="Unobtainium")
        assert "solvents for 2 files" in await refusal(
            client, "fit_together", files=["sphere.dat", "other.dat"], solvents=["D2O"]
        )
        assert "did you mean file?" in await refusal(client, "read", files="sphere.dat")
        assert "no argument 'colour'" in await refusal(client, "fit", file="sphere.dat", colour="red")
        assert "file is missing" in await refusal(client, "classify")
        said = await refusal(client, "classify", file="sphere.dat", q_min="low")
        assert said == "classify: q_min is 'low'; give a number."
        said = await refusal(client, "fit_together", files="sphere.dat")
        assert said == "fit_together: files is 'sphere.dat'; give a list."
        said = await refusal(client, "classify", file="sphere.dat", q_min="0.2", q_max=0.1)
        assert "not a q range" in said  # the text is a number that can be read
        wrong = await client.call_tool("classify", {"file": 7})
        assert wrong.is_error
        # After all this it still answers.
        assert (await answer(client, "read", file="sphere.dat"))["file"] == "sphere.dat"

    asked(by_http, folder, address, tasks)


def test_two_clients_have_their_own_answers(folder: Path, address: str) -> None:
    async def run() -> None:
        seen: dict[str, str] = {}

        async def one(file: str) -> None:
            async with by_http(folder, address) as client:
                for _ in range(5):
                    seen[file] = (await answer(client, "read", file=file))["file"]

        async with anyio.create_task_group() as group:
            group.start_soon(one, "sphere.dat")
            group.start_soon(one, "other.dat")
        assert seen == {"sphere.dat": "sphere.dat", "other.dat": "other.dat"}

    anyio.run(run)


def test_without_the_key_nothing_is_answered(address: str) -> None:
    import httpx2

    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": KEY}):
        found = httpx2.post(address, json=body, headers=headers)
        assert found.status_code == 401
        assert "key" in found.text


def test_other_origins_are_refused(address: str) -> None:
    import httpx2

    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    head = {"Authorization": f"Bearer {KEY}", "Origin": "https://example.com", "Host": "example.com"}
    assert httpx2.post(address, json=body, headers=head).status_code in (403, 421)


def test_numbers_of_json_are_numbers(folder: Path, address: str) -> None:
    async def tasks(client: Client) -> None:
        text = json.dumps(await answer(client, "model_free", file="sphere.dat"), allow_nan=False)
        assert not re.search(r"NaN|Infinity", text)

    asked(by_http, folder, address, tasks)


def test_what_hinders_a_port_is_one_sentence_and_gives_no_key_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = CliRunner()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("SASNET_MCP_KEY", "beamtime42")
        found = runner.invoke(app, ["mcp", str(folder), "--port", str(port)])
    assert found.exit_code == 1
    assert found.output.startswith(f"sasnet: Port {port} cannot be used")
    assert len(found.output.splitlines()) == 1
    assert "beamtime42" not in found.output
    monkeypatch.setenv("SASNET_MCP_KEY", "Schlüssel 1")
    found = runner.invoke(app, ["mcp", str(folder), "--port", str(port)])
    assert (found.exit_code, "SASNET_MCP_KEY" in found.output) == (1, True)
    assert "Schl" not in found.output
