"""The page of `sasnet tag` meets what wishes it ill, and files that are broken."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient
from tagpages import HOME, Page, draw

from sasnet_plugin.web.settings import WEB

Open = Callable[..., Page]
SCRIPT = "<img src=x onerror=alert(1)>.npy"


@pytest.fixture
def page(opened: Open, tmp_path: Path) -> Page:
    folder = tmp_path / "images"
    draw(folder, 3)
    return opened(folder)


def test_nobody_without_token_or_from_elsewhere_is_answered(page: Page) -> None:
    stranger = TestClient(page.client.app, base_url=HOME)
    token = page.keys.address.partition("?")[2]
    everything = [
        "/",
        "/tags",
        "/status",
        "/image/0",
        "/thumb/0",
        "/view/0",
        "/export/labels.csv",
        "/static/page.js",
        "/nothing",
    ]
    assert {stranger.get(where).status_code for where in everything} == {403}
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        assert stranger.get(f"/tags?{token}", headers=headers).status_code == 403
        answer = page.client.post("/api/tag", json={}, headers=headers)
        assert answer.status_code == 403, "with the cookie, too"
    assert stranger.post("/api/undo", json={"who": "eve"}).status_code == 403
    assert page.client.post("/api/undo", content=b"x" * (WEB.largest_request + 1)).status_code == 413
    assert page.client.post("/api/undo", content=iter([b"{}"])).status_code == 413, "of unknown length"
    policy = page.get("/tags").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_no_path_leads_out_of_the_folder(opened: Open, tmp_path: Path) -> None:
    folder, secret = tmp_path / "images", tmp_path / "secret"
    draw(folder, 2)
    draw(secret, 2)
    (folder / "link.npy").symlink_to(secret / "ring 000.npy")
    (folder / "below").symlink_to(secret)
    page = opened(folder)
    assert len(page.rows()) == 2
    for where in (
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/view/..%2f..%2fsecret",
    ):
        assert page.client.get(where).status_code in (404, 422), where
    for row in (-1, 99, "1e3", "../0"):
        assert page.client.get(f"/thumb/{row}").status_code in (400, 404, 422), row
    for name in ("/etc/passwd", "../secret/ring 000.npy", "a/../../b.npy", "c:\\x"):
        content = f"file,Round\n{name},1\n".encode()
        answer = page.client.post("/api/import", params={"who": "eve"}, content=content)
        assert answer.status_code == 400
        assert "not a file of this folder" in answer.json()["problem"]
    assert (
        page.post("/api/tag", 400, rows=[99], tag="Round", value=1, who="eve")["problem"]
        == "There is no such image."
    )
    assert not page.workspace.log.read_since(0)


def test_scripts_in_names_are_text(opened: Open, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    names = draw(folder, 1)
    (folder / names[0]).rename(folder / SCRIPT)
    page = opened(folder)
    evil = "<script>alert(2)</script>"
    page.post("/api/tags", name=f"{evil}'\"")
    page.post("/api/tag", rows=[0], tag=evil, value=1, who="<b>eve</b>")
    for where in ("/tags", "/image/0", "/status", "/together"):
        text = page.get(where).text
        assert "<script>alert" not in text, where
        assert "onerror=alert(1)>" not in text.replace("&gt;", ""), where
        assert "<b>eve" not in text, where
    assert "&lt;script&gt;alert(2)" in page.get("/image/0").text
    assert page.get("/export/labels.csv").headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("x" * 1_000_000, "1,000,000 characters; use 80 at most"),
        ("", "cannot be the name"), ("   ", "cannot be the name"), ("a\nb", "cannot be the name"),
        ("‮gnp", "cannot be the name"), ("\x00", "cannot be the name"),
        ("=cmd()", "cannot be the name"), ("file", "cannot be the name"), ("who", "cannot be the name"),
    ],
    ids=str,
)  # fmt: skip
def test_names_that_are_none_are_refused_in_a_sentence(page: Page, name: str, reason: str) -> None:
    for body in ({"tag": name, "who": "anna"}, {"tag": "Round", "who": name}):
        problem = page.post("/api/tag", 400, rows=[0], value=1, **body)["problem"]
        if body["tag"] == name:
            assert reason in problem
        assert len(problem) < 300
    assert not page.workspace.log.read_since(0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Round and", "at character 10"), ("(Round", "needs '\\)' at character 7"),
        ("Round Streak", "at character 7"), ('"Round', "unclosed quote at character 1"),
        ("nosuch", "no tag 'nosuch'"), ("p(Round) > x", "number at"), ("by(nobody)", "No user"),
        ("p(Round)", "needs <, <=, > or >= at character 9"), ("exec(Round)", "'exec' before a bracket"),
        ("__import__('os')", "before a bracket"), ("Round; 1", "no tag"), ("(" * 1900, "50 nested brackets"),
        ("not " * 400 + "Round", "50 nested brackets"), ("x" * 3000, "3,000 characters"),
    ],
    ids=lambda given: given[:12],
)  # fmt: skip
def test_filters_that_are_none_are_one_sentence(page: Page, text: str, reason: str) -> None:
    import re

    assert re.search(reason, page.post("/api/select", 400, filter=text)["problem"])


def test_files_that_are_broken_cost_themselves_alone(opened: Open, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    draw(folder, 3)
    whole = (folder / "ring 001.npy").read_bytes()
    (folder / "ring 001.npy").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.npy").write_bytes(b"")
    np.save(folder / "words.npy", np.array(["no", "image"]))
    page = opened(folder)
    desk = page.workspace
    row = {desk.images.keys[row][0]: row for row in page.rows()}
    shown = page.client.get(f"/view/{row['ring 000.npy']}", params={"view": "correlation"})
    assert shown.content.startswith(b"\x89PNG")
    answer = page.client.get(f"/view/{row['ring 001.npy']}")
    assert answer.status_code == 400
    assert answer.json()["problem"].startswith("ring 001.npy: ")
    assert str(tmp_path) not in answer.json()["problem"]
    deadline = time.monotonic() + 60
    while len(desk.images.problem) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(page.rows("unreadable")) == {row[name] for name in ("ring 001.npy", "empty.npy", "words.npy")}
    assert "3 unreadable" in page.get("/status").text
    assert page.get(f"/thumb/{row['ring 002.npy']}").content.startswith(b"\x89PNG")
    alike = page.rows(like=row["ring 000.npy"])
    assert alike[0] == row["ring 000.npy"]
