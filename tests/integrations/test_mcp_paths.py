"""No tool of `sasnet mcp` reads, writes or runs anything outside of the opened folders.

All tools are listed as an assistant sees them; each argument that takes text gets paths of harmless files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mcp")

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.integrations.assistants import RADIUS, answer, asked, command, refusal, sphere, written

#: A plugin model that leaves a mark beside itself when it runs, and is a sphere's Guinier law else.
PLUGIN = """
from pathlib import Path
Path(__file__).with_suffix(".ran").write_text("ran")
name, title, description, category = "mine", "a test", "exp(-q²Rg²/3)", "shape:sphere"
parameters = [["rg", "Ang", 40.0, [0, float("inf")], "", "Radius of gyration"]]
from numpy import exp
def Iq(q, rg=40.0):
    return exp(-((q * rg) ** 2) / 3)
Iq.vectorized = True
"""
#: Text that no answer may hold.
SECRET = "0.123456789 7.77 0.1\n" * 40


@dataclass(frozen=True)
class Place:
    """An opened folder, and beside it what must stay closed."""

    opened: Path
    outside: Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place(tmp_path / "opened", tmp_path / "outside")
    for folder in (found.opened, found.outside):
        folder.mkdir()
        (folder / "mine.py").write_text(PLUGIN)
        (folder / "secret.dat").write_text(SECRET)
        (folder / "secret.csv").write_text("file,entry,error\n0.123456789,,\n")
    q = np.geomspace(0.005, 0.3, 60)
    written(found.opened / "sphere.dat", sphere(q), q, 1)
    (found.opened / "link.py").symlink_to(found.outside / "mine.py")
    (found.opened / "link.dat").symlink_to(found.outside / "secret.dat")
    (found.opened / "out").symlink_to(found.outside)
    # sasmodels finds models by their bare names in a folder of the user, which is not opened either.
    monkeypatch.setenv("SAS_MODELPATH", str(found.outside))
    return found


def paths_outside(place: Place) -> list[str]:
    """Files and folders outside: absolute, relative, and by links."""
    names = ("mine.py", "mine", "secret.dat", "secret.csv", "new", "")
    relative = ("../outside/mine.py", "../outside/secret.dat", "../outside", "link.py", "link.dat", "out")
    return [*(str(place.outside / name) for name in names), *relative, "out/mine.py"]


def models_outside(place: Place) -> list[str]:
    """Bare names of plugins, and paths of them within names of products and sums."""
    plugin = place.outside / "mine.py"
    return [
        "mine", "custom.mine", f"sphere@{plugin}", f"sphere+{plugin}", f"{plugin}@hardsphere",
        f"sphere@{place.outside / 'mine'}+sphere", f"sphere@{plugin}+sphere", "custom.mine+sphere",
    ]  # fmt: skip


def with_text(schema: Mapping[str, Any], text: str) -> Any:
    """An argument of a tool's schema that holds a text; None where it can hold none."""
    kinds = {one.get("type"): one for one in schema.get("anyOf", [schema])}
    if "array" in kinds:
        inner = kinds["array"].get("items", {})
        types = {one.get("type") for one in (inner, *inner.get("anyOf", ()))}
        return [text] if "string" in types else None
    if "object" in kinds:
        return {text: 1.0, "radius_pd_type": text}
    return text if "string" in kinds else None


#: What else the arguments of a tool have to be for it to come to the text.
OTHERS: dict[str, Any] = {
    "file": "sphere.dat", "files": ["sphere.dat"], "model": "sphere", "parameters": {}, "material": "D2O",
    "results": "secret.csv", "fit": "fit1", "folder": "",
}  # fmt: skip


async def every_argument(client: Client) -> list[tuple[str, str, dict[str, Any]]]:
    """(tool, argument, schema) of all that takes text, and of what else its tool needs."""
    listed = (await client.list_tools()).tools
    return [
        (tool.name, name, dict(tool.input_schema))
        for tool in listed
        for name, schema in tool.input_schema.get("properties", {}).items()
        if with_text(schema, "x") is not None
    ]


def find_undeclared(schema: Mapping[str, Any]) -> list[str]:
    """Arguments of a tool that take text and do not state what it names."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    return [
        name
        for name, one_property in properties.items()
        if "names" not in one_property and _takes_text(one_property)
    ]


def _takes_text(schema: Mapping[str, Any]) -> bool:
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    return schema.get("type") in ("string", "object") or any(map(_takes_text, inner))


def test_every_text_argument_states_what_it_names_and_none_leads_outside(place: Place) -> None:
    tried: set[tuple[str, str]] = set()

    async def tasks(client: Client) -> None:
        found = (await client.list_tools()).tools
        assert len(found) >= 11
        undeclared = {tool.name: find_undeclared(tool.input_schema) for tool in found}
        assert undeclared == {tool.name: [] for tool in found}
        for tool, name, schema in await every_argument(client):
            names = schema["properties"][name]["names"]
            needed = {n: OTHERS[n] for n in schema.get("required", ())}
            if names == "word" and tool in ("fit", "fit_together"):
                needed["models"] = ["no_such_model"]  # refused without a fit
            for text in paths_outside(place) + (models_outside(place) if names == "model" else []):
                given = needed | {name: with_text(schema["properties"][name], text)}
                reply: Any = await client.call_tool(tool, given)
                said = str(reply.content[0].text)
                assert reply.is_error or names == "word", (tool, name, text, said)
                assert "0.123456789" not in said, (tool, name, text)
                tried.add((tool, name))
        # A plugin model inside is for a server that was started for it, see below.
        assert "allow-plugins" in await refusal(client, "fit", file="sphere.dat", models=["mine.py"])
        assert not [*place.outside.glob("*.ran"), *place.opened.glob("*.ran")]
        assert not (place.outside / "new").exists()
        assert sorted(p.name for p in place.outside.iterdir() if p.name != "__pycache__") == [
            "mine.py", "secret.csv", "secret.dat",
        ]  # fmt: skip

    asked(by_plain, place.opened, "", tasks)
    assert {("fit", "models"), ("fit_together", "files"), ("export", "folder"), ("list_files", "folder"),
            ("explain", "model"), ("evaluate", "file"), ("batch_status", "results")} <= tried  # fmt: skip


def test_a_plugin_inside_runs_if_the_server_was_started_so(place: Place) -> None:
    async def runs(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert not tools["fit"].annotations.read_only_hint  # type: ignore[union-attr]
        for text in ("link.py", "out/mine.py", str(place.outside / "mine.py"), "mine"):
            assert await refusal(client, "fit", file="sphere.dat", models=[text])
        found = await answer(client, "fit", file="sphere.dat", models=["mine.py"], q_max=0.02)
        assert found["fits"][0]["parameters"]["rg"]["value"] == pytest.approx(np.sqrt(0.6) * RADIUS, rel=0.1)

    asked(by_plugins, place.opened, "", runs)
    assert list(place.opened.glob("*.ran"))
    assert not list(place.outside.glob("*.ran"))


def by_plain(folder: Path, address: str) -> Any:
    """The official client of a server as assistants start it."""
    del address
    return _client(command(folder))


def by_plugins(folder: Path, address: str) -> Any:
    """The same of one that may run plugins."""
    del address
    return _client(command(folder, "--allow-plugins"))


def _client(arguments: list[str]) -> Client:
    parameters = StdioServerParameters(command=sys.executable, args=arguments[1:], env=dict(os.environ))
    return Client(stdio_client(parameters))
