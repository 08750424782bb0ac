"""What stands before Bumps' server: who is let in, and what the page may do with files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from sasnet_plugin.integrations.bumps import OFF, guard, restrict
from sasnet_plugin.web.access import Keys


async def _served(ask: Any) -> list[int]:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text="the page")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/get_session", page)
    keys = Keys(5148)
    guard(app, keys)
    async with TestServer(app) as server:
        return await ask(keys, str(server.make_url("/")))


def test_a_page_is_for_whoever_knows_its_address() -> None:
    async def ask(keys: Keys, home: str) -> list[int]:
        async def status(session: ClientSession, where: str, **headers: str) -> int:
            async with session.get(home + where, headers=headers) as answer:
                return answer.status

        port = home.rstrip("/").rpartition(":")[2]
        token, once = keys.address.partition("?")[2], keys.address_once().partition("?")[2]
        found = []
        async with ClientSession() as stranger:
            for where in ("", "get_session", "?token=", "?token=guessed", f"?{token}x", "socket.io/"):
                found.append(await status(stranger, where))
            for name in ("evil.example", f"evil.example:{port}", f"localhost.evil.example:{port}"):
                found.append(await status(stranger, f"?{token}", Host=name))
            for origin in ("http://evil.example", "null", "http://127.0.0.1:1", f"https://127.0.0.1:{port}"):
                found.append(await status(stranger, f"?{token}", Origin=origin))
        assert set(found) == {403}
        for first in (token, once):
            async with ClientSession(cookie_jar=_jar()) as user:
                assert await status(user, f"?{first}") == 200
                assert await status(user, "get_session") == 200, "by the cookie"
                assert await status(user, "get_session", Origin=home.rstrip("/")) == 200
                assert await status(user, "get_session", Origin="http://evil.example") == 403
                assert await status(user, "", Host="evil.example") == 403
        async with ClientSession() as late:
            return [await status(late, f"?{once}"), await status(late, f"?{token}", Host="localhost:7000")]

    assert asyncio.run(_served(ask)) == [403, 200]


def _jar() -> Any:
    from aiohttp import CookieJar

    return CookieJar(unsafe=True)  # 127.0.0.1 has no name


def test_no_two_pages_have_the_same_key() -> None:
    addresses = {Keys(5148).address for _ in range(3)}
    assert len(addresses) == 3
    assert all(len(each.partition("token=")[2]) >= 32 for each in addresses)


@pytest.fixture
def registry() -> dict[str, Any]:
    from bumps.webview.server import api

    return dict(api.REGISTRY)


def test_the_page_reads_and_writes_in_one_folder(registry: dict[str, Any], tmp_path: Path) -> None:
    said: list[str] = []

    async def notify(sentence: str, **how: Any) -> None:
        said.append(sentence)

    folder, other = tmp_path / "data", tmp_path / "other"
    (folder / "below").mkdir(parents=True)
    other.mkdir()
    (other / "script.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (folder / "out").symlink_to(other)
    restrict(registry, folder, notify)

    def call(name: str, *arguments: Any) -> Any:
        return asyncio.run(registry[name](*arguments))

    for outside in (["/", "etc"], [str(other)], [str(folder), ".."], [str(folder), "out"], ["~"]):
        assert tuple(call("get_dirlisting", outside)["pathlist"]) == folder.parts
    assert [each["name"] for each in call("get_dirlisting", [str(folder)])["subfolders"]] == ["below", "out"]
    assert not said
    for name, arguments in {
        "save_session_copy": ([str(folder)], "../s.h5"),
        "save_problem_file": ([str(other)], "p.json"),
        "save_parameters": ([str(folder), "out"], "p.par", True),
        "apply_parameters": (["/etc"], "passwd"),
        "set_session_output_file": (str(other / "s.h5"),),
        "export_results": ([str(other)],),
        "set_shared_setting": ("session_output_file", {"filename": "s.h5", "pathlist": ["/"]}),
    }.items():
        said.clear()
        assert call(name, *arguments) is None
        assert len(said) == 1
        assert "is outside" in said[0], name
    for name in OFF:
        said.clear()
        assert call(name, [str(other)], "script.py") is None
        assert "disabled" in said[0]
    assert not (tmp_path / "ran").exists()
    assert [path.name for path in other.iterdir()] == ["script.py"]


def test_everything_of_this_bumps_that_takes_a_path_is_known(
    registry: dict[str, Any], tmp_path: Path
) -> None:
    """A function that a later Bumps adds is off until somebody has looked at it."""

    async def read_any(some_path: str) -> str:
        return some_path

    async def notify(sentence: str, **how: Any) -> None:
        pass

    before = {**registry, "read_any": read_any}
    after = dict(before)
    restrict(after, tmp_path, notify)
    assert asyncio.run(after["read_any"]("/etc/passwd")) is None
    changed = {name for name in after if after[name] is not before[name]}
    assert changed == {
        *OFF, "apply_parameters", "export_results", "get_dirlisting", "read_any", "save_parameters",
        "save_problem_file", "save_session_copy", "set_session_output_file", "set_shared_setting",
    }  # fmt: skip
