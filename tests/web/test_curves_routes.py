"""The routes of `sasnet web` meet what wishes them ill, two users, and files that are broken."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from sasnet_plugin.predict.classes import percent
from sasnet_plugin.service.interactive import UnansweredError, add_sizes
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import SasnetError
from sasnet_plugin.web.access import Keys
from sasnet_plugin.web.app import Opened, Tabs, application
from sasnet_plugin.web.content import Images
from sasnet_plugin.web.curves.bench import Bench
from sasnet_plugin.web.curves.history import ANSWERED, ASKED, Record
from sasnet_plugin.web.curves.shelf import FOLDER, Row, Shelf, describe_row, drop
from sasnet_plugin.web.settings import CURVES

HOME = "http://127.0.0.1:8000"
KEY = "folder:peak.dat#1"
GET = ["/", "/api/files", "/api/news", "/api/about", "/api/model?name=sphere", "/api/fits?key=x",
       "/api/fits/1", "/fits/1/report.html", "/static/curves/main.js", "/api/keys", "/api/batches",
       "/api/batches/1", "/batches/1/index.html"]  # fmt: skip
POST = ["drop?name=x", "scan", "example", "curve", "suggest", "start", "evaluate", "fits", "fits/1/stop",
        "batches", "batches/1/stop", "batches/1/go"]  # fmt: skip


def write(path: Path, entries: int = 1) -> None:
    """Lorentzians, as many data sets as asked for."""
    q = np.geomspace(0.005, 0.3, 60)
    rng = np.random.default_rng(2)
    intensity = 10 / (1 + (40 * q) ** 2) + 0.02
    rows = np.c_[q, intensity * (1 + 0.02 * rng.normal(size=q.size)), 0.02 * intensity]
    path.write_text(
        "\n\n".join("\n".join(" ".join(f"{v:.6g}" for v in row) for row in rows) for _ in range(entries))
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("runs")
    write(found / "peak.dat")
    (found / "words.dat").write_text("no numbers here\n")
    (found / "link.dat").symlink_to("/etc/passwd")
    return found


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    keys = Keys(8000, "127.0.0.1")
    work = tmp_path_factory.mktemp("work")
    tabs = Tabs(lambda: Bench(folder, work, workers=1, live=False))
    with TestClient(application(Opened(tabs), keys), base_url=HOME) as client:
        client.work, client.keys = work, keys  # type: ignore[attr-defined]
        assert client.get(keys.address).status_code == 200
        yield client


def post(page: TestClient, where: str, **body: Any) -> Any:
    return page.post(f"/api/{where}", json=body)


def rows(page: TestClient, **query: Any) -> list[dict[str, Any]]:
    """Rows of the list once each file was read."""
    end = time.monotonic() + 60
    while True:
        found: list[dict[str, Any]] = page.get("/api/files", params=query).json()["rows"]
        if all(row["read"] for row in found) or time.monotonic() > end:
            return found
        time.sleep(0.05)


def test_no_route_that_there_is_answers_a_stranger(page: TestClient) -> None:
    stranger, known = TestClient(page.app, base_url=HOME), page.app._app.routes
    asked = [(route.methods or {"GET"}, re.sub(r"{[^}]*}", "1", route.path)) for route in every(known)]
    assert {"/api/read", "/api/fits", "/thumb/1", "/api/image/verify"} <= {where for _, where in asked}
    for methods, where in asked:
        for method in methods:
            answer = stranger.request(method, where, headers={"Content-Length": "0"})
            assert answer.status_code == 403, (method, where)


def every(routes: Sequence[Any]) -> Iterator[Any]:
    """Routes, those of routers included."""
    for route in routes:
        if hasattr(route, "methods"):
            yield route
        else:
            yield from every(getattr(getattr(route, "original_router", None), "routes", ()))


def test_nobody_without_a_token_or_from_elsewhere_is_answered(page: TestClient) -> None:
    stranger = TestClient(page.app, base_url=HOME)
    assert {stranger.get(where).status_code for where in GET} == {403}
    assert {stranger.post(f"/api/{where}", json={}).status_code for where in POST} == {403}
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        for where in ("fits", "drop?name=x", "example"):
            assert page.post(f"/api/{where}", json={}, headers=headers).status_code == 403, "with the cookie"
    policy = page.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_files_of_the_folder_alone_are_listed_and_read(page: TestClient) -> None:
    assert [row["file"] for row in rows(page)] == ["peak.dat", "words.dat"]
    peak, words = rows(page)
    assert 0 < peak["probability"] <= 1
    # The answer names first what the column beside it gives the probability of: its end may be cut off.
    assert re.search(r"[<>\d]+ %", peak["answer"])[0] == percent(peak["probability"])  # type: ignore[index]
    assert len(peak["spark"]) == 32
    assert (words["state"], words["doubt"].startswith("words.dat: ")) == ("cannot be read", True)
    assert page.get("/api/news").json()["left"] == 0, "those that somebody has seen first, too"
    for key in ("folder:/etc/passwd#1", "folder:../peak.dat#1", "folder:link.dat#1", "nowhere:peak.dat#1",
                "folder:peak.dat#2", "folder:peak.dat#x", "", "#", "x" * 100_000):  # fmt: skip
        for where in ("curve", "suggest"):
            answer = post(page, where, key=key)
            assert answer.status_code == 400, key
            assert len(answer.json()["problem"]) < 300
    assert post(page, "fits", keys=[KEY, "folder:/etc/passwd#1"]).status_code == 400
    for where in ("/fits/1/x", "/fits/1/..%2f..%2fsasnet-web.sqlite", "/static/curves/..%2f..%2fapp.py"):
        assert page.get(where).status_code in (400, 404, 422), where


@pytest.mark.parametrize(
    ("where", "body", "said"),
    [
        ("start", {"model": "/tmp/evil.py"}, "no such model"),
        ("start", {"model": "spher"}, "did you mean sphere"),
        ("start", {"model": "power_law", "structure_factor": "hardsphere"}, "not a particle"),
        ("start", {"model": "sphere", "structure_factor": "evil"}, "no such structure factor"),
        ("evaluate", {"model": "sphere", "values": {"raduis": 5}}, "raduis: sphere has no such parameter"),
        ("evaluate", {"model": "sphere", "values": {"radius": "x"}}, "radius"),
        ("evaluate", {"model": "sphere", "values": {"radius_pd_type": "../evil"}}, "radius_pd_type"),
        ("evaluate", {"model": "sphere", "values": {"radius_pd": 0.1, "radius_pd_n": 1e12}}, "radius_pd_n"),
        ("suggest", {"window": [5.0, 6.0]}, "no point lies between"),
    ],
    ids=str,
)
def test_questions_that_have_no_answer_are_one_sentence(
    page: TestClient, where: str, body: dict[str, Any], said: str
) -> None:
    answer = post(page, where, key=KEY, **body)
    assert answer.status_code == 400
    assert said in answer.json()["problem"]
    assert post(page, "evaluate", key=KEY, model="sphere", values={}).status_code == 200, (
        "the next is answered"
    )


@pytest.mark.parametrize(
    "body",
    [
        {"keys": []}, {"keys": [KEY] * 2}, {"keys": [KEY], "models": ["/tmp/evil.py"]},
        {"keys": [KEY], "time_limit": 1e9}, {"keys": [KEY], "fixed": {"radius": "x"}},
        {"keys": [KEY], "window": [1, "nan"]}, {"keys": [KEY], "ranges": {"radius": [5, 1]}},
        {"keys": [KEY], "start": {"model": "evil", "values": {}}}, {"keys": "x"},
        {"keys": [KEY], "fixed": {"nothing": 1.0}, "models": ["sphere"], "structure_factor": "evil"},
        {"keys": [KEY], "start": {"model": "sphere", "structure_factor": "/tmp/evil.py", "values": {}}},
        {"keys": [KEY], "models": ["sphere@/tmp/evil.py+sphere"]},
        {"keys": [KEY], "sample_description": {"evil": 1}},
        {"keys": [KEY], "sample_description": {"solvents": {"1": ["x"]}}},
        {"keys": [KEY], "sample_description": {"tie": {"radius": "x" * 1000}}},
        {"keys": [KEY], "sample_description": {"scale": {str(k): 1.0 for k in range(1000)}}},
    ],
    ids=lambda body: str(body)[:60],
)  # fmt: skip
def test_fits_that_cannot_be_are_refused(page: TestClient, body: dict[str, Any]) -> None:
    assert page.post("/api/fits", json=body).status_code in (400, 422)
    assert page.get("/api/news").json()["open"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"keys": []}, {"keys": ["folder:/etc/passwd#1"]}, {"keys": ["folder:link.dat#1"]}, {"keys": "x"},
        {"keys": [KEY], "models": ["/tmp/evil.py"]}, {"keys": [KEY], "time_limit": 0},
        {"keys": [KEY], "window": [0.1, "inf"]}, {"keys": [KEY], "structure_factor": "evil"},
        {"keys": [KEY] * (CURVES.most_in_batch + 1)},
    ],
    ids=lambda body: str(body)[:60],
)  # fmt: skip
def test_batches_that_cannot_be_are_refused(page: TestClient, body: dict[str, Any]) -> None:
    assert page.post("/api/batches", json=body).status_code in (400, 422)
    assert page.get("/api/batches").json()["batches"] == []
    for where in ("batches/7/stop", "batches/7/go", "batches/x/go"):
        assert post(page, where).status_code in (400, 422)
    assert page.get("/api/batches/7").status_code == 400
    for name in ("rows.json", "results.h5.journal", "..%2f..%2fsasnet-web.sqlite"):
        assert page.get(f"/batches/7/{name}").status_code in (400, 404), name


def test_what_is_dropped_is_bounded_and_lies_where_the_page_says(page: TestClient) -> None:
    about = page.get("/api/about").json()
    assert Path(about["dropped"]) == page.work.resolve() / "dropped"  # type: ignore[attr-defined]
    for name in ("../../evil.dat", "/etc/evil.dat", "c:\\dir\\evil.dat"):
        answer = page.post("/api/drop", params={"name": name}, content=b"1 2 3\n")
        assert answer.json() == {"key": "dropped:evil.dat#1"}, "the same content under the same name"
    assert [path.name for path in Path(about["dropped"]).iterdir()] == ["evil.dat"]
    other = page.post("/api/drop", params={"name": "evil.dat"}, content=b"4 5 6\n")
    assert other.json() == {"key": "dropped:evil (2).dat#1"}
    for name in ("", "..", "/"):
        assert page.post("/api/drop", params={"name": name}, content=b"1 2 3\n").status_code == 400
    for name, kept in (("\x00", "_"), (".hidden", "hidden")):
        answer = page.post("/api/drop", params={"name": name}, content=b"1 2 3\n")
        assert answer.json()["key"] == f"dropped:{kept}#1"
    large = {"content-length": str(CURVES.largest_file + 1)}
    assert page.post("/api/drop", params={"name": "x"}, content=b"x", headers=large).status_code == 400
    assert page.post("/api/drop", params={"name": "x"}, content=iter([b"x"])).status_code == 413
    assert (
        page.post("/api/drop", params={"name": "é" * 300 + ".dat"}, content=b"x")
        .json()["key"]
        .endswith(".dat#1")
    )


def test_the_list_is_searched_and_sorted(page: TestClient) -> None:
    assert [row["file"] for row in rows(page, search="PEAK")] == ["peak.dat"]
    assert "words.dat" in [row["file"] for row in rows(page, search="unreadable")]
    assert rows(page, search="fitted") == []
    assert rows(page, order="probability")[0]["file"] == "peak.dat"
    backwards = [row["file"] for row in rows(page, backwards=True)]
    assert backwards == sorted(backwards, reverse=True)
    assert page.get("/api/files", params={"order": "evil"}).status_code == 400
    assert page.get("/api/files", params={"search": "x" * 1000}).status_code == 400
    assert page.get("/api/files", params={"start": -5, "count": 10**9}).status_code == 200
    cautioned = [row["key"] for row in rows(page) if row["doubt"]]
    assert [row["key"] for row in rows(page, search="caution")] == cautioned, "the column's word"


def test_a_dropped_file_is_removed_and_none_of_the_folder(page: TestClient, folder: Path) -> None:
    page.post("/api/drop", params={"name": "mine.dat"}, content=(folder / "peak.dat").read_bytes())
    post(page, "scan")
    assert rows(page, search="mine.dat")
    assert post(page, "remove", key="dropped:mine.dat#1").status_code == 200
    assert rows(page, search="mine.dat") == []
    assert "remove it from its folder" in post(page, "remove", key=KEY).json()["problem"]
    assert (folder / "peak.dat").is_file()
    assert post(page, "remove", key="").json()["problem"] == "No data set is open; choose one from the list."


def test_a_probability_in_the_list_is_that_of_what_its_row_names_first() -> None:
    line = {
        "model": "sphere", "structure_factor": None, "model_probability": 0.66, "group": "balls",
        "probability": 0.92,
    }  # fmt: skip
    row = describe_row(Row(FOLDER, "a.dat", line=line))
    assert (row["answer"], row["probability"]) == ("balls 92 % · sphere 66 %", 0.92)
    fitted = Row(FOLDER, "a.dat", line=line, verdict={"level": "explains", "headline": "Best fit: cubes."})
    assert describe_row(fitted)["probability"] is None


def test_outputs_in_the_folder_are_not_listed_and_one_that_is_dropped_is(tmp_path: Path) -> None:
    """Tables and exported curves of a batch stood in the list beside the measurements."""
    folder = tmp_path / "runs"
    folder.mkdir()
    write(folder / "peak.dat")
    exported = b"# written by sasnet 12\n# q(1/A) I dI fit\n0.01 1 0.1 1\n"
    (folder / "peak.fit1.dat").write_bytes(exported)
    (folder / "night.csv").write_text("file,entry,best\npeak.dat,peak,sphere\n", encoding="utf-8")
    keys, tabs = Keys(8000, "127.0.0.1"), Tabs(lambda: Bench(folder, tmp_path / "work", 1, live=False))
    with TestClient(application(Opened(tabs), keys), base_url=HOME) as client:
        client.get(keys.address)
        assert [row["file"] for row in rows(client)] == ["peak.dat"]
        client.post("/api/drop", params={"name": "peak.fit1.dat"}, content=exported)
        post(client, "scan")
        assert sorted(row["file"] for row in rows(client)) == ["peak.dat", "peak.fit1.dat"]


def test_a_file_is_read_as_somebody_says_and_the_next_server_knows_it(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    write(folder / "angle.chi")
    q, intensity, error = np.loadtxt(folder / "angle.chi").T
    angle = np.degrees(2 * np.arcsin(q * 1.5418 / (4 * np.pi)))
    head = "Empty\n 2-Theta Angle (Degrees)\n Intensity\n 60"
    np.savetxt(folder / "angle.chi", np.c_[angle, intensity], header=head, comments="")
    np.savetxt(folder / "far.dat", np.c_[400 * q, intensity, error])
    for again in (False, True):
        keys, tabs = Keys(8000, "127.0.0.1"), Tabs(lambda: Bench(folder, tmp_path / "work", 1, live=False))
        with TestClient(application(Opened(tabs), keys), base_url=HOME) as client:
            client.get(keys.address)
            states = {row["file"]: row["state"] for row in rows(client)}
            assert states == dict.fromkeys(states, "classified" if again else "cannot be read")
            if again:
                return
            why = post(client, "curve", key="folder:far.dat#1").json()["problem"]
            assert why.startswith(("far.dat: only ", "far.dat: none ")), "no folder is named"
            for wrong in ({"q_unit": "mm"}, {"wavelength": -1}, {"wavelength": "inf"}, {"wavelength": "x"}):
                assert post(client, "read", key="folder:far.dat#1", **wrong).status_code == 422
            assert post(client, "read", key="folder:far.dat#1", q_unit="A").status_code == 400
            assert post(client, "read", key="folder:/etc/passwd#1", q_unit="A").status_code == 400
            assert {row["state"] for row in rows(client)} == {"cannot be read"}, "nothing wrong is kept"
            assert post(client, "read", key="folder:far.dat#1", q_unit="nm").status_code == 200
            assert post(client, "read", key="folder:angle.chi#1", wavelength=1.5418).status_code == 200
            found = post(client, "curve", key="folder:angle.chi#1").json()
            np.testing.assert_allclose(found["q"], q, rtol=1e-5)
            assert {row["state"] for row in rows(client)} == {"classified"}
            place = client.app._app.state.opened.bench.shelf.place("folder:angle.chi#1")
            assert place.wavelength == 1.5418
            bench = client.app._app.state.opened.bench
            batch = bench.batch(["folder:far.dat#1", "folder:angle.chi#1"], {"models": ["sphere"]})
            assert sorted(batch.asked["readings"].values(), key=str) == [
                {"q_unit": "nm"},
                {"wavelength": 1.5418},
            ]
            assert bench.fit(["folder:far.dat#1"], {"models": ["sphere"]}).asked["q_units"] == ["nm"]
            assert post(client, "read", key="folder:far.dat#1", q_unit="").status_code == 400
            as_stated = bench.fit(["folder:far.dat#1"], {"models": ["sphere"], "q_unit": ""})
            assert as_stated.asked["q_units"] == [""]


def test_a_name_that_is_a_number_of_files_deep_is_kept_apart(tmp_path: Path) -> None:
    assert [drop(tmp_path, "a.dat", bytes([k])) for k in range(3)] == ["a.dat", "a (2).dat", "a (3).dat"]
    assert drop(tmp_path, "a.dat", bytes([1])) == "a (2).dat"


def test_a_folder_that_is_dropped_stays_one(page: TestClient, tmp_path: Path) -> None:
    answer = page.post("/api/drop", params={"name": "a.dat", "within": "run 1/part"}, content=b"1 2 3\n")
    assert answer.json() == {"key": "dropped:run 1/part/a.dat#1"}
    for within in ("..", "run/../..", "/../"):
        answer = page.post("/api/drop", params={"name": "a.dat", "within": within}, content=b"1 2 3\n")
        assert answer.status_code == 400, within
    assert drop(tmp_path, "a.dat", b"1", "/".join("abcdefghijkl")).count("/") == CURVES.deepest


def test_a_second_geometry_of_a_name_is_refused_as_nothing_would_read_it(tmp_path: Path) -> None:
    assert drop(tmp_path, "a.toml", b"distance = 1") == "a.toml"
    assert drop(tmp_path, "a.toml", b"distance = 1") == "a.toml"
    with pytest.raises(
        SasnetError, match=r"a\.toml: a geometry file of this name was dropped before; change or remove "
    ):
        drop(tmp_path, "a.toml", b"distance = 2")
    assert [path.name for path in tmp_path.iterdir()] == ["a.toml"]


def test_a_record_is_only_added_to_and_read_by_the_next(tmp_path: Path) -> None:
    first = Record(tmp_path / "r.sqlite")
    number = first.add(ASKED, KEY, {"keys": [KEY], "asked": {}})
    first.add(ANSWERED, str(number), {"fit": 1})
    second = Record(tmp_path / "r.sqlite")  # nothing was closed
    assert [event.body for event in second.events(ANSWERED, str(number))] == [{"fit": 1}]
    assert second.add(ASKED, KEY, {}) == number + 1
    first.close()
    second.close()
    (tmp_path / "no.sqlite").write_text("This is no database, whatever it is called.\n" * 50)
    with pytest.raises(Exception, match=r"no\.sqlite: work cannot be saved there"):
        Record(tmp_path / "no.sqlite")


def test_what_a_busy_machine_had_no_time_for_is_read_the_next_time(tmp_path: Path) -> None:
    class Busy:
        """Answers nothing but why."""

        def __init__(self, why: SasnetError) -> None:
            self.why, self.asked = why, 0

        def ask(self, asked: Any) -> Any:
            self.asked += 1
            raise self.why

        def close(self) -> None:
            pass

    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "peak.dat")

    def asked(why: SasnetError) -> int:
        record = Record(tmp_path / "record.sqlite")
        line: Any = Busy(why)
        shelf = Shelf({FOLDER: tmp_path / "data"}, tmp_path / "work", record, line, live=False)
        until = time.monotonic() + 60
        while not shelf.row(KEY).problem and time.monotonic() < until:
            time.sleep(0.02)
        shelf.close()
        record.close()
        assert shelf.row(KEY).problem
        return int(line.asked)

    late, never = UnansweredError("peak.dat: took more than 60 s."), SasnetError("peak.dat: holds no table.")
    assert [asked(why) for why in (late, late, never, late)] == [1, 1, 1, 0]


def test_forty_uploads_at_once_of_one_name_are_forty_files(tmp_path: Path) -> None:
    begin = threading.Barrier(40)
    contents = [f"{n} 1\n".encode() * 50 for n in range(40)]

    def put(content: bytes) -> str:
        begin.wait()
        return drop(tmp_path / "dropped", "same.dat", content)

    with ThreadPoolExecutor(40) as pool:
        names = list(pool.map(put, contents))
    assert [(tmp_path / "dropped" / name).read_bytes() for name in names] == contents
    assert len(set(names)) == 40
    assert drop(tmp_path / "dropped", "same.dat", contents[7]) == names[7], "the same once more is there"


def test_a_file_that_is_being_read_is_read_again_as_somebody_said_meanwhile(tmp_path: Path) -> None:
    class Slow:
        """Answers, once it may, with how it was to read."""

        def __init__(self) -> None:
            self.begun, self.may = threading.Event(), threading.Event()

        def ask(self, asked: Any) -> Any:
            self.begun.set()
            self.may.wait(60)
            raise SasnetError(f"read in {asked.body.get('q_unit', 'the unit of the file')}")

        def close(self) -> None:
            self.may.set()

    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "peak.dat")
    record, line = Record(tmp_path / "record.sqlite"), Slow()
    anyhow: Any = line
    shelf = Shelf({FOLDER: tmp_path / "data"}, tmp_path / "work", record, anyhow, live=False)
    assert line.begun.wait(60)
    shelf.choose(KEY, {"q_unit": "nm"})
    line.may.set()
    until = time.monotonic() + 60
    while not shelf.row(KEY).problem and time.monotonic() < until:
        time.sleep(0.02)
    shelf.close()
    record.close()
    assert shelf.row(KEY).problem == "read in nm"


def test_what_a_file_says_is_waited_for_where_it_is_not_read_yet(tmp_path: Path) -> None:
    """Who fits curves together at once had to enter the sectors that the files give."""

    class Slow:
        """Reads each file in a tenth of a second."""

        def ask(self, _: Any) -> Any:
            time.sleep(0.1)
            return [{"sector": [90.0, 10.0]}]

        def close(self) -> None:
            pass

    (tmp_path / "data").mkdir()
    for name in ("peak.dat", "other.dat"):
        write(tmp_path / "data" / name)
    record, line = Record(tmp_path / "record.sqlite"), Slow()
    anyhow: Any = line
    shelf = Shelf({FOLDER: tmp_path / "data"}, tmp_path / "work", record, anyhow, live=False)
    keys = [row.key for row in shelf.rows()]
    assert not shelf.row(keys[-1]).line
    assert [row.line["sector"] for row in shelf.wait_for(keys)] == [[90.0, 10.0]] * 2
    shelf.close()
    record.close()


def test_pictures_of_a_folder_are_counted_as_they_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "runs" / "part").mkdir(parents=True)
    for name in ("scan.png", "part/photo.JPG", "notes.md", "curve.dat"):
        (tmp_path / "runs" / name).write_bytes(b"x")
    images = Images(tmp_path / "runs")
    assert list(images.look()) == ["curve.dat"]
    assert images.pictures == 2
    (tmp_path / "runs" / "scan.png").unlink()
    images.look()
    assert images.pictures == 1


def test_a_curve_is_drawn_with_as_many_sizes_as_show_no_fringes_of_each() -> None:
    q = np.geomspace(0.003, 0.35, 200)
    values = {
        "radius": 300.0, "thickness": 30.0, "radius_pd": 0.2, "radius_pd_n": 25, "radius_pd_nsigma": 3.0,
        "sld": 0.5, "sld_solvent": 6.3, "volfraction": 0.01, "background": 0.0, "scale": 1.0,
    }  # fmt: skip
    exact = call("vesicle", q, {**values, "radius_pd_n": 1001}).intensity
    few = call("vesicle", q, values).intensity
    drawn = call("vesicle", q, add_sizes(values, "vesicle", q[-1])).intensity
    assert np.max(np.abs(few / exact - 1)) > 0.5
    np.testing.assert_allclose(drawn, exact, rtol=0.01)
    # The library's vesicles have two distributions, each of few sizes.
    two = values | {"radius_pd_n": 7, "thickness_pd": 0.1, "thickness_pd_n": 7}
    exact = call("vesicle", q, {**two, "radius_pd_n": 1001, "thickness_pd_n": 41}).intensity
    assert np.max(np.abs(call("vesicle", q, two).intensity / exact - 1)) > 0.2
    np.testing.assert_allclose(
        call("vesicle", q, add_sizes(two, "vesicle", q[-1])).intensity, exact, rtol=0.02
    )
    # A slider that moves a width moves the range of its sizes, if none is given.
    broad = {"radius": 100.0, "radius_pd": 0.4, "radius_pd_type": "lognormal"}
    exact = call("sphere", q, {**broad, "radius_pd_n": 4001, "radius_pd_nsigma": 60.0}).intensity
    drawn = call("sphere", q, add_sizes(broad, "sphere", q[-1])).intensity
    np.testing.assert_allclose(drawn, exact, rtol=2e-3)
    three = {**two, "thickness_pd_nsigma": 3.0, "sld_pd": 0.1, "sld_pd_nsigma": 3.0}
    assert add_sizes(three, "vesicle", q[-1]) == three
