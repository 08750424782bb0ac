"""Files with many images, and tabs that are opened when they are first looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient
from tagpages import HOME, draw

from sasnet_plugin.domains import specification
from sasnet_plugin.images import service as listing
from sasnet_plugin.images.service import How, measurement, settle_kind
from sasnet_plugin.images.tagging.workspace import kind_of, open_tagging
from sasnet_plugin.web.access import Keys
from sasnet_plugin.web.app import Opened, Tabs, application
from sasnet_plugin.web.curves.bench import Bench


def test_of_a_stack_the_first_images_are_listed_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "IMAGES", replace(listing.IMAGES, most=3, batch=2))
    frames = np.random.default_rng(3).poisson(5.0, (5, 64, 64)).astype(np.int32)
    for number in (3, 5):
        np.save(tmp_path / f"{number}.npy", frames[:number])
    whole = listing.list_lines(str(tmp_path / "3.npy"), How("xray_tags"))
    assert [line["further"] for line in whole] == [False] * 3
    cut = listing.list_lines(str(tmp_path / "5.npy"), How("xray_tags"))
    assert [line["entry"] for line in cut] == ["frame 1", "frame 2", "frame 3"]
    assert [line["further"] for line in cut] == [False, False, True]
    fifth = measurement(str(tmp_path / "5.npy"), specification("xray_tags"), 5)
    np.testing.assert_array_equal(fifth.counts, frames[4])
    assert settle_kind(str(tmp_path / "5.npy"), How())[0] == "", "several kinds could read it"


def test_a_server_of_tags_opens_curves_and_images_when_somebody_looks(tmp_path: Path) -> None:
    folder, work, begun = tmp_path / "images", tmp_path / "work", []
    draw(folder, 2)

    def bench() -> Bench:
        begun.append(1)
        return Bench(folder, work, workers=1, live=False)

    assert kind_of(folder) == "xray_tags", "those with tags are asked first"
    tabs = Tabs(
        bench, lambda kind: open_tagging(folder, kind, work, live=False), folder, "diffraction", "anna"
    )
    keys = Keys(8000, "127.0.0.1", "tags")
    with TestClient(application(Opened(tabs), keys), base_url=HOME) as client:
        assert "/#images" in client.get(keys.address).text
        assert client.get("/status").status_code == 200, "its kind is known"
        assert begun == []
        first = client.get("/")
        assert first.history == [], "it leads nowhere else"
        assert 'href="/tags"' in first.text
        assert client.get("/api/files").json()["count"] == 2
        assert begun == [1]
