"""The page of a fit, read with Python's own HTML parser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinyzoo import manifest_entries

from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.fit_warning import FitWarning
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter, Verification
from sasnet_plugin.fitting.result.verdict import DOUBTS, EXPLAINS
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.fitting.verdict.tell import add_verdict
from sasnet_plugin.report.page.document import document, identity, write_page
from sasnet_plugin.report.page.reports import page, page_name, scripts, write_report
from sasnet_plugin.types import Curve, SasnetError
from sasnet_plugin.zoo import Manifest, open_model, parse_manifest

POINTS = 80
HOSTILE = "../..\\<script>alert(1)</script>\"' onload=x $\\frac$ & Ångström \u202e 测量\x00"
VOID = {"meta", "br", "hr", "img", "link", "input"}


@dataclass
class Element:
    """One element, with what it holds."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """Elements of this tag below it, in the order of the page."""
        return [e for e in self.walk() if e.tag == tag]

    def walk(self) -> list[Element]:
        return [e for child in self.children for e in (child, *child.walk())]

    def by_id(self, name: str) -> Element:
        (found,) = [e for e in self.walk() if e.attributes.get("id") == name]
        return found

    def words(self) -> str:
        """What is read: no scripts."""
        return "".join(self.text)


class Reader(HTMLParser):
    """Builds the tree, and finds elements that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {k: v or "" for k, v in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag
        self.open.pop()

    def handle_data(self, data: str) -> None:
        script = self.open[-1].tag == "script"
        for element in self.open[-1:] if script else self.open:
            element.text.append(data)


def read(text: str) -> Element:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def sphere(q: np.ndarray, factor: str | None = None, **parameters: float) -> np.ndarray:
    """I(q) by sasmodels itself."""
    from sasmodels.core import load_model
    from sasmodels.direct_model import call_kernel

    model = load_model("sphere" if factor is None else f"sphere@{factor}")
    return np.asarray(call_kernel(model.make_kernel([q]), parameters))


@pytest.fixture(scope="module")
def groups() -> Manifest:
    return open_model("sas1d").manifest


@pytest.fixture(scope="module")
def result() -> FitResult:
    """A noisy sphere with a few points below zero, fitted by two models and by a plugin of a user's."""
    q = np.geomspace(0.004, 0.4, POINTS)
    clean = sphere(q, radius=50.0, scale=0.01, background=0.001)
    sigma = 0.03 * clean + 4e-4
    intensity = np.random.default_rng(3).normal(clean, sigma)
    intensity[[60, 70, 75]] = [-2e-4, 0.0, -1e-3]
    curve = Curve(
        q, intensity, sigma, file="/data/run 7/latex.xml", entry="Latex, 0.1 %", notes=("Read so.",)
    )
    free = {
        "scale": Parameter(0.0100213, 0.000156, "", False, 0.0, np.inf),
        "background": Parameter(0.00100049, 0.0000123, "1/cm", False, -np.inf, np.inf),
        "radius": Parameter(50.0213, 1.1874, "Ang", False, 2.0, 1500.0),
        "radius_pd": Parameter(0.1234, 0.021, "", False, 0.0, 0.7),
        "sld": Parameter(4.0, None, "1e-6/Ang^2", True, 4.0, 4.0),
    }
    best = ModelFit(
        "sphere", None, free, {"radius": "lognormal"}, 70.0, 0.921, 87.53, 0.613, 0.1, clean, 0.7212,
        (FitWarning("The radius & its width hang together."),),
    )  # fmt: skip
    crowded = sphere(q, "hardsphere", radius=48.0, volfraction=0.05, scale=0.2, background=-0.001)
    second = ModelFit(
        "sphere", "hardsphere", free | {"volfraction": Parameter(12340.0, 571.0, "", False, 0.0, 0.74)}, {},
        150.0, 2.0, 171.91, 0.087, 0.1, crowded, 0.2788,
        (FitWarning("volfraction is at its limit."),),
    )  # fmt: skip
    own = ModelFit(
        "my<b>model$", None, {"a_1": Parameter(3.0, None, "Ang^2", False, 1.0, 4.0)}, {}, 900.0, 11.7, 913.1,
        0.0, 0.1, clean * 1.3, 0.0,
    )  # fmt: skip
    notes = ("Read so.", "sphere and sphere@hardsphere: no difference in this q range.")
    return add_verdict(FitResult(curve, sigma, (best, second, own), True, notes))


@pytest.fixture(scope="module")
def tree(result: FitResult, groups: Manifest) -> Element:
    return read(page(result, groups))


def rows(table: Element) -> list[list[str]]:
    return [[cell.words().strip() for cell in row.all("td")] for row in table.all("tr") if row.all("td")]


def positions(group: Element) -> np.ndarray:
    """Where the markers of a group are, in points from the figure's upper left corner."""
    return np.array([[float(u.attributes["x"]), float(u.attributes["y"])] for u in group.all("use")])


def vertices(group: Element) -> np.ndarray:
    (path,) = group.all("path")
    return np.array(re.findall(r"[ML] (\S+) (\S+)", path.attributes["d"]), dtype=float)


def test_ranking_gives_every_figure_of_every_fit(tree: Element) -> None:
    found = rows(tree.all("table")[0])
    assert found == [
        ["1", "sphere", "none", "0.721", "0.921", "87.5", "0.0", "4", "0.613"],
        ["The radius & its width hang together."],
        ["2", "sphere", "hardsphere", "0.279", "2", "171.9", "84.4", "5", "0.087"],
        ["volfraction is at its limit."],
        ["3", "my<b>model$", "none", "< 0.001", "11.7", "913.1", "825.6", "1", "< 0.001"],
    ]


def test_parameters_have_sensible_digits_units_and_ranges(tree: Element) -> None:
    _, first, second, third = tree.all("table")
    assert rows(first) == [
        ["scale", "0.01002 ± 0.00016", "", "at least 0"],
        ["background", "0.001000 ± 0.000012", "cm⁻¹", "no limit"],
        ["radius", "50.0 ± 1.2", "Å", "2 to 1500"],
        ["radius_pd relative width, lognormal", "0.123 ± 0.021", "", "0 to 0.7"],
        ["sld", "4", "10⁻⁶ Å⁻²", "fixed"],
    ]
    assert ["volfraction", "12340 ± 570", "", "0 to 0.74"] in rows(second)
    assert rows(third) == [["a_1", "3 ± unknown", "Å²", "1 to 4"]]


def test_title_notes_and_verdict_in_words(tree: Element, result: FitResult, groups: Manifest) -> None:
    assert tree.all("h1")[0].words() == "Latex, 0.1 %"
    words = tree.words()
    assert "latex.xml" in words
    assert "/data" not in words  # where the file lay is nobody else's business
    assert words.count("Read so.") == 1
    assert "sphere and sphere@hardsphere: no difference in this q range." in words
    # One headline, the same everywhere, with the doubt that would hurt most and what to do next.
    assert result.headline in words
    assert (result.verdict.level, result.verdict.doubt) == (EXPLAINS, "")
    assert "Doubt" not in words
    lacking = add_verdict(replace(result, unanswered=("onion",)))
    assert lacking.verdict.level == DOUBTS
    assert f"Caution: {lacking.verdict.doubt}" in read(page(lacking, groups)).words()
    assert "continue in SasView or Bumps: sasnet fit latex.xml --export exports" in words, "no report of it"
    wrong = replace(result, verified=False, verification=Verification(0.9999, -9.0, (0.1, 0.2), False, ()))
    doubtful = read(page(add_verdict(wrong), groups)).words()
    plugin = replace(result.fits[0], model="/home/user/mine.py", warnings=(FitWarning("mine says so."),))
    options = FitOptions(models=("sphere", "/home/user/mine.py"))
    own = read(page(add_verdict(replace(result, fits=(plugin,)), options), groups)).words()
    assert "Best fit: mine, number-mean radius" in own
    assert "--models sphere,mine.py" in own
    assert "mine says so." in own
    assert "/home" not in own
    checked = Verification(0.38, 0.1, (0.1, 0.2), True, ())
    assert (
        "62 % of the simulated measurements of this fit have a larger χ²."
        in read(page(replace(result, verification=checked), groups)).words()
    )
    assert "None of the fitted models fits the data." in doubtful
    assert "Fits the data" not in doubtful


def test_the_page_says_when_by_what_and_from_which_numbers(result: FitResult, groups: Manifest) -> None:
    tree = read(page(result, groups, "2026-11-22 10:15, sasnet fit 'a b.dat'"))
    (footer,) = tree.all("footer")
    assert "2026-11-22 10:15, sasnet fit 'a b.dat'. Data: sha256" in footer.words()
    (link,) = (e for e in tree.all("a") if "download" in e.attributes)
    lines = b64decode(link.attributes["href"].partition("base64,")[2]).decode().splitlines()
    assert lines[0].startswith("q_per_angstrom,intensity,dintensity")
    values = np.array([line.split(",")[:2] for line in lines[1:]], dtype=float)
    np.testing.assert_allclose(values[:, 0], result.curve.q, rtol=1e-6)
    np.testing.assert_allclose(values[:, 1], result.curve.intensity, rtol=1e-6)


def test_every_point_is_drawn_where_it_belongs(tree: Element, result: FitResult) -> None:
    data, below = positions(tree.by_id("fit-data1")), positions(tree.by_id("fit-below1"))
    assert len(data) + len(below) == POINTS
    q, intensity = result.curve.q, result.curve.intensity
    # On the axis are all but those at or below zero, and perhaps one that scatters down to it.
    shown = intensity >= np.sort(intensity)[-len(data)]
    assert np.all(intensity[shown] > 0)
    assert np.sum(intensity[~shown] > 0) <= 1
    # Pixels are linear in log q and in log I: the figure shows these numbers and no others.
    log_q = np.log(q[shown])
    for pixel, value in zip(data.T, (log_q, np.log(intensity[shown])), strict=True):
        slope, offset = np.polyfit(value, pixel, 1)
        np.testing.assert_allclose(slope * value + offset, pixel, atol=0.05)
    # One error bar for each that reaches the axis, and q of the triangles on the same axis.
    seen = np.sum(intensity + result.dintensity > intensity[shown].min())
    assert len(vertices(tree.by_id("fit-bars1"))) == 2 * seen
    slope, offset = np.polyfit(log_q, data[:, 0], 1)
    np.testing.assert_allclose(slope * np.log(q[~shown]) + offset, below[:, 0], atol=0.05)


def test_fits_are_drawn_on_the_axes_of_the_data(tree: Element, result: FitResult) -> None:
    data, q, intensity = positions(tree.by_id("fit-data1")), result.curve.q, result.curve.intensity
    shown = intensity >= np.sort(intensity)[-len(data)]
    across = np.polyfit(np.log(q[shown]), data[:, 0], 1)
    up = np.polyfit(np.log(intensity[shown]), data[:, 1], 1)
    assert up[0] < 0  # more intensity, higher on the page
    assert np.sum(result.fits[1].theory <= 0) > 0  # the second fit leaves the axes
    for number, fit in enumerate(result.fits, start=1):
        line, there = vertices(tree.by_id(f"fit-line{number}")), fit.theory > 0
        np.testing.assert_allclose(line[:, 0], np.polyval(across, np.log(q[there])), atol=0.05)
        np.testing.assert_allclose(line[:, 1], np.polyval(up, np.log(fit.theory[there])), atol=0.05)


def test_residuals_share_the_q_axis_and_hold_every_point(tree: Element, result: FitResult) -> None:
    line = vertices(tree.by_id("fit-line1"))
    for number, fit in enumerate(result.fits, start=1):
        inside = positions(tree.by_id(f"fit-residual{number}"))
        beyond = [tree.by_id(f"fit-{name}{number}").all("use") for name in ("above", "under")]
        assert len(inside) + sum(map(len, beyond)) == POINTS
        residual = (result.curve.intensity - fit.theory) / result.dintensity
        limit = np.sort(np.abs(residual))[len(inside) - 1]
        kept = np.abs(residual) <= limit
        np.testing.assert_allclose(inside[:, 0], line[kept, 0], atol=0.02)
        slope, offset = np.polyfit(residual[kept], inside[:, 1], 1)
        np.testing.assert_allclose(slope * residual[kept] + offset, inside[:, 1], atol=0.05)
        assert inside[:, 1].min() > line[:, 1].max()


def test_same_result_gives_the_same_bytes_in_any_process(
    tmp_path: Path, result: FitResult, groups: Manifest
) -> None:
    import pickle

    stored = tmp_path / "result.pkl"
    stored.write_bytes(pickle.dumps(result))
    program = (
        "import pickle, sys; from pathlib import Path;"
        " from sasnet_plugin.report.page.reports import write_report;"
        "import matplotlib; matplotlib.rcParams.update({'font.size': 17, 'axes.grid': True});"
        "write_report(pickle.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "5"}
    subprocess.run([sys.executable, "-c", program, stored, tmp_path / "a"], check=True, env=environment)
    here = write_report(result, tmp_path / "b", groups=groups)
    assert here.read_bytes() == (tmp_path / "a" / here.name).read_bytes()
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == [here.name]


def test_hostile_titles_are_words(tmp_path: Path, result: FitResult, groups: Manifest) -> None:
    hostile = replace(
        result,
        curve=replace(result.curve, entry=HOSTILE, file="/tmp/<img src=x onerror=alert(2)>.dat"),
        notes=("<iframe src=javascript:x>",),
        fits=(replace(result.fits[0], warnings=(FitWarning("</td><script>x</script>"),)), *result.fits[1:]),
    )
    path = write_report(hostile, tmp_path / "out", groups=groups)
    assert [p.parent for p in tmp_path.rglob("*.html")] == [tmp_path / "out"]
    tree = read(path.read_text(encoding="utf-8"))
    assert tree.all("h1")[0].words() == HOSTILE.replace("\x00", "\ufffd")
    assert "<iframe src=javascript:x>" in tree.words()
    assert "</td><script>x</script>" in tree.words()
    assert not {"img", "iframe", "b"} & {e.tag for e in tree.walk()}
    assert_no_script_but_ours(tree)
    assert not any(name.startswith("on") for e in tree.walk() for name in e.attributes)


def test_nothing_is_loaded_from_anywhere(tree: Element, result: FitResult, groups: Manifest) -> None:
    assert not {"link", "img", "iframe", "object", "embed"} & {e.tag for e in tree.walk()}
    assert_no_script_but_ours(tree)
    text = re.sub(r"<script>.*?</script>", "", page(result, groups), flags=re.DOTALL)
    assert not re.search(r"@import|src=|url\((?!#)", text)
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|WebSocket", "".join(scripts()))
    assert all(e.tag == "a" for e in tree.walk() if "http" in " ".join(e.attributes.values()))


def assert_no_script_but_ours(tree: Element) -> None:
    """The page's policy lets run what the package ships, and that alone."""
    data, *run = tree.all("script")
    assert data.attributes == {"type": "application/json", "id": "plot-data"}
    assert tuple(one.words() for one in run) == scripts()
    digests = [b64encode(sha256(one.encode()).digest()).decode() for one in scripts()]
    said = next(
        e.attributes["content"]
        for e in tree.all("meta")
        if "content" in e.attributes and "default-src" in e.attributes["content"]
    )
    assert re.findall(r"'sha256-([^']*)'", said) == digests
    assert "script-src 'sha256-" in said
    assert "unsafe-inline" not in said.partition("script-src")[2].partition(";")[0]


def test_what_the_script_draws_are_the_numbers(tree: Element, result: FitResult) -> None:
    drawn = json.loads(tree.all("script")[0].words())
    (points,) = drawn["points"]
    for name, values in (("q", result.curve.q), ("y", result.curve.intensity), ("e", result.dintensity)):
        np.testing.assert_allclose(points[name], values, rtol=1e-5, atol=1e-12)
    assert [line["name"] for line in drawn["lines"]] == [fit.short_name for fit in result.fits]
    for k, fit in enumerate(result.fits):
        np.testing.assert_allclose(drawn["lines"][k]["y"], fit.theory, rtol=1e-5)
        residual = (result.curve.intensity - fit.theory) / result.dintensity
        np.testing.assert_allclose(drawn["residuals"][k]["y"], residual, rtol=1e-5)
        assert drawn["lines"][k]["of"] == drawn["residuals"][k]["of"] == k


def test_ids_are_unique_and_what_points_to_them_finds_them(tree: Element, result: FitResult) -> None:
    ids = [e.attributes["id"] for e in tree.walk() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    linked = [e.attributes["href"] for e in tree.walk() if e.attributes.get("href", "").startswith("#")]
    clipped = [e.attributes["clip-path"] for e in tree.walk() if "clip-path" in e.attributes]
    assert len(linked) > POINTS
    assert clipped
    assert {name[1:] for name in linked} | {name[5:-1] for name in clipped} <= set(ids)


def test_every_colour_has_a_light_and_a_dark_form(result: FitResult, groups: Manifest) -> None:
    text = re.sub(r"<script.*?</script>", "", page(result, groups), flags=re.DOTALL)
    style, _, body = text.partition("</style>")
    assert not re.findall(r"#[0-9a-fA-F]{6}\b", body)
    used = set(re.findall(r"var\(--(\w+)\)", text))
    light, dark = re.findall(r":root \{([^}]*)\}", style)[:2]
    assert "prefers-color-scheme: dark" in style
    for block in (light, dark):
        assert used <= set(re.findall(r"--(\w+):#", block))


def test_tree_holds_every_model_and_marks_the_fitted_ones(result: FitResult, groups: Manifest) -> None:
    assert not [
        e for e in read(page(result, groups)).all("svg") if "Tree" in e.attributes.get("aria-label", "")
    ]  # only where it is asked for
    tree = read(page(result, groups, tree=True))
    svg = next(e for e in tree.all("svg") if "Tree" in e.attributes.get("aria-label", ""))
    texts = {e.words().strip() for e in svg.all("text")}
    assert set(groups.labels) - {"sphere"} <= texts
    assert "sphere ◂ 1, 2" in {re.sub(r"\s+", " ", t) for t in texts}
    assert "my<b>model$: not among the models that the network knows." in tree.words()


def test_network_without_a_tree_still_has_groups(result: FitResult) -> None:
    import json

    plain = parse_manifest(json.dumps(manifest_entries(b"")), "manifest.json")
    tree = read(page(result, plain, tree=True))
    assert "sphere: in the group “spherical” of 3 models." in tree.words()
    assert not [e for e in tree.all("svg") if "Tree" in e.attributes.get("aria-label", "")]


def test_versions_that_made_it(tree: Element) -> None:
    from importlib.metadata import version

    for name in ("sasmodels", "bumps", "numpy"):
        assert f"{name} {version(name)}" in tree.words()
    targets = [e.attributes["href"] for e in tree.all("footer")[0].all("a")]
    assert "https://www.sasview.org/docs/user/models/hardsphere.html" in targets


def test_curve_that_no_model_fits_and_one_below_zero(result: FitResult, groups: Manifest) -> None:
    curve = replace(result.curve, intensity=-np.abs(result.curve.intensity) - 1e-6)
    tree = read(page(FitResult(curve, result.dintensity, (), notes=("No model.",)), groups))
    assert "No model could be fitted." in tree.words()
    assert len(positions(tree.by_id("fit-data1"))) == POINTS
    assert not tree.all("table")


def test_folder_that_cannot_be_written(tmp_path: Path, result: FitResult, groups: Manifest) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(SasnetError, match=r"taken.*cannot be written.*name another folder"):
        write_report(result, taken, groups=groups)
    assert taken.read_text() == "a file"


def test_entries_of_one_title_have_pages_of_their_own(
    tmp_path: Path, result: FitResult, groups: Manifest
) -> None:
    other = replace(result, curve=replace(result.curve, intensity=result.curve.intensity * 1.5))
    first, second = (write_report(r, tmp_path, groups=groups) for r in (result, other))
    assert first != second
    assert (first.name, second.name) == ("latex-Latex-0-1.html", "latex-Latex-0-1-2.html")
    assert write_report(result, tmp_path, groups=groups) == first
    moved = replace(other, curve=replace(other.curve, file=f"elsewhere/{other.curve.file}"))
    assert write_report(moved, tmp_path, groups=groups) == second
    assert len(list(tmp_path.iterdir())) == 2


@given(st.text(max_size=400), st.text(max_size=400), st.text(max_size=400))
def test_names_of_pages_are_portable_and_distinct(file: str, entry: str, other: str) -> None:
    q = np.array([0.01, 0.02])
    with TemporaryDirectory() as folder:
        name = page_name(Curve(q, q, file=file, entry=entry), Path(folder))
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*\.html", name)
        assert len(name) < 150
        assert name.lower() != "index.html"
        own = identity(file, entry, q, q)
        write_page(Path(folder) / name, document("", "", identity=own))
        assert (name == page_name(Curve(q, q, file=file, entry=other), Path(folder))) == (entry == other)


def test_theory_that_is_no_number_is_seen(result: FitResult, groups: Manifest) -> None:
    theory = result.fits[0].theory.copy()
    theory[5:9] = np.nan
    tree = read(page(replace(result, fits=(replace(result.fits[0], theory=theory),)), groups))
    assert len(tree.by_id("fit-above1").all("use")) >= 4
    markers = [len(tree.by_id(f"fit-{name}1").all("use")) for name in ("residual", "above", "under")]
    assert sum(markers) == POINTS
