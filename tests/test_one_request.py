"""Each option of a fit stands once, in `fitting.request`; all surfaces have it, with its help and limits."""

from __future__ import annotations

import asyncio
import inspect
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

import sasnet_plugin
from sasnet_plugin.batch.plan import Options
from sasnet_plugin.cli.arguments import read_request
from sasnet_plugin.cli.main import app
from sasnet_plugin.fitting.asked import options_of
from sasnet_plugin.fitting.request import OPTIONS, READING, REFINING, FileRequest, request_from_json
from sasnet_plugin.fitting.verdict.next_step import command
from sasnet_plugin.types import SasnetError

#: What an option needs beside it to mean something.
BESIDE: dict[str, dict[str, Any]] = {
    "start": {"models": ["sphere"]},
    "samples": {"method": "dream"},
    "burn": {"method": "dream"},
    "probe": {"solvent": "D2O", "wavelength": 1.5},
}
#: Options that change no answer of a batch: how long it takes, and where.
IDLE = ("time_limit", "workers")


def asked(name: str) -> dict[str, Any]:
    """A request as JSON with this option, at the value of its example."""
    return {**BESIDE.get(name, {}), name: OPTIONS[name].example}


def cli(name: str) -> Any:
    group: Any = typer.main.get_command(app)
    return group.get_command(None, name)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_surface_has_the_option_with_the_same_words(name: str) -> None:
    option = OPTIONS[name]
    for verb in ("fit", "next", "batch", "bumps"):
        found = {p.name: p for p in cli(verb).params}.get(name)
        if verb != "fit" and name in REFINING:
            assert found is None
            continue
        assert found is not None, verb
        assert (found.opts, found.help) == ([option.spelling], option.help_text)
        assert found.min == option.kind.least
    for function in (sasnet_plugin.fit, sasnet_plugin.fit_together):
        assert (name in inspect.signature(function).parameters) == (name not in READING)
        assert (f"    {name} : " in (function.__doc__ or "")) == (name not in READING)
        assert (option.help in (function.__doc__ or "")) == (name not in READING)


def test_the_page_has_each_option() -> None:
    pytest.importorskip("fastapi")
    from sasnet_plugin.web.routes import IN_OTHER_WAYS, AskedBatch, AskedFit

    assert set(IN_OTHER_WAYS) == {*READING, "workers"}
    for name in OPTIONS.keys() - set(IN_OTHER_WAYS):
        body = {"keys": ["a#1"], **asked(name)}
        if name == "start":
            body["start"] = {"model": "sphere", "values": OPTIONS[name].example}
        request = request_from_json(AskedFit(**body).body())
        assert options_of(request) != options_of(request_from_json({})), name
        if name in REFINING:
            with pytest.raises(SasnetError, match="a batch has no such option"):
                AskedBatch(**body).body()
        else:
            assert getattr(request_from_json(AskedBatch(**body).body()), name) == getattr(request, name)


def test_assistants_have_each_option() -> None:
    pytest.importorskip("mcp")
    from sasnet_plugin.integrations.assistant.folders import Folders
    from sasnet_plugin.integrations.assistant.server import build

    server, _ = build(Folders((Path.cwd(),)), 1)
    tools = {tool.name: tool.input_schema["properties"] for tool in asyncio.run(server.list_tools())}
    for verb in ("fit", "fit_together"):
        assert OPTIONS.keys() - tools[verb].keys() == {"workers", *REFINING}
        for name in OPTIONS.keys() & tools[verb].keys():
            assert tools[verb][name]["description"].startswith(OPTIONS[name].help)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_command_that_follows_asks_for_the_same(name: str) -> None:
    """What was asked as JSON comes back as a command, which the command line reads as the same request."""
    request = request_from_json(asked(name))
    words = shlex.split(command("a.dat", options_of(request), {}))
    assert OPTIONS[name].spelling in words
    params = cli("fit").make_context("fit", words[2:]).params
    assert read_request({option: params[option] for option in OPTIONS}) == request


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in REFINING])
def test_a_batch_answers_anew_where_the_answer_may_differ(name: str) -> None:
    beside = BESIDE.get(name, {})
    without, with_it = (Options.of(request_from_json(body)).digest for body in (beside, asked(name)))
    assert (without == with_it) == (name in IDLE)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("wrong", [float("nan"), {"radius": "x"}, [None], -3])
def test_a_wrong_value_is_one_sentence(name: str, wrong: Any) -> None:
    if name == "start" and isinstance(wrong, dict):
        pytest.skip("words are kinds of size distributions")
    with pytest.raises(SasnetError) as refused:
        FileRequest(**{**asked(name), name: wrong})
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)
