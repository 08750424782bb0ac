"""The overview of many data sets: every row and every number, nothing loaded, one script, vouched for."""

from __future__ import annotations

import csv
import hashlib
import re
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import numpy as np

from sasnet_plugin.report.page.overview import Row, thumbnail, write_csv, write_overview
from sasnet_plugin.types import Curve

Q = np.geomspace(0.01, 0.3, 300)
CURVE = Curve(Q, 1 / Q**2)
ROWS = [
    Row("/data/a.dat", "", "sphere: radius 50.0 ± 1.2 Å", "sphere", "hardsphere", "spheres", 0.91, 0.8, 1.04,
        page="a-1.html", thumbnail=thumbnail(CURVE, CURVE.intensity)),
    Row("/data/b.dat", "run <2>", "b.dat: the file is empty; give one with data.", level="wrong"),
]  # fmt: skip


def test_a_thumbnail_holds_the_curve_and_the_fit_through_it() -> None:
    drawn = thumbnail(CURVE, CURVE.intensity)
    dots = np.array(re.findall(r"M([\d.]+) ([\d.]+)h", drawn), dtype=float)
    assert 40 <= len(dots) <= 160
    # A power law is a straight line, from corner to corner.
    slope, offset = np.polyfit(*dots.T, 1)
    np.testing.assert_allclose(dots[:, 0] * slope + offset, dots[:, 1], atol=0.6)
    assert np.ptp(dots[:, 0]) > 110
    assert "polyline" in drawn
    assert "polyline" not in thumbnail(CURVE)
    assert thumbnail(Curve(Q, -1 / Q)) == ""


def test_the_page_runs_its_own_script_alone_and_names_what_failed(tmp_path: Path) -> None:
    text = write_overview(ROWS, tmp_path, "runs").read_text(encoding="utf-8")
    assert 'href="a-1.html"' in text
    assert "2 data sets, 1 without an answer" in text
    assert "run &lt;2&gt;" in text
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith(f"default-src 'none'; script-src 'sha256-{digest}'")
    assert not re.search(r"src=|@import|url\(", text)
    assert len(re.findall(r"<th scope", text)) == 6
    assert 'data-value="0.91"' in text


def test_the_share_of_a_fit_is_no_probability(tmp_path: Path) -> None:
    fit = replace(ROWS[0], probability=0.31, weight=0.94)
    text = write_overview([fit], tmp_path, "runs").read_text(encoding="utf-8")
    assert ">Weight</button>" in text
    assert ">94 %</td>" in text
    assert "Probability</button>" not in text
    only = write_overview([replace(ROWS[0], reduced_chisq=None)], tmp_path, "runs").read_text(
        encoding="utf-8"
    )
    assert "Probability</button>" in only
    with write_csv([fit], tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        (line,) = csv.DictReader(file)
    assert (line["probability"], line["weight"]) == ("0.31", "0.94")


def test_entries_of_one_file_stand_below_its_name(tmp_path: Path) -> None:
    several = [replace(ROWS[0], file="/data/run.h5", entry=f"entry {i}", page=f"p{i}.html") for i in range(3)]
    text = write_overview([ROWS[1], *several], tmp_path, "runs").read_text(encoding="utf-8")
    bodies = re.findall(r"<tbody>(.*?)</tbody>", text, re.DOTALL)
    assert [body.count("<tr") for body in bodies] == [1, 4]
    assert ">run.h5</button>" in bodies[1]
    assert "3 entries: sphere 3" in bodies[1]
    for i in range(3):
        assert f'<a href="p{i}.html">entry {i}</a>' in bodies[1]


def test_the_table_for_spreadsheets_has_a_line_for_each(tmp_path: Path) -> None:
    with write_csv(ROWS, tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["file"] for row in found] == ["/data/a.dat", "/data/b.dat"]
    assert found[0]["structure_factor"] == "hardsphere"
    assert float(found[0]["reduced_chisq"]) == 1.04
    assert found[1]["model"] == found[1]["probability"] == ""
