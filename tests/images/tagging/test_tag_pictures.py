"""What the page draws: polar views, correlations, thumbnails, in a process that a file cannot take along."""

from __future__ import annotations

import io
import queue
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from tagpages import Page, draw

from sasnet_plugin.images.diffraction.reading import Window
from sasnet_plugin.images.raster import (
    Look,
    correlation,
    describe_axes,
    picture,
    polar,
    scale_values,
    thumbnail,
)
from sasnet_plugin.images.sans.reading import SmallAngle
from sasnet_plugin.images.tagging.background import DONE, Crew
from sasnet_plugin.images.tagging.selection import cooccurrence
from sasnet_plugin.images.tagging.worker import VIEW, Failed, Job, Shown
from sasnet_plugin.types import Curve, GrazingIncidence, Image
from sasnet_plugin.web.content import Source
from sasnet_plugin.web.settings import WEB

CENTRE = (40.0, 52.0)
Y, X = np.mgrid[:96, :90]
RADIUS, ANGLE = np.hypot(Y - CENTRE[1], X - CENTRE[0]), np.arctan2(Y - CENTRE[1], X - CENTRE[0])


def image(counts: np.ndarray, mask: np.ndarray | None = None) -> Image:
    whole = np.ones(counts.shape, dtype=bool) if mask is None else mask
    return Image(counts, whole, Window(counts.shape, CENTRE, 40.0))


def test_a_ring_is_a_line_over_the_angle_and_has_no_correlation() -> None:
    ring = 100 * np.exp(-0.5 * ((RADIUS - 25) / 2) ** 2) + 1
    values, there = polar(ring, np.ones(ring.shape, dtype=bool), CENTRE)
    brightest = np.where(there, values, -1).argmax(axis=0)
    assert np.ptp(brightest) <= 0.08 * len(values)
    found, _ = correlation(ring, np.ones(ring.shape, dtype=bool), CENTRE)
    assert np.abs(found).max() < 0.3, "what is left is the pixels' size"


def test_four_spots_correlate_at_quarter_turns_whatever_their_turn() -> None:
    spots = np.exp(-0.5 * ((RADIUS - 30) / 6) ** 2) * (1 + 0.9 * np.cos(4 * ANGLE + 1)) + 0.01
    found, there = correlation(spots, np.ones(spots.shape, dtype=bool), CENTRE)
    row = found[np.flatnonzero(there.any(axis=1))[found[there.any(axis=1)].max(axis=1).argmax()]]
    degrees = 360 * (np.arange(row.size) + 8.5) / (row.size + 8)
    peaks = degrees[row > 0.9 * row.max()]
    assert all(np.abs((peaks - turn + 45) % 360 - 45).min() < 10 for turn in (90, 180, 270))
    assert row[np.abs(degrees - 45).argmin()] < 0, "between them there is less than by chance"


def test_scales_keep_order_and_masked_pixels_are_marked() -> None:
    values = np.geomspace(1e-3, 1e3, 90) * np.ones((96, 1))
    mask = X > 5
    for scale in ("log", "gamma", "linear"):
        shown = scale_values(values, mask, scale)
        assert shown.min() >= 0
        assert shown.max() <= 1
        assert np.all(np.diff(shown[0, 6:]) >= 0)
    marked = imread(io.BytesIO(picture(image(np.where(mask, values, 0), mask), Look(scale="linear"))))
    left, right = marked[0, 0, :3], marked[0, -1, :3]
    assert left[0] > left[2], "reddish"
    np.testing.assert_allclose(right, (0.993, 0.906, 0.144), atol=0.01)  # the end of viridis


def test_thumbnails_are_small_and_alike_where_images_are() -> None:
    ring, wide = (np.exp(-0.5 * ((RADIUS - r) / 3) ** 2) * 100 for r in (12, 30))
    rng = np.random.default_rng(2)
    (png, one), (_, again), (_, other) = (
        thumbnail(image(rng.poisson(clean).astype(float))) for clean in (ring, ring, wide)
    )
    assert max(imread(io.BytesIO(png)).shape[:2]) <= 72
    assert np.linalg.norm(one - again) < 0.3 * np.linalg.norm(one - other)
    q = np.geomspace(0.005, 0.3, 60)
    png, _ = thumbnail(Curve(q, q**-4.0))
    seen = imread(io.BytesIO(png))[..., 0] > 0.5
    assert seen[:, 5].argmax() < seen[:, -8].argmax(), "a curve that falls"


def test_q_under_the_mouse_is_the_geometry_s_own() -> None:
    qx, qy = np.meshgrid(np.linspace(-0.1, 0.2, 31), np.linspace(0.15, -0.05, 21))
    small = SmallAngle(qx, qy, np.ones((21, 31)))
    found = describe_axes(Image(np.ones((21, 31)), np.ones((21, 31), bool), small), Look())
    assert found is not None
    assert found["centre"] == [10, 15]
    np.testing.assert_allclose(found["corners"], [[-0.1, 0.2, -0.1, 0.2], [0.15, 0.15, -0.05, -0.05]])
    assert found["axes"] == "Across: qx, -0.1 to 0.2 Å⁻¹; down: qy, 0.15 to -0.05 Å⁻¹."
    grazing = GrazingIncidence(np.linspace(-2, 2, 9), np.linspace(0, 3, 7), 1.0, 0.2)
    found = describe_axes(Image(np.ones((7, 9)), np.ones((7, 9), bool), grazing), Look())
    assert found is not None
    assert (found["phi"], found["alpha_f"], found["alpha_i"]) == ([-2, 2], [0, 3], 0.2)
    flat = Window((96, 90), CENTRE, 40.0, 1.2, 2000.0, 0.2)
    found = describe_axes(Image(np.ones((96, 90)), np.ones((96, 90), bool), flat), Look())
    assert found is not None
    assert (found["per_pixel"], found["wavelength"]) == (pytest.approx(1e-4), 1.2)
    q = np.geomspace(0.01, 0.1, 20)
    assert describe_axes(Curve(q, 1 / q), Look()) is None, "its plot has axes"


KILLER = """
import os, time
from sasnet_plugin.images.tagging import worker
usual = worker._DO["view"]
def view(job, source):
    if job.file == "kills":
        os._exit(9)
    if job.file == "hangs":
        time.sleep(99)
    return usual(job, source)
worker._DO["view"] = view
begin = worker.begin
"""


def test_a_process_that_ends_or_hangs_costs_its_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path, 1)
    for name in ("kills", "hangs"):
        (tmp_path / name).write_bytes(b"not read")
    (tmp_path / "killer.py").write_text(KILLER)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("sasnet_plugin.images.tagging.background._WORKER", "killer:begin")
    heard: queue.Queue = queue.Queue()
    crew = Crew(lambda job, message: heard.put(message))

    def done(file: str, seconds: float = 60.0) -> list[object]:
        monkeypatch.setattr("sasnet_plugin.images.tagging.background.WEB", replace(WEB, file_seconds=seconds))
        crew.add([Job(VIEW, "diffraction", str(tmp_path), file)])
        said = list(iter(lambda: heard.get(timeout=90), DONE))
        assert all(one.file == file for one in said if isinstance(one, Source))
        return [one for one in said if not isinstance(one, Source)]

    for file, seconds, reason in (
        ("kills", 60.0, "the process that read it ended; check the file."),
        ("hangs", 0.5, "reading it took more than 0 s and was given up; check the file."),
    ):
        assert [type(message) for message in done("ring 000.npy")] == [Shown]
        (failed,) = done(file, seconds)
        assert isinstance(failed, Failed)
        assert failed.sentence == f"{tmp_path / file}: {reason}"
    assert [type(message) for message in done("ring 000.npy")] == [Shown]
    crew.close()


def test_stacks_are_images_by_number_and_thumbnails_are_kept(
    opened: Callable[..., Page], tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    names = draw(folder, 3)
    np.save(folder / "stack.npy", np.stack([np.load(folder / name) for name in names]))
    page = opened(folder)

    def made() -> int:
        return int(np.isfinite(page.workspace.background.pictures[:, 0]).sum())

    deadline = time.monotonic() + 60
    while made() < 6 and time.monotonic() < deadline:
        time.sleep(0.05)
    rows = page.rows("file(stack)")
    keys = page.workspace.images.keys
    assert [keys[row] for row in rows] == [("stack.npy", 1), ("stack.npy", 2), ("stack.npy", 3)]
    assert page.get(f"/view/{rows[2]}").content == page.get(f"/view/{page.rows()[2]}").content
    assert "frame 3" in page.get(f"/image/{rows[2]}").text
    page.post("/api/tag", rows=rows[2:], tag="Bent", value=1, who="anna")
    assert b"stack.npy,3,anna" in page.get("/export/labels.csv").content
    page.workspace.background._thumbnails.keep()
    # Made once: another server finds them, and a file that comes later.
    draw(folder / "later", 1)
    again = opened(folder)
    assert int(np.isfinite(again.workspace.background.pictures[:, 0]).sum()) == 6
    assert len(again.rows()) == 7
    # A file that changes is drawn anew, and its old picture is not shown for it.
    (first, *_) = again.rows("file(stack)")
    before = again.get(f"/thumb/{first}").content
    np.save(folder / "stack.npy", 7 * np.load(folder / "stack.npy")[:, ::-1] + 3)
    again.workspace.background.scan()
    while (now := again.get(f"/thumb/{first}").content)[:4] != b"\x89PNG" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert now != before


def test_the_most_diverse_images_come_first_and_the_likest_by_their_look(
    opened: Callable[..., Page], tmp_path: Path
) -> None:
    draw(tmp_path / "images", 9)
    page = opened(tmp_path / "images")
    rows = page.rows()
    # Three kinds of images; the first three of a diverse order are one of each.
    kinds = {
        row: {"Round": 0.9 * (k % 3 == 0) + 0.05, "Bent": 0.9 * (k % 3 == 1) + 0.05}
        for k, row in enumerate(rows)
    }
    page.predict({row: {name: p + 0.001 * row for name, p in one.items()} for row, one in kinds.items()})
    first = page.rows("", "diverse")
    assert sorted(first) == rows
    assert {rows.index(row) % 3 for row in first[:3]} == {0, 1, 2}
    assert {rows.index(row) % 3 for row in page.rows(like=rows[4])[:3]} == {1}
    assert page.rows("", "new")[0] == max(rows)
    text = page.get("/together").text
    assert "<th>Round</th><th>Bent</th>" in text
    assert page.rows("Round and Bent") == []


def test_pairs_tell_labels_of_people_from_suggestions(opened: Callable[..., Page], tmp_path: Path) -> None:
    draw(tmp_path / "images", 6)
    (tmp_path / "images" / "preview.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    page = opened(tmp_path / "images")
    rows = page.rows()
    page.predict({row: {"Round": 0.9, "Bent": 0.8} for row in rows[:4]} | {rows[4]: {"Round": 0.9}})
    page.post("/api/tag", rows=[rows[0]], tag="Round", value=1, who="anna")
    page.post("/api/tag", rows=[rows[0]], tag="Bent", value=1, who="anna")
    page.post("/api/tag", rows=[rows[5]], tag="Round", value=1, who="anna")
    page.post("/api/tag", rows=[rows[5]], tag="Bent", value=0, who="anna")
    pair = cooccurrence(page.workspace.state)[0]
    assert {pair.first, pair.second} == {"Round", "Bent"}
    assert (pair.first, pair.numbers, pair.labelled) == ("Round", (4, 2, 0), (1, 1, 0))
    text = " ".join(page.get("/together").text.split())
    for filtered, number in (
        ("Round and Bent", 4), ("person(Round) and person(Bent)", 1), ("Round and not Bent", 2),
        ("person(Round) and no(Bent)", 1), ("Round", 6), ("person(Round)", 2),
        ("model(Round) and open(Round)", 4), ("no(Bent)", 1),
    ):  # fmt: skip
        assert f'data-filter="{filtered}">{number}</a>' in text
        assert len(page.rows(filtered)) == number, "the link shows what was counted"
    assert "1 PNG or JPEG picture not shown" in page.get("/status").text
    page.predict({rows[5]: {"Round": 0.4}})
    assert "6 predicted by" in (status := page.get("/status").text)
    assert "(1 without a suggestion: no tag reaches 50 %)" in status
