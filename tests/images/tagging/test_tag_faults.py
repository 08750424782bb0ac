"""Whatever happens to the database, the disk and the processes: no answer and no picture is of another image.

Each image has a level of counts of its own, and what answers says which level it saw: a pair of a file and an
answer is right or wrong without a doubt.
"""

from __future__ import annotations

import contextlib
import html
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tagpages import Page

from sasnet_plugin.images.tagging.background import Background
from sasnet_plugin.images.tagging.events import LABEL, Event, Log, Prediction
from sasnet_plugin.images.tagging.worker import PREDICT, THUMBNAILS
from sasnet_plugin.types import SasnetError
from sasnet_plugin.web.content import source_of
from sasnet_plugin.web.settings import WEB

Open = Callable[..., Page]
IMAGES = 24
#: A worker whose model says the level of counts of the image that it was given, and whose thumbnails show it.
TELLER = """
import os, time
import numpy as np
from sasnet_plugin.images.tagging import worker
from sasnet_plugin.images.tagging.worker import Predicted, Shown
def level(job):
    return float(np.load(job.path).max())
def predict(job, source):
    if os.path.exists(job.folder + "/.slow"):
        time.sleep(0.02)
    seen = level(job)
    yield Predicted(source, 1, "", "teller@1", ("level",), {"level": seen / 1000}, 1.0, (f"level {seen:g}",))
def thumbnails(job, source):
    seen = level(job)
    yield Shown(source, 1, "", b"\\x89PNG %g" % seen, np.full(64, seen, np.float32))
worker._DO |= {"predict": predict, "thumbnails": thumbnails}
begin = worker.begin
"""


def name_of(level: int) -> str:
    return f"level {level:03d}.npy"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images that differ in their level, and a worker that tells it."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "teller.py").write_text(TELLER)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    monkeypatch.setattr("sasnet_plugin.images.tagging.background._WORKER", "teller:begin")
    monkeypatch.setattr("sasnet_plugin.images.tagging.background.WEB", _quick())
    monkeypatch.setattr("sasnet_plugin.images.tagging.events.WEB", _quick())
    found = tmp_path / "images"
    found.mkdir()
    for level in range(1, IMAGES + 1):
        np.save(found / name_of(level), np.full((9, 9), level, np.int32))
    return found


def _quick() -> object:
    from dataclasses import replace

    return replace(WEB, batch=4, database_seconds=0.05)


def idle(background: Background, kind: str = PREDICT, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        progress = background.progress[kind]
        at_rest = progress.done >= progress.total and not background._back.waiting
        if at_rest and (background.problem or not background._heard):
            return
        time.sleep(0.01)
    raise AssertionError("the background did not come to an end")


def wrong_pairs(page: Page) -> tuple[int, int]:
    """Answers and thumbnails that are another image's; and how many there are in all."""
    desk = page.workspace
    wrong = found = 0
    # A busy machine may hold the database for longer than the page waits here.
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with desk.lock, contextlib.suppress(SasnetError):
            desk.refresh()
            break
    with desk.lock:
        column = desk.state.tags.index("level") if "level" in desk.state.tags else -1
        for row, (file, _) in enumerate(desk.images.keys):
            level = float(np.load(desk.folder / file).max())
            if column >= 0 and np.isfinite(p := desk.state.probability[row, column]):
                found += 1
                wrong += round(float(p) * 1000) != level or desk.state.read_sentences(row) != [
                    f"level {level:g}"
                ]
            if address := desk.background.address(row):
                found += 1
                content, number = address.split("/")
                wrong += desk.background.png(content, int(number)) != b"\x89PNG %g" % level
                wrong += float(desk.background.pictures[row, 0]) != level
    return wrong, found


def stored_wrong(place: Path, folder: Path, domain: str = "diffraction") -> int:
    """Rows of a database whose answer is not of the content with which it is kept, or of no file."""
    content = {source_of(str(folder), one.name, domain).content: one for one in folder.glob("*.npy")}
    wrong = 0
    for answers in Log(str(place)).predictions_since(0):
        for key, of, p in zip(answers.keys, answers.content, answers.probability, strict=True):
            level = round(float(p[0]) * 1000)
            wrong += of not in content or name_of(level) != content[of].name != key[0]
    return wrong


def test_nothing_is_a_neighbours_after_twenty_locks(opened: Open, folder: Path, tmp_path: Path) -> None:
    page = opened(folder)
    background = page.workspace.background
    idle(background, THUMBNAILS)
    (folder / ".slow").touch()
    other = sqlite3.connect(tmp_path / "labels.sqlite", isolation_level=None)
    refused = 0
    for lock in range(20):
        background.predict()
        time.sleep(0.01 * (lock % 5))
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(0.15)
        answer = page.client.post(
            "/api/tag", json={"rows": [lock], "tag": f"lock {lock}", "value": 1, "who": "anna"}
        )
        refused += answer.status_code == 400
        assert answer.status_code in (200, 400), answer.text
        assert "level 0" not in answer.text
        other.execute("COMMIT")
        assert wrong_pairs(page)[0] == 0, lock
    assert refused >= 15, "the locks were felt"
    background.predict()
    idle(background)
    assert wrong_pairs(page) == (0, 2 * IMAGES), "all are there, and each is its own"
    assert not background.problem
    assert stored_wrong(tmp_path / "labels.sqlite", folder) == 0
    kept = {event.tag for event in page.workspace.log.read_since(0)}
    assert len(kept) == 20 - refused, "what was said to be kept is, and nothing else"


def test_nothing_is_a_neighbours_after_ten_kills(opened: Open, folder: Path, tmp_path: Path) -> None:
    page = opened(folder)
    background = page.workspace.background
    (folder / ".slow").touch()
    killed = 0
    for kill in range(10):
        background.predict()
        deadline = time.monotonic() + 30
        while background._source is None and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.003 * kill)
        for pid in background._back._pool.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        assert wrong_pairs(page)[0] == 0
    assert killed >= 8
    idle(background, seconds=120)
    idle(background, THUMBNAILS)
    background.predict()
    idle(background)
    wrong, found = wrong_pairs(page)
    assert wrong == 0
    assert found >= 2 * IMAGES - 10, "a kill costs the file that was being read"
    assert stored_wrong(tmp_path / "labels.sqlite", folder) == 0


def test_an_exception_in_what_hears_ends_the_process_and_its_unread_messages(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(folder)
    background = page.workspace.background
    idle(background, THUMBNAILS)
    usual, raised = Background._take_prediction, []

    def fails(self: Background, one: object) -> None:
        if len(raised) < 5:
            raised.append(one)
            raise RuntimeError("as when memory is out")
        usual(self, one)  # type: ignore[arg-type]

    monkeypatch.setattr(Background, "_take_prediction", fails)
    before = background._back._pool.pids
    background.predict()
    idle(background)
    assert len(raised) == 5
    assert background._back._pool.pids != before
    assert background.progress[PREDICT].failed == 5
    assert wrong_pairs(page) == (0, 2 * IMAGES - 5)


def test_two_servers_on_one_database_and_one_cache_keep_images_apart(
    opened: Open, folder: Path, tmp_path: Path
) -> None:
    one, other = opened(folder), opened(folder)
    for turn in range(4):
        for page in (one, other):
            page.workspace.background.predict()
        # Two images change places, under the servers' feet.
        first, second = folder / name_of(turn + 1), folder / name_of(turn + 11)
        held = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(held)
        for page in (one, other):
            page.workspace.background.scan()
            assert wrong_pairs(page)[0] == 0
    for page in (one, other):
        idle(page.workspace.background, THUMBNAILS)
        idle(page.workspace.background)
        page.workspace.background.scan()
        page.workspace.background.predict()
        idle(page.workspace.background, THUMBNAILS)
        idle(page.workspace.background)
    for page in (one, other):
        assert wrong_pairs(page) == (0, 2 * IMAGES)
    for page in (one, other):
        page.post("/api/tag", rows=[3], tag="ring", value=1, who="anna")
    assert sum(event.kind == LABEL for event in one.workspace.log.read_since(0)) == 1, "the second knew it"


def test_an_answer_about_a_file_that_was_replaced_is_not_shown_until_it_is_back(
    opened: Open, folder: Path
) -> None:
    page = opened(folder)
    background, state = page.workspace.background, page.workspace.state
    idle(background, THUMBNAILS)
    background.predict()
    idle(background)
    row = page.workspace.images.row[name_of(5), 1]
    column = state.tags.index("level")
    path, held = folder / name_of(5), (folder / name_of(5)).read_bytes()
    thumbnail = page.get(f"/thumb/{row}")
    assert thumbnail.content == b"\x89PNG 5"
    assert "immutable" in thumbnail.headers["cache-control"]
    np.save(path, np.full((9, 9), 77, np.int32))
    background.scan()
    assert np.isnan(state.probability[row, column])
    assert state.read_sentences(row) == []
    idle(background, THUMBNAILS)
    assert page.get(f"/thumb/{row}").content == b"\x89PNG 77"
    assert page.get(f"/thumb/{thumbnail.url.path.removeprefix('/thumb/')}").content == b"\x89PNG 5"
    path.write_bytes(held)
    background.scan()
    idle(background, THUMBNAILS)
    assert round(1000 * float(state.probability[row, column])) == 5, (
        "what was said of this content holds again"
    )


def test_a_full_disk_costs_no_label_and_mixes_nothing(opened: Open, folder: Path, tmp_path: Path) -> None:
    from sqlalchemy import event

    page = opened(folder)
    desk, background = page.workspace, page.workspace.background
    idle(background, THUMBNAILS)
    page.post("/api/tag", rows=[0], tag="before", value=1, who="anna")
    full = [True]
    pages = sqlite3.connect(tmp_path / "labels.sqlite").execute("PRAGMA page_count").fetchone()[0]

    @event.listens_for(desk.log.database._engine, "checkout")
    def _bounded(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages if full[0] else 1_000_000}")

    said: set[str] = {"before"}
    for k in range(300):
        rows = list(range(IMAGES))
        answer = page.client.post("/api/tag", json={"rows": rows, "tag": f"t{k}", "value": 1, "who": "anna"})
        if answer.status_code == 200:
            said.add(f"t{k}")
        else:
            assert "was not saved" in answer.json()["problem"]
            assert "full" in answer.json()["problem"]
            break
    assert answer.status_code == 400, "the disk was full at last"
    for _ in range(20):
        background.predict()
        idle(background)
        if background.problem:
            break
    assert "The answers of the model are not saved yet" in html.unescape(page.get("/status").text)
    assert wrong_pairs(page)[0] == 0
    full[0] = False
    background.predict()
    idle(background)
    assert not background.problem
    assert wrong_pairs(page) == (0, 2 * IMAGES)
    events = desk.log.read_since(0)
    assert {one.tag for one in events} == said
    assert all(sum(one.tag == tag for one in events) == IMAGES for tag in said - {"before"})


def test_thumbnails_live_in_memory_where_their_disk_is_full(opened: Open, folder: Path) -> None:
    page = opened(folder)
    background = page.workspace.background
    idle(background, THUMBNAILS)
    cache = background._thumbnails
    cache._opened.execute("DROP TABLE pictures")
    cache._recent.clear()
    np.save(folder / name_of(3), np.full((9, 9), 99, np.int32))
    background.scan()
    idle(background, THUMBNAILS)
    assert page.get(f"/thumb/{page.workspace.images.row[name_of(3), 1]}").content == b"\x89PNG 99"
    assert "thumbnails cannot be saved" in page.get("/status").text
    lost = page.workspace.images.row[name_of(7), 1]
    assert page.get(f"/thumb/{lost}").headers["content-type"] == "image/svg+xml", "it is made again"
    idle(background, THUMBNAILS)
    deadline = time.monotonic() + 30
    while page.get(f"/thumb/{lost}").content != b"\x89PNG 7" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert page.get(f"/thumb/{lost}").content == b"\x89PNG 7"


@pytest.mark.parametrize("how", ["bytes", "removed", "replaced", "tables dropped"])
def test_a_database_that_is_damaged_while_it_serves_is_a_sentence(
    opened: Open, folder: Path, tmp_path: Path, how: str
) -> None:
    page = opened(folder)
    place = tmp_path / "labels.sqlite"
    for row in range(IMAGES):
        page.post("/api/tag", rows=[row], tag="x" * 60, value=1, who="anna")
    copy = place.read_bytes()
    if how == "bytes":
        place.write_bytes(copy[:100] + b"\xa5" * (len(copy) - 100))
    elif how == "removed":
        place.unlink()
    elif how == "replaced":
        place.rename(tmp_path / "aside.sqlite")
        place.write_bytes(copy)
    else:
        with sqlite3.connect(place) as other:
            for table in ("events", "predictions", "models"):
                other.execute(f"DROP TABLE {table}")
    for where, body in (
        ("/api/tag", {"rows": [0], "tag": "Round", "value": 1, "who": "anna"}),
        ("/api/select", {"filter": ""}),
        ("/api/undo", {"who": "anna"}),
    ):
        answer = page.client.post(where, json=body)
        assert answer.status_code == 400, (where, answer.text)
        assert "labels.sqlite" in answer.json()["problem"]
    for where in ("/status", "/image/0", "/export/labels.csv", "/together", "/"):
        assert page.client.get(where).status_code in (200, 400), where
    assert "labels.sqlite" in page.get("/status").text, "and it stands on the page"
    page.workspace.background.predict()
    idle(page.workspace.background)
    assert wrong_pairs_of_what_is_shown(page) == 0
    if how == "removed":
        assert not place.exists(), "no empty one is begun in its place"


def wrong_pairs_of_what_is_shown(page: Page) -> int:
    """Wrong pairs of a page whose database cannot be read."""
    page.workspace.refresh = lambda: None  # type: ignore[method-assign]
    return wrong_pairs(page)[0]


def test_a_database_belongs_to_one_folder(opened: Open, folder: Path, tmp_path: Path) -> None:
    opened(folder)
    place = tmp_path / "labels.sqlite"
    second = tmp_path / "other images"
    shutil.copytree(folder, second)
    with pytest.raises(SasnetError, match=r"contains labels of .*/images; .* add --moved"):
        opened(second)
    log = Log(str(place))
    assert not log.database.belongs_to(second)
    log.claim(second, too=True)
    assert log.database.belongs_to(second)
    assert log.database.belongs_to(folder)
    (tmp_path / "alias").symlink_to(folder)
    assert log.database.belongs_to(tmp_path / "alias"), "the same folder by another name"
    log.close()
    opened(second)


@pytest.mark.parametrize("typed", ["y\n", "n\n", ""])
def test_the_command_asks_whether_a_folder_was_moved(
    folder: Path, tmp_path: Path, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sasnet_plugin.images import commands

    log = Log(str(tmp_path / "labels.sqlite"))
    log.claim(tmp_path)
    asked = []
    monkeypatch.setattr(commands.typer, "confirm", lambda text: asked.append(text) or typed == "y\n")
    monkeypatch.setattr("sys.stdin.isatty", lambda: bool(typed), raising=False)
    assert commands._confirm_folder(log, folder) == (typed == "y\n")
    assert len(asked) == bool(typed), "nobody is asked where nobody is"
    assert not commands._confirm_folder(log, tmp_path)
    log.close()


def test_links_to_themselves_are_passed_over(opened: Open, folder: Path) -> None:
    (folder / "self.npy").symlink_to("self.npy")
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    (folder / "below").mkdir()
    (folder / "below" / "up").symlink_to("..")
    assert len(opened(folder).rows()) == IMAGES


def test_a_file_changes_with_those_that_it_takes_its_values_from(tmp_path: Path) -> None:
    import h5py

    from sasnet_plugin.web.content import Images, see_unchanged, stamp_at

    def write(level: int) -> None:
        with h5py.File(tmp_path / "data_1.h5", "w") as file:
            file["values"] = np.full((3, 4, 4), level)

    layout = h5py.VirtualLayout((3, 4, 4), "i8")
    layout[:] = h5py.VirtualSource("data_2.h5", "values", (3, 4, 4))
    with h5py.File(tmp_path / "master.h5", "w") as file:
        file["linked"] = h5py.ExternalLink("data_1.h5", "/values")
        file.create_virtual_dataset("joined", layout)
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/values")
    missing = source_of(str(tmp_path), "master.h5", "x")
    assert missing.beside == (("data_1.h5", None), ("data_2.h5", None))
    write(1)
    with pytest.raises(SasnetError, match="was changed while it was read"):
        see_unchanged(str(tmp_path), missing)
    first = source_of(str(tmp_path), "master.h5", "x")
    images = Images(tmp_path)
    images.take(images.look())
    images.beside["master.h5"] = first.beside
    assert images.take(images.look()) == []
    write(2)
    assert sorted(images.take(images.look())) == ["data_1.h5", "master.h5"]
    (tmp_path / ".hidden.h5").write_bytes(b"not listed")
    images.beside["master.h5"] = ((".hidden.h5", stamp_at(tmp_path, ".hidden.h5")),)
    assert images.take(images.look()) == [], "nor is it read again and again"
    second = source_of(str(tmp_path), "master.h5", "x")
    assert len({missing.content, first.content, second.content}) == 3
    assert source_of(str(tmp_path), "master.h5", "x") == second


def test_old_answers_without_a_content_are_not_believed(opened: Open, folder: Path, tmp_path: Path) -> None:
    page = opened(folder)
    idle(page.workspace.background, THUMBNAILS)
    page.workspace.background.predict()
    idle(page.workspace.background)
    with sqlite3.connect(tmp_path / "labels.sqlite") as other:
        other.execute("ALTER TABLE predictions DROP COLUMN content")
    again = opened(folder)
    wrong, found = wrong_pairs(again)
    assert (wrong, found) == (0, IMAGES), "thumbnails alone"
    again.workspace.background.predict()
    idle(again.workspace.background)
    assert wrong_pairs(again) == (0, 2 * IMAGES)


def test_answers_of_two_lists_of_tags_are_kept_by_name(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "labels.sqlite"))
    for tags, said in ((("a", "b"), {"a": 0.1, "b": 0.2}), (("b", "c", "a"), {"a": 0.3, "b": 0.4, "c": 0.5})):
        log.add_predictions([Prediction("m@1", "x.npy", 1, "0", tags, said, 1.0)])
    (found,) = log.predictions_since(0)
    assert found.tags == ("a", "b")
    np.testing.assert_allclose(found.probability, [[0.1, 0.2], [0.3, 0.4]], atol=1e-7)
    log.close()


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Start and stop a PostgreSQL of this test's own; the URL."""
    psycopg = pytest.importorskip("psycopg")
    programs = [shutil.which(name) for name in ("initdb", "pg_ctl")]
    if None in programs:
        pytest.skip("needs PostgreSQL's programs initdb and pg_ctl")
    initdb, pg_ctl = programs
    home = Path("/tmp") / f"sasnet-pg-{os.getpid()}"  # its socket's path must be short
    home.mkdir()
    # It does not run for root.
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(home, "postgres", "postgres")

    def order(*command: str) -> None:
        done = subprocess.run([*user, *command], capture_output=True, text=True, cwd=home)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def do(what: str) -> str:
        if what == "stop":
            order(pg_ctl, "-D", f"{home}/data", "-m", "immediate", "stop")
        else:
            options = f"-k {home} -c listen_addresses=''"
            order(pg_ctl, "-D", f"{home}/data", "-o", options, "-w", "-l", f"{home}/log", "start")
        return f"postgresql+psycopg://sasnet@/postgres?host={home}"

    try:
        order(initdb, "-D", f"{home}/data", "-A", "trust", "-U", "sasnet", "-N")
    except (RuntimeError, OSError) as error:
        shutil.rmtree(home, ignore_errors=True)
        pytest.skip(f"PostgreSQL cannot be set up here: {error}")
    assert psycopg
    yield do
    with contextlib.suppress(RuntimeError):
        do("stop")
    shutil.rmtree(home, ignore_errors=True)


def test_a_dropped_postgresql_loses_no_label(postgres: Callable[[str], str], tmp_path: Path) -> None:
    url = postgres("start")
    log = Log(url)
    log.claim(tmp_path)
    kept: list[str] = []
    refused: list[str] = []
    for k in range(40):
        if k % 10 == 5:
            postgres("stop")
        if k % 10 == 8:
            postgres("start")
        try:
            log.append([Event(LABEL, str(k), "anna", "a.npy", 1, f"tag {k}", 1)])
            log.add_predictions([Prediction("m@1", "a.npy", 1, f"{k:064d}", ("a",), {"a": k / 100}, 1.0)])
        except SasnetError as error:
            refused.append(str(error))
        else:
            kept.append(f"tag {k}")
    assert len(refused) == 12
    assert not any("\n" in sentence or "Traceback" in sentence for sentence in refused)
    assert [event.tag for event in log.read_since(0)] == kept
    for answers in log.predictions_since(0):
        for content, p in zip(answers.content, answers.probability, strict=True):
            assert int(content) == round(100 * float(p[0]))
    other = Log(url)
    with pytest.raises(SasnetError, match="contains labels of"):
        other.claim(tmp_path / "elsewhere")
    other.close()
    log.close()
