"""Labels on the page: nothing is lost or overwritten, whoever gives them, whatever happens to the server."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tagpages import Page, draw

from sasnet_plugin.domains.heads import Tags
from sasnet_plugin.images.diffraction.specification import DIFFRACTION
from sasnet_plugin.images.tagging import exchange
from sasnet_plugin.images.tagging.events import LABEL, Event, Log
from sasnet_plugin.images.tagging.state import State
from sasnet_plugin.images.training.adapted import read_labels
from sasnet_plugin.types import SasnetError
from sasnet_plugin.web.content import Images
from sasnet_plugin.web.settings import WEB

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
from sasnet_plugin.images.tagging.events import LABEL, Event, Log
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
    found = log.read_since(0)
    assert len(found) >= 2 * kept
    assert len(found) % 2 == 0, "an action is there as a whole or not at all"
    assert [event.action for event in found[::2]] == [str(k) for k in range(len(found) // 2)]
    log.append([Event(LABEL, "after", "ben", "x.npy", 1, "tag", 0)])
    assert log.read_since(found[-1].id)[0].who == "ben"
    log.close()


def test_labels_go_out_and_come_back_and_are_what_training_reads(
    page: Page, opened: Open, tmp_path: Path
) -> None:
    rows = page.rows()
    page.post("/api/tag", rows=rows[:3], tag="Streak", value=1, who="anna")
    page.post("/api/tag", rows=rows[2:4], tag="Round", value=0, who="ben")
    page.post("/api/tag", rows=rows[4:5], tag="«schön» <b>", value=1, who="ben")
    exported = {kind: page.get(f"/export/labels.{kind}").content for kind in ("csv", "json", "h5")}
    wanted = {key: labels for _, key, labels in exchange.list_labelled(page.workspace.state)}
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


def hdf5_of(**arrays: object) -> bytes:
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for name, values in arrays.items():
            if callable(values):
                values(file, name)
            else:
                file[name] = values
    return out.getvalue()


WHOLE = {"file": [b"a.npy"], "entry": [1], "tags": [b"Round"], "labels": [[1]]}


def coco(**changed: object) -> bytes:
    whole = {
        "images": [{"id": 1, "file_name": "a.npy"}],
        "categories": [{"id": 1, "name": "Round"}],
        "annotations": [{"image_id": 1, "category_id": 1}],
    }
    return json.dumps(whole | changed).encode()


def external(file: Any, name: str) -> None:
    file.create_dataset(name, (1, 1), "i4", external=[("/etc/passwd", 0, 4)])


def linked(file: Any, name: str) -> None:
    import h5py

    file[name] = h5py.ExternalLink("/tmp/another.h5", "labels")


def virtual(file: Any, name: str) -> None:
    import h5py

    layout = h5py.VirtualLayout((1, 1), "i4")
    layout[:] = h5py.VirtualSource("/tmp/another.h5", "labels", (1, 1))
    file.create_virtual_dataset(name, layout)


def huge(file: Any, name: str) -> None:
    file.create_dataset(name, (1, 10**13), "i8", chunks=(1, 1024), compression="gzip")


JUNK = [
    (b"", "no column 'file'"),
    (b"\x00\xff\xfe junk", "not valid"),
    (b"file,Round\na.npy,maybe\n", "Line 2 .* 'maybe'"),
    (b"file,Round\na.npy,1\nb.npy,\xd9\xa1\n", "Line 3 "),
    (b'file,Round\n"a\nb.npy",1\nc.npy,2\n', "Line 4 .*Round is '2'"),
    (b"file,entry,Round\na.npy,-3,1\n", "Line 2 .*not the number"),
    (b"file,entry,Round\na.npy," + b"9" * 5000 + b",1\n", "Line 2 .*not the number"),
    (b"file,entry,Round\na.npy,99999999999,1\n", "Line 2 .*not the number"),
    (b"file,Round\na.npy,1,1\n", "Line 2 .*3 cells for 2 columns"),
    (b"file,Round,Round\na.npy,1,0\n", "Line 1 .*twice"),
    (b"file,Round\n" + b"x" * 200_000 + b",1\n", "Line 2 .*field"),
    (b"file,Round\n,1\n", "Line 2 .*not a file of this folder"),
    (b"file,Round\na//b.npy,1\n", "Line 2 .*not a file of this folder"),
    (b"file,Round\na\x00.npy,1\n", "Line 2 .*(not a file of this folder|NUL)"),
    (b'{"images": 3}', "no list 'images'"),
    (coco(images=["x"]), r"no 'id' in images\[0\]"),
    (coco(annotations=[3]), r"no 'image_id' in annotations\[0\]"),
    (coco(annotations=[{"image_id": [1], "category_id": 1}]), r"annotations\[0\]"),
    (coco(annotations=[{"image_id": 7, "category_id": 1}]), r"annotations\[0\] .*an image or category"),
    (coco(images=[{"id": 1, "file_name": "a.npy", "frame": 10**30}]), r"annotations\[0\] .*not the number"),
    (coco(images=[{"id": 1, "file_name": "a.npy", "frame": 1.5}]), r"annotations\[0\] .*not the number"),
    (coco(images=[{"id": 1, "file_name": "\ud800.npy"}]), r"annotations\[0\] .*not a file"),
    (coco(images=[{"id": 1, "file_name": 3}]), r"annotations\[0\] .*not a file"),
    (b"[" * 3000, "no column 'file'"),
    (b'{"a":' * 100_000, "nested|not valid"),
    (b'{"images": [}', "line 1 column"),
    (b"\x89HDF\r\n\x1a\n truncated", "not valid"),
    (hdf5_of(**WHOLE | {"labels": external}), "no array 'labels' in the file itself"),
    (hdf5_of(**WHOLE | {"labels": linked}), "no array 'labels' in the file itself"),
    (hdf5_of(**WHOLE | {"labels": virtual}), "no array 'labels' in the file itself"),
    (hdf5_of(**WHOLE | {"labels": huge}), "'labels' .*too large"),
    (hdf5_of(**WHOLE | {"entry": [0]}), "Row 0 .*not the number"),
    (hdf5_of(**WHOLE | {"labels": [[7]]}), "Row 0 .*Round is 7"),
    (hdf5_of(**WHOLE | {"labels": [[1.0]]}), "must hold whole numbers"),
    (hdf5_of(**WHOLE | {"labels": [[1, 0]]}), "arrays of different lengths"),
    (hdf5_of(**WHOLE | {"file": [b"../a.npy"]}), "Row 0 .*not a file of this folder"),
    (hdf5_of(**{name: values for name, values in WHOLE.items() if name != "tags"}), "no array 'tags'"),
]


@pytest.mark.parametrize(("content", "reason"), JUNK, ids=range(len(JUNK)))
def test_what_is_no_labels_is_said_in_a_sentence(content: bytes, reason: str) -> None:
    with pytest.raises(SasnetError, match=reason):
        exchange.from_any(content)


ONE = {("a.npy", 1): {"Round": 1}}
VALID = [
    (b"file,Round\na.npy,1\n", ONE),
    (b"\xef\xbb\xbffile,Round\r\na.npy,1\r\n", ONE),  # as a spreadsheet writes it
    (b"file,Round\n./a.npy, 1 \n\n", ONE),
    (b"Round,file\n1,a.npy\n", ONE),
    (b"file,entry,Round\na.npy,frame 3,0\n", {("a.npy", 3): {"Round": 0}}),
    (b"file,tags\na.npy,Round; Streak\n", {("a.npy", 1): {"Round": 1, "Streak": 1}}),
    (b"file,tags,Round\na.npy,Round,0\n", {("a.npy", 1): {"Round": 0}}),
    (b'file,"a, b"\n"x, y.npy",1\n', {("x, y.npy", 1): {"a, b": 1}}),
    (b'file,Round\n"a\nb.npy",1\n', {("a\nb.npy", 1): {"Round": 1}}),
    ("file,rund\nä/ö.npy,1\n".encode(), {("ä/ö.npy", 1): {"rund": 1}}),
    (b"file,Round\na.npy,\n", {}),
    (b"file,Round\na.npy\n", {}),
    (coco(), ONE),
    (b"\n " + coco(), ONE),
    (coco(annotations=[{"image_id": 1, "category_id": 1, "absent": True}]), {("a.npy", 1): {"Round": 0}}),
    (coco(images=[{"id": "x", "file_name": "b.npy", "frame": 2}], annotations=[]), {}),
    (hdf5_of(**WHOLE), ONE),
    (hdf5_of(**WHOLE | {"labels": [[-1]]}), {}),
    (hdf5_of(**WHOLE | {"labels": np.array([[0]], np.int8)}), {("a.npy", 1): {"Round": 0}}),
]


@pytest.mark.parametrize(("content", "wanted"), VALID, ids=range(len(VALID)))
def test_labels_of_other_programs_are_read_as_they_are_meant(content: bytes, wanted: object) -> None:
    assert exchange.from_any(content) == wanted


def test_any_damage_to_a_file_of_labels_is_a_sentence_or_labels(page: Page) -> None:
    """What is damaged within a name is read as another name; nothing is an exception."""
    rng, sentences = np.random.default_rng(7), []
    for content, _ in VALID[:16]:
        for _ in range(60):
            bad = bytearray(content)
            bad[rng.integers(len(bad))] = rng.integers(256)
            try:
                found = exchange.from_any(bytes(bad[: rng.integers(1, len(bad) + 1)]))
            except SasnetError as error:
                sentences.append(str(error))
            else:
                assert all(value in (0, 1) for labels in found.values() for value in labels.values())
    assert len(sentences) > 300
    assert max(map(len, sentences)) < 400
    for _ in range(4):  # HDF5 may end the process that reads it
        bad = bytearray(hdf5_of(**WHOLE))
        for at in rng.integers(len(bad), size=40):
            bad[at] = rng.integers(256)
        answer = page.client.post("/api/import", params={"who": "eve"}, content=bytes(bad))
        assert answer.status_code in (200, 400)


def test_labels_that_end_or_hold_up_what_reads_them_are_a_sentence(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content, reason in (JUNK[2], JUNK[30]):
        answer = page.client.post("/api/import", params={"who": "eve"}, content=content)
        assert answer.status_code == 400
        assert re.search(reason, answer.json()["problem"])
    monkeypatch.setattr(exchange, "WEB", replace(WEB, file_seconds=0.0))
    answer = page.client.post("/api/import", params={"who": "eve"}, content=b"file,Round\na.npy,1\n")
    assert answer.status_code == 400
    assert "too much time or memory" in answer.json()["problem"]
    assert not page.workspace.log.read_since(0)


def test_a_name_that_a_spreadsheet_would_run_stays_a_name(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    images = Images(tmp_path / "images")
    state = State(images, ["ring"])
    state.take([Event(LABEL, "1", "anna", "=cmd().npy", 1, "ring", 1, id=1)])
    written = exchange.to_csv(state)
    assert next(csv.DictReader(io.StringIO(written.decode())))["file"] == "./=cmd().npy"
    assert exchange.from_any(written) == {("=cmd().npy", 1): {"ring": 1}}


@pytest.mark.parametrize(
    "place",
    [
        "no/such/folder/labels.sqlite",
        "nosuchdatabase://x/y",
        "README.md",
        "sqlite://host:port/x",
        "a link to itself",
    ],
)
def test_a_database_that_is_none_is_one_sentence(
    place: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    if place == "a link to itself":
        (tmp_path / "self").symlink_to("self")
        place = str(tmp_path / "self")
    with pytest.raises(SasnetError, match="labels cannot be saved there"):
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


def test_what_many_labels_would_be_is_shown_before_and_accepted_ones_stay_apart(page: Page) -> None:
    rows = page.rows()
    page.predict({row: {"Round": p} for row, p in zip(rows, (0.99, 0.95, 0.7, 0.4, 0.2, 0.03), strict=True)})
    wanted = {"rows": rows, "tag": "Round", "least": 0.9, "most": 0.05, "who": "anna"}
    found = page.post("/api/accept", **wanted, preview=True)
    assert [found[name] for name in ("labels", "images", "yes", "no")] == [3, 3, 2, 1]
    assert [one["labels"] for one in found["first"]] == [[["Round", 1]], [["Round", 1]], [["Round", 0]]]
    assert page.rows("labelled") == [], "nothing is written before it was seen"
    page.post("/api/tag", rows=[rows[0]], tag="Round", value=1, who="anna")
    page.post("/api/tag", rows=[rows[2]], tag="Bent", value=1, who="anna")
    page.post("/api/accept", **wanted)
    # Rejected, so no suggestion of the model; an own word in place of an accepted one is one's own.
    page.post("/api/accept", rows=[rows[2]], least=0.5, who="anna", value=0)

    def told() -> list[tuple[str, str]]:
        table = csv.DictReader(io.StringIO(page.get("/export/labels.csv").text))
        return [(row["accepted"], row["Round"]) for row in table]

    accepted = [("", "1"), ("Round", "1"), ("", "0"), ("Round", "0")]
    assert told() == accepted
    page.post("/api/tag", rows=[rows[1]], tag="Round", value=0, who="anna")
    assert told()[1] == ("", "0")
    assert page.post("/api/undo", who="anna") == {"done": True}
    assert told() == accepted
    exported = page.get("/export/labels.csv").content
    assert page.client.post("/api/import?who=ben", content=exported).json() == {"done": 0}


def test_tags_of_an_open_image_keep_the_order_that_is_asked_for(page: Page) -> None:
    row = page.rows()[0]

    def order(asked: str) -> list[str]:
        return re.findall(r'data-place="(\d+)"', page.get(f"/image/{row}", order=asked).text)

    usual = order("")
    turned = usual[::-1]
    page.post("/api/tag", rows=[row], tag=page.workspace.state.tags[int(usual[5])], value=1, who="anna")
    assert order(",".join(turned)) == turned
    assert order("")[0] == usual[5], "what holds comes first when it is opened"
    assert sorted(order("5,x,-1,99999,5")) == sorted(usual)


def test_a_picture_comes_with_its_axes_and_colours(page: Page) -> None:
    row = page.rows()[0]
    about = json.loads(page.get(f"/view/{row}", scale="linear").headers["X-Frame-About"])
    assert about["rows"] > 10
    assert len(about["centre"]) == 2
    assert float(about["low"]) < float(about["top"])
    assert "rows" not in json.loads(page.get(f"/view/{row}", view="polar").headers["X-Frame-About"])
    assert page.get("/colours/magma").content.startswith(b"\x89PNG")
    assert page.client.get("/colours/none").status_code == 400
