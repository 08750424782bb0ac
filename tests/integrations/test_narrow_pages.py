"""Pages as a phone shows them: nothing is wider than its window, however long a path or a name is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tinypatterns
from chromium import Page
from simulated_fits import simulated
from tinyzoo import write_zoo

from sasnet_plugin.images.gisas.specification import GISAS_HEX
from sasnet_plugin.images.report import answer_page
from sasnet_plugin.predict import open_predictor
from sasnet_plugin.report.page.overview import Row, thumbnail, write_overview
from sasnet_plugin.report.page.reports import write_report

#: A phone, pixels.
PHONE = (390, 844)
#: As people keep their data: no place where a browser would break a line by itself.
LONG = "a_sample_of_which_the_name_says_everything_in_one_word_and_more_than_a_line_of_it"
MADE = f"2026-01-01, sasnet fit /home/someone/{'/'.join([LONG] * 3)}.dat --report pages"
WIDTH = "document.readyState === 'complete' && document.documentElement.scrollWidth"


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A fit, the index of a folder, and a GISAS pattern."""
    found = simulated("slit")
    curve = replace(found.curve, file=f"/data/{LONG}.dat", entry=LONG, notes=(MADE,))
    fitted = write_report(replace(found, curve=curve, notes=(MADE,)), tmp_path / "fit", origin=MADE)
    row = Row(curve.file, LONG, str(found.headline), "core_multi_shell", "stickyhardsphere", LONG, 0.9, 0.8,
              1.04, note=MADE, page=fitted.name, thumbnail=thumbnail(curve))  # fmt: skip
    index = write_overview([row, replace(row, page="", level="wrong")], tmp_path / "index", LONG)
    zoo = write_zoo(tmp_path / "zoo")
    write_zoo(zoo, "gisas_hex")
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(zoo))
    image = replace(tinypatterns.pattern(name=f"{LONG}.tif"), notes=(MADE,))
    (answer,) = open_predictor("gisas_hex").answers([image])
    return [fitted, index, answer_page(GISAS_HEX, image, answer, tmp_path / "gisas")]


def test_no_page_is_wider_than_a_phone(pages: list[Path], tmp_path: Path) -> None:
    async def widths() -> list[int]:
        async with Page(tmp_path / "browser", PHONE) as page:
            found = []
            for path in pages:
                await page.open(path.as_uri())
                await page.until(f"location.href === {path.as_uri()!r}")
                found.append(await page.until(WIDTH))
            assert not page.errors
            return found

    np.testing.assert_array_less(asyncio.run(widths()), PHONE[0] + 1)
