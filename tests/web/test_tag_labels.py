"""Labels on the page: nothing is lost or overwritten, whoever gives them, whatever happens to the server."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tagpages import Page, draw

from sasnet_plugin.domains.heads import Tags
from sasnet_plugin.kinds.diffraction import DIFFRACTION
from sasnet_plugin.train.recorded import read_labels
from sasnet_plugin.types import SasnetError
from sasnet_plugin.web import exchange
from sasnet_plugin.web.events import LABEL, Event, Log
from sasnet_plugin.web.images import Images
from sasnet_plugin.web.state import State

Open = Callable[..., Page]


@pytest.fixture
def page(opened: Open, tmp_path: Path) -> Page:
    draw(tmp_path / "images", 6)
    return opened(tmp_path / "images")


def test_tags_are_undone_and_done_again_by_whoever_gave_them(page: Page) -> None:
    first, second = page.rows()[:2]
    assert page.post("/api/tag", rows=[first, second], tag="Round", value=1, who="anna")["done"] == 2
    page.post("/api/tag", rows=[first], tag="Round", value=0, who="ben")
    assert page.rows("person(Round)") == [second]
    assert page.rows("no(Round) and by(ben)") == [first]
    assert page.rows("conflict") == [first]
    # Anna's last action was before Ben's: what he said of the first stands.
    assert page.post("/api/undo", who="anna")["done"]
    assert page.rows("person(Round)") == []
    assert page.rows("no(Round)") == [first]
    assert not page.post("/api/undo", who="anna")["done"]
    page.post("/api/redo", who="anna")
    page.post("/api/undo", who="ben")
    assert page.rows("person(Round)") == [first, second]
    listed = page.post("/api/select", filter="", order="name")["selection"]
    page.post("/api/tag", selection=listed, places=[4, 2], tag="Streak", value=1, who="carl")
    assert page.rows("by(carl)") == [page.rows()[2], page.rows()[4]]
    for wrong in ([6], [-1]):
        page.post("/api/tag", 400, selection=listed, places=wrong, tag="Streak", value=1, who="carl")
    page.post("/api/tag", rows=[second], tag="my own", value=1, who="ben")
    assert not page.post("/api/redo", who="ben")["done"], "something else was done since"
    log = list(csv.DictReader(io.StringIO(page.get("/export/log.csv").text)))
    assert [line["kind"] for line in log] == ["label"] * 3 + ["undo", "redo", "undo"] + ["label"] * 3
    assert all(line["who"] in ("anna", "ben", "carl") and float(line["time"]) > 1.7e9 for line in log)
    history = page.get(f"/image/{first}").text
    assert history.count("<td>Round</td>") == 2, "what was taken back is still told"


def test_people_win_over_models_and_suggestions_are_accepted_by_threshold(page: Page) -> None:
    rows = page.rows()
    page.post("/api/tag", rows=[rows[0]], tag="Round", value=0, who="anna")
    page.predict(
        {
            row: {"Round": p, "Streak": 0.1}
            for row, p in zip(rows, (0.99, 0.95, 0.7, 0.4, 0.2, 0.03), strict=True)
        }
    )
    assert page.rows("Round") == rows[1:3]
    assert page.rows("model(Round)") == rows[:3]
    assert page.rows("disagree") == [rows[0]]
    assert page.rows("", "suspect")[0] == rows[0]
    assert page.rows("", "uncertain")[0] in (rows[2], rows[3])
    assert page.rows("p(Round) >= 0.4 and not labelled") == rows[1:4]
    found = page.post("/api/accept", rows=rows, tag="Round", least=0.9, most=0.05, who="anna")
    assert found == {"accepted": 1, "rejected": 1}
    assert page.rows("person(Round)") == [rows[1]]
    assert page.rows("no(Round)") == [rows[0], rows[5]]
    # A later model says otherwise; people's words stand, and the log knows what was accepted.
    page.predict({row: {"Round": 0.5} for row in rows}, model="diffraction@later")
    assert page.rows("person(Round)") == [rows[1]]
    events = page.workspace.log.history(*page.workspace.images.keys[rows[1]])
    assert [(e.model, round(e.probability or 0, 2)) for e in events] == [("diffraction@0123456789", 0.95)]
    assert "diffraction@later" in page.get(f"/image/{rows[1]}").text


def test_two_servers_on_one_database_lose_nothing(opened: Open, tmp_path: Path) -> None:
    draw(tmp_path / "images", 4)
    one, other = opened(tmp_path / "images"), opened(tmp_path / "images")
    rows = one.rows()
    for k, row in enumerate(rows):
        (one, other)[k % 2].post("/api/tag", rows=[row], tag=f"tag {k}", value=1, who=("anna", "ben")[k % 2])
    for page in (one, other):
        assert [page.rows(f'person("tag {k}")') for k in range(4)] == [[row] for row in rows]
    assert one.get("/export/labels.csv").content == other.get("/export/labels.csv").content


WRITER = """
import sys
import time
from sasnet_plugin.web.events import LABEL, Event, Log
log = Log(sys.argv[1])
for k in range(100_000):
    log.append([Event(LABEL, f"{k}", "anna", f"{k // 7}.npy", part, "tag", 1) for part in (1, 2)])
    print(k, flush=True)
"""


def test_what_was_said_to_be_kept_is_there_after_kill_9(tmp_path: Path) -> None:
    place = str(tmp_path / "labels.sqlite")
    with subprocess.Popen([sys.executable, "-c", WRITER, place], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        kept = 20 + process.stdout.read().count(b"\n")
    log = Log(place)
    found = log.since(0)
    assert len(found) >= 2 * kept
    assert len(found) % 2 == 0, "an action is there as a whole or not at all"
    assert [event.action for event in found[::2]] == [str(k) for k in range(len(found) // 2)]
    log.append([Event(LABEL, "after", "ben", "x.npy", 1, "tag", 0)])
    assert log.since(found[-1].id)[0].who == "ben"
    log.close()


def test_labels_go_out_and_come_back_and_are_what_training_reads(
    page: Page, opened: Open, tmp_path: Path
) -> None:
    rows = page.rows()
    page.post("/api/tag", rows=rows[:3], tag="Streak", value=1, who="anna")
    page.post("/api/tag", rows=rows[2:4], tag="Round", value=0, who="ben")
    page.post("/api/tag", rows=rows[4:5], tag="«schön» <b>", value=1, who="ben")
    exported = {kind: page.get(f"/export/labels.{kind}").content for kind in ("csv", "json", "h5")}
    wanted = {key: labels for _, key, labels in exchange.labelled(page.workspace.state)}
    assert len(wanted) == 5
    for content in exported.values():
        assert exchange.from_any(content) == wanted
    told = json.loads(exported["json"])
    assert len(told["annotations"]) == 6
    (tmp_path / "labels.csv").write_bytes(exported["csv"])
    head = next(head for head in DIFFRACTION.heads if isinstance(head, Tags))
    trained = read_labels(tmp_path / "labels.csv", head)
    name = page.workspace.images.keys[rows[2]][0]
    streak, prolate, round_ = (head.labels.index(x) for x in ("Streak", "Prolate", "Round"))
    assert trained[name][1][[streak, prolate, round_]].tolist() == [1.0, 1.0, 0.0]
    assert np.isnan(trained[page.workspace.images.keys[rows[0]][0]][1][round_])

    empty = State(Images(tmp_path / "images"), ())
    assert exchange.from_any(exchange.to_csv(empty)) == {}
    answer = page.client.post("/api/import", params={"who": "carl"}, content=exported["json"])
    assert answer.json() == {"done": 0}, "all of it was known"
    changed = exported["csv"].replace(b",ben,", b",ben,", 1).decode().replace("ring 004", "ring 005")
    assert page.client.post("/api/import", params={"who": "carl"}, content=changed.encode()).json() == {
        "done": 1
    }
    assert page.rows("by(carl)") == [rows[5]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no column 'file'"),
        (b"\x00\xff\xfe junk", "no labels"),
        (b"file,Round\na.npy,maybe\n", "Line 2 .* 'maybe'"),
        (b"file,entry,Round\na.npy,-3,1\n", "no number"),
        (b'{"images": 3}', "no labels"),
        (b"[" * 3000, "no column 'file'"),
        (b'{"a":' * 100_000, "nested|no labels"),
        (b"\x89HDF\r\n\x1a\n truncated", "no labels"),
    ],
)
def test_what_is_no_labels_is_said_in_a_sentence(content: bytes, reason: str) -> None:
    with pytest.raises(SasnetError, match=reason):
        exchange.from_any(content)


def test_a_name_that_a_spreadsheet_would_run_stays_a_name(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    images = Images(tmp_path / "images")
    state = State(images, ["ring"])
    state.take([Event(LABEL, "1", "anna", "=cmd().npy", 1, "ring", 1, id=1)])
    written = exchange.to_csv(state)
    assert next(csv.DictReader(io.StringIO(written.decode())))["file"] == "./=cmd().npy"
    assert exchange.from_any(written) == {("=cmd().npy", 1): {"ring": 1}}


@pytest.mark.parametrize("place", ["no/such/folder/labels.sqlite", "nosuchdatabase://x/y", "README.md"])
def test_a_database_that_is_none_is_one_sentence(
    place: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    with pytest.raises(SasnetError, match="labels cannot be kept there"):
        Log(place)


TRAINER = """
import shutil, sys
from pathlib import Path
labels, zoo = map(Path, sys.argv[1:])
assert labels.read_text().startswith("file,entry,who,"), labels
zoo.mkdir(parents=True)
(zoo.parent / "registry.json").write_text("{}")
print("2 tags are better.")
print(f"{zoo}: written; use it with SASNET_MODEL_ZOO={zoo.parent}")
"""


def test_retraining_is_a_process_of_its_own_on_what_is_labelled(opened: Open, tmp_path: Path) -> None:
    draw(tmp_path / "images", 20)
    page = opened(
        tmp_path / "images",
        command=lambda labels, zoo: [sys.executable, "-c", TRAINER, str(labels), str(zoo)],
    )
    rows = page.rows()
    page.post("/api/tag", rows=rows[:19], tag="Round", value=1, who="anna")
    assert "label at least 20" in page.post("/api/retrain", 400)["problem"]
    assert page.post("/api/use", 400)["problem"] == "There is no new model yet."
    page.post("/api/tag", rows=rows[19:], tag="Round", value=0, who="anna")
    page.post("/api/retrain")
    deadline = time.monotonic() + 60
    while (
        "Trained: 2 tags are better." not in (text := page.get("/status").text)
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    assert "Trained: 2 tags are better." in text
    assert 'data-do="use"' in text
    assert page.post("/api/use") == {"files": 20}
    assert page.workspace.background.zoo.startswith(str(tmp_path / "retrained"))
    assert 'data-do="use"' not in page.get("/status").text
    page.post("/api/stop")
