"""The routes of images: what they answer, and what wishes them ill."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imagefiles import DIRECTOR, broken, lattice, rods
from starlette.testclient import TestClient
from tagpages import HOME

from sasnet_plugin.images.service import titles
from sasnet_plugin.images.settings import IMAGES
from sasnet_plugin.images.tagging.workspace import open_tagging
from sasnet_plugin.web.access import Keys
from sasnet_plugin.web.app import Opened, Tabs, application
from sasnet_plugin.web.curves.bench import Bench

ROUND, UNTOLD, FILM = "folder:rods.npy#1", "folder:untold.npy#1", "folder:film.npz#1"
GET = ["/tags", "/api/files?images=true", "/api/images/about", "/static/picture.js",
       *(f"/api/image/{what}?key=x&number=0" for what in ("picture", "figure", "page"))]  # fmt: skip
POST = ["what", "image", "image/kinds", "image/choose", "image/verify", "tagging"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("images")
    rods(found)
    rods(found, "untold.npy", told=False)
    lattice(found)
    broken(found)
    (found / "curve.dat").write_text(
        "\n".join(f"{q:.5f} {1 / (1 + 900 * q * q):.6f} 0.01" for q in np.geomspace(0.005, 0.3, 60))
    )
    (found / "link.npy").symlink_to("/etc/passwd")
    return found


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def page(folder: Path, work: Path) -> Iterator[TestClient]:
    """One page for all, each of which leaves it as it was."""
    keys = Keys(8000, "127.0.0.1")
    bench = Bench(folder, work, workers=1, live=False)
    tabs = Tabs(
        lambda: bench,
        lambda kind: open_tagging(folder, kind, work, live=False, kind_of=bench.shelf.kind_of),
        folder,
    )
    with TestClient(application(Opened(tabs), keys), base_url=HOME) as client:
        assert client.get(keys.address).status_code == 200
        yield client


def post(page: TestClient, where: str, status: int = 200, **body: Any) -> Any:
    answer = page.post(f"/api/{where}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def images(page: TestClient, **query: Any) -> dict[str, dict[str, Any]]:
    """Images by their names, once each file was read."""
    end = time.monotonic() + 120
    while not all(row["read"] for row in page.get("/api/files").json()["rows"]):
        assert time.monotonic() < end
        time.sleep(0.1)
    rows = page.get("/api/files", params={"images": True, **query}).json()["rows"]
    return {row["file"]: row for row in rows}


def test_nobody_without_a_token_or_from_elsewhere_is_answered(page: TestClient) -> None:
    stranger = TestClient(page.app, base_url=HOME)
    assert {stranger.get(where).status_code for where in GET} == {403}
    assert {stranger.post(f"/api/{where}", json={}).status_code for where in POST} == {403}
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        for where in POST:
            answer = page.post(f"/api/{where}", json={"key": ROUND}, headers=headers)
            assert answer.status_code == 403, "with the cookie"
        assert page.get("/tags", headers=headers).status_code == 403
    assert "unsafe" not in page.get("/tags").headers["content-security-policy"]


def test_images_are_listed_with_what_they_may_show(page: TestClient) -> None:
    found = images(page)
    assert set(found) == {"rods.npy", "untold.npy", "film.npz"}, "no curve, nothing broken, no link out"
    assert found["rods.npy"]["answer"].startswith("cylinder")
    assert found["rods.npy"]["kind"] == "small-angle-scattering images"
    assert (found["untold.npy"]["answer"], found["untold.npy"]["probability"]) == ("kind not known", None)
    assert found["film.npz"]["doubt"].startswith("This pattern is outside the training data")
    assert set(images(page, search="small-angle")) == {"rods.npy"}
    whole = {row["file"]: row for row in page.get("/api/files").json()["rows"]}
    assert whole["broken.cbf"]["state"] == "cannot be read"
    assert not whole["curve.dat"]["image"]
    assert not post(page, "what", key="folder:curve.dat#1")["image"]
    assert post(page, "what", key=ROUND)["image"]


def test_an_image_is_answered_and_drawn_and_its_report_is_whole(page: TestClient) -> None:
    images(page)
    found = post(page, "image", key=ROUND)
    assert found["headline"].startswith("cylinder")
    assert found["can_verify"]
    assert "no other kind is possible" in found["reason"]
    titles = [one["title"] for one in found["figures"]]
    assert "Distribution of angles" in titles
    table = dict(row[:2] for one in found["figures"] for row in one["table"])
    assert float(table["director"].split()[0]) == pytest.approx(DIRECTOR, abs=3)
    for night in (False, True):
        drawn = page.get("/api/image/figure", params={"key": ROUND, "number": 2, "night": night})
        assert drawn.content.startswith(b"\x89PNG")
    picture = page.get("/api/image/picture", params={"key": ROUND})
    assert picture.content.startswith(b"\x89PNG")
    about = json.loads(picture.headers["X-Frame-About"])
    (left, right, *_), (top, *_, bottom) = about["corners"]
    assert left < 0 < right, "qx to the right"
    assert bottom < 0 < top, "qy up"
    report = page.get("/api/image/page", params={"key": ROUND})
    assert report.headers["content-disposition"].startswith("attachment")
    assert "cylinder" in report.text


def test_who_does_not_tell_its_kind_is_asked_and_what_is_chosen_is_kept(
    page: TestClient, folder: Path, work: Path
) -> None:
    images(page)
    asked = post(page, "image", key=UNTOLD)
    assert (asked["kind"], asked["headline"], asked["can_verify"]) == ("", "", False)
    assert str(folder) not in asked["reason"]
    said = {one["kind"]: one for one in post(page, "image/kinds", key=UNTOLD)["kinds"]}
    assert {name for name, one in said.items() if one["reads"]} == {"xray_tags", "diffraction"}
    assert "wavelength" in said["sans2d"]["said"]
    geometry = ["wavelength=6", "distance=4000", "pixel_size=5.3", "direct_beam=[63.5, 63.5]", ""]
    chosen = post(page, "image/choose", key=UNTOLD, kind="sans2d", geometry=geometry)
    assert chosen == {"images": 1, "key": UNTOLD}
    assert post(page, "image", key=UNTOLD)["kind"] == "sans2d"
    assert images(page)["untold.npy"]["kind"] == "small-angle-scattering images"
    # Another server on the same folder for what is done knows it.
    again = Bench(folder, work, workers=1, live=False)
    try:
        assert again.shelf.find_choice(UNTOLD)["kind"] == "sans2d"
        assert again.shelf.row(UNTOLD).line["image"] == "sans2d", "as it was read before"
    finally:
        again.close()
    post(page, "image/choose", key=UNTOLD, kind="")
    assert images(page)["untold.npy"]["answer"] == "kind not known"


def test_one_choice_may_hold_for_all_that_do_not_say(page: TestClient, folder: Path) -> None:
    rods(folder, "another.npy", told=False)
    try:
        post(page, "scan")
        images(page)
        found = post(page, "image/choose", key=UNTOLD, kind="diffraction", others=True)
        assert found["images"] == 2
        assert {images(page)[name]["kind"] for name in ("untold.npy", "another.npy")} == {
            "diffraction images of single particles"
        }
        assert images(page)["rods.npy"]["kind"] == "small-angle-scattering images"
    finally:
        (folder / "another.npy").unlink()
        post(page, "scan")
        post(page, "image/choose", key=UNTOLD, kind="")


def test_a_geometry_that_comes_later_is_seen(page: TestClient, folder: Path) -> None:
    images(page)
    beside = folder / "untold.toml"
    beside.write_text((folder / "rods.toml").read_text())
    try:
        post(page, "scan")
        assert images(page)["untold.npy"]["answer"].startswith("cylinder")
        assert post(page, "image", key=UNTOLD)["kind"] == "sans2d"
    finally:
        beside.unlink()
    post(page, "scan")
    assert images(page)["untold.npy"]["answer"] == "kind not known"


@pytest.mark.parametrize(
    ("where", "body"),
    [
        ("image", {"key": "folder:../rods.npy#1"}), ("image", {"key": "folder:link.npy#1"}),
        ("image", {"key": "folder:/etc/passwd#1"}), ("image", {"key": "folder:rods.npy#99"}),
        ("image", {"key": "folder:curve.dat#1"}), ("image", {"key": "folder:broken.cbf#1"}), ("image", {}),
        ("image/kinds", {"key": "folder:curve.dat#1"}), ("image/verify", {"key": "folder:curve.dat#1"}),
        ("image/verify", {"key": ROUND, "time_limit": 1e9}),
        ("image/verify", {"key": ROUND, "time_limit": "nan"}),
        ("image/choose", {"key": ROUND, "kind": "evil"}), ("image/choose", {"key": ROUND, "kind": "sas1d"}),
        ("image/choose", {"key": ROUND, "geometry": ["mask_file=/etc/passwd"]}),
        ("image/choose", {"key": ROUND, "geometry": ["mask_file =../x"]}),
        ("image/choose", {"key": ROUND, "geometry": ["x" * (IMAGES.longest + 1)]}),
        ("image/choose", {"key": ROUND, "geometry": ["a=1"] * (IMAGES.texts + 1)}),
        ("image/choose", {"key": ROUND, "geometry": "a=1"}), ("fits", {"keys": [ROUND]}),
        ("tagging", {"kind": "evil"}), ("tagging", {"kind": "../x"}), ("tagging", {}),
    ],
    ids=lambda given: str(given)[:50],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(page: TestClient, where: str, body: dict[str, Any]) -> None:
    images(page)
    answer = page.post(f"/api/{where}", json=body)
    assert answer.status_code in (400, 422)
    problem = answer.json()["problem"]
    assert len(problem) < 300
    assert "/etc/passwd" not in problem.replace("folder:/etc/passwd", "") or "is not in the list" in problem
    assert page.get("/api/news").json()["open"] == []
    assert images(page)["rods.npy"]["answer"].startswith("cylinder"), "nothing was changed"


@pytest.mark.parametrize(
    "query",
    [
        {"key": ROUND, "view": "evil"}, {"key": ROUND, "scale": "<script>"},
        {"key": ROUND, "colours": "../x"},
        {"key": "folder:../x#1"}, {},
    ],
    ids=str,
)  # fmt: skip
def test_pictures_that_cannot_be_are_refused(page: TestClient, query: dict[str, str]) -> None:
    assert page.get("/api/image/picture", params=query).status_code in (400, 422)


def test_figures_and_reports_that_are_none_are_refused(page: TestClient) -> None:
    images(page)
    for number in (-1, 99, "x", 2**70):
        answer = page.get("/api/image/figure", params={"key": ROUND, "number": number})
        assert answer.status_code in (400, 422), number
    assert page.get("/api/image/page", params={"key": UNTOLD}).status_code == 400, "it has no answer"


def test_scripts_in_names_and_geometry_are_text(page: TestClient, folder: Path) -> None:
    evil = folder / "<img src=x onerror=alert(1)>.npy"
    evil.write_bytes((folder / "rods.npy").read_bytes())
    try:
        post(page, "scan")
        key = f"folder:{evil.name}#1"
        assert images(page)[evil.name]["key"] == key
        problem = post(page, "image/choose", 200, key=key, kind="sans2d", geometry=["<script>=1"])
        assert problem["images"] == 1
        answer = page.post("/api/image", json={"key": key})
        assert answer.headers["content-type"].startswith("application/json")
        report = page.get("/api/image/page", params={"key": FILM})
        assert report.status_code == 200
        assert "<script>" not in report.text.partition("<body")[2]
    finally:
        evil.unlink()
        post(page, "scan")


def test_tags_are_a_tab_that_is_opened_once_it_is_said_of_what(page: TestClient, work: Path) -> None:
    asked = page.get("/tags").text
    assert "Tag images" in asked
    assert '<a href="/#images">Images</a>' in asked
    assert '<a href="/#batches">Batches</a>' in asked
    (chosen,) = re.findall('<option value="([^"]*)" selected>', asked)
    kinds = [row["kind"] for row in images(page).values()]
    assert kinds.count(titles()[chosen]) == max(map(kinds.count, titles().values())) > 0, "as most images are"
    assert page.get("/status").status_code == 400
    assert post(page, "tagging", kind="sans2d") == {"kind": "sans2d"}
    assert "cylinder" in page.get("/tags").text
    known = {row["key"].partition("#")[0]: row["kind"] for row in images(page).values()}
    others = [kind for kind in known.values() if kind and kind != titles()["sans2d"]]
    assert others
    assert f"{len(others)} file" in page.get("/status").text.partition(" of another kind not shown")[0]
    assert post(page, "tagging", kind="diffraction") == {"kind": "diffraction"}, "it can be changed"
    assert 'value="diffraction" selected' in page.get("/tags").text
    assert post(page, "tagging", kind="sans2d") == {"kind": "sans2d"}
    post(page, "tag", rows=[0], tag="cylinder", value=1, who="anna")
    assert (work / "labels.sqlite").exists()
    assert "cylinder" in page.get("/export/labels.csv").text


def test_images_among_what_is_ticked_are_left_out_of_a_batch(page: TestClient) -> None:
    images(page)
    refused = post(page, "batches", 400, keys=[ROUND])
    assert "is an image" in refused["problem"]
    batch = post(page, "batches", keys=[ROUND, "folder:curve.dat#1"], models=["sphere"], time_limit=1)
    assert batch["of"] == 1, "the curve"
    post(page, f"batches/{batch['number']}/stop")
