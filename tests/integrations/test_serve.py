"""`sasnet serve` over pipes: what it answers, and that nothing which goes wrong ends or outlives it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from child import PATIENCE, SLEEPY, Child, Event, alive, columns
from refused import REFUSED

import sasnet_plugin
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.service.answers import fit_options
from sasnet_plugin.types import SasnetError

RADIUS = 60.0


@pytest.fixture(scope="module")
def curve() -> dict[str, Any]:
    return columns(RADIUS)


@pytest.fixture(scope="module")
def sleepy(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("plugin") / "sleepy.py"
    begun = f"    open({f'{path}.begun'!r}, 'a').write('.')\n"
    text = SLEEPY.replace("    time.sleep(1.0)\n", f"{begun}    time.sleep(1.0)\n")
    path.write_text(text, encoding="utf-8")
    return str(path)


def calculating(sleepy: str, times: int) -> int:
    """How often the model was begun, once that is more often than so many times."""
    deadline = time.monotonic() + PATIENCE
    begun = Path(f"{sleepy}.begun")
    while time.monotonic() < deadline:
        found = begun.stat().st_size if begun.exists() else 0
        if found > times:
            return found
        time.sleep(0.05)
    raise AssertionError("the model was never calculated")


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with Child(1, tmp_path_factory.mktemp("home")) as found:
        yield found


def fitting(child: Child, id: int, curve: dict[str, Any], model: str) -> None:
    """Ask for a fit, and wait until it is under way."""
    child.send(id=id, do="fit", curve=curve, models=[model], time_limit=100)
    while (event := child.hear()).get("of") != 1:
        assert (event["id"], event["event"]) == (id, "progress")


def fitted(child: Child, id: int, curve: dict[str, Any]) -> Event:
    """A quick fit: equal spheres alone."""
    given = {"models": ["sphere"], "structure_factor": "none", "fixed": {"radius_pd": 0.0}}
    return child.ask(id=id, do="fit", curve=curve, **given)


def gone(pids: set[int]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pids)


def test_hello_says_what_the_network_knows(child: Child) -> None:
    classifier = open_classifier()
    assert child.ask(id=1, do="hello") == {
        "id": 1,
        "event": "done",
        "result": {
            "version": sasnet_plugin.__version__,
            "protocol": 1,
            "models": list(classifier.manifest.labels),
            "structure_factors": list(classifier.structure_factors),
        },
    }


def test_suggestions_are_those_of_python_with_curves_that_come_near(
    child: Child, curve: dict[str, Any]
) -> None:
    event = child.ask(id=2, do="suggest", curve=curve, top=7)
    assert event["event"] == "done"
    found = event["result"]
    given = sasnet_plugin.Curve(**{k: v for k, v in curve.items() if k != "name"})
    expected = sasnet_plugin.suggest(given, top=7)
    assert found["name"] == "sphere.dat"
    assert found["in_scope"] == pytest.approx(expected.in_scope)
    assert [(m["model"], m["structure_factor"], m["group"]) for m in found["models"]] == [
        (guess.name, guess.structure_factor, guess.group) for guess in expected.models
    ]
    assert [m["probability"] for m in found["models"]] == pytest.approx(
        [guess.probability for guess in expected.models]
    )
    q, intensity = np.array(curve["q"]), np.array(curve["intensity"])
    spread = np.std(np.log(intensity))
    errors = []
    for model in found["models"]:
        preview = model["preview"]
        assert preview["q"][0] >= 0.999 * q[0]
        assert preview["q"][-1] <= 1.001 * q[-1]
        drawn = np.exp(np.interp(np.log(q), np.log(preview["q"]), np.log(preview["intensity"])))
        errors.append(np.sqrt(np.mean(np.log(drawn / intensity) ** 2)))
    assert min(errors) < 0.1 * spread
    assert max(errors) < spread


def test_a_curve_out_of_scope_comes_with_a_warning(child: Child, curve: dict[str, Any]) -> None:
    peaks = np.zeros(len(curve["q"]))
    peaks[20::9] = 1.0
    unlike = curve | {"intensity": (1e-3 + peaks).tolist(), "dintensity": None}
    found = child.ask(id=3, do="suggest", curve=unlike)["result"]
    threshold = open_classifier().manifest.scope_threshold
    assert (found["in_scope"] < threshold) == bool(found["warning"])
    assert found["warning"] not in found["notes"]
    assert found["in_scope"] < threshold
    assert any("uncertainties" in note for note in found["notes"])


def test_a_fit_reports_progress_and_gives_pages_curves_and_a_report(
    child: Child, curve: dict[str, Any]
) -> None:
    child.send(id=10, do="fit", curve=curve, models=["sphere", "guinier"], structure_factor="none")
    progress: list[Event] = []
    while (event := child.hear())["event"] == "progress":
        progress.append(event)
    assert event["event"] == "done", event
    assert all(p["id"] == 10 for p in progress)
    counted = [(p["done"], p["of"]) for p in progress]
    assert counted == sorted(counted)
    assert counted[-1] == (2, 2)
    assert {p["name"] for p in progress if "reduced_chisq" in p} == {"sphere", "guinier"}

    result = event["result"]
    best = result["fit"]["fits"][0]
    assert (result["fit"]["best"], result["fit"]["file"]) == ("sphere", "sphere.dat")
    radius = best["parameters"]["radius"]
    assert abs(radius["value"] - RADIUS) < 4 * radius["error"] < 0.05 * RADIUS
    assert result["dq"] is None, "the data state their resolution"

    names = [f["model"] for f in result["fit"]["fits"]]
    assert [page["model"] for page in result["pages"]] == names
    assert [c["name"] for c in result["curves"]] == names
    page = result["pages"][0]
    assert page["structure_factor"] is None
    assert page["fitpage_model"] == page["model_name"] == ["sphere"]
    assert page["fitpage_category"] == ["Sphere"]
    assert page["fitpage_structure"] == ["None"]
    assert page["smearing"] == ["1"]
    assert page["reduced_chisq"] == best["reduced_chisq"]
    assert page["weight"] == best["weight"]
    assert float(page["radius"][1]) == radius["value"]
    assert page["radius"][0] == "True"

    free = sum(not p["fixed"] for p in best["parameters"].values())
    drawn = np.array(result["curves"][0]["intensity"])
    assert result["curves"][0]["q"] == pytest.approx(curve["q"])
    residual = (np.array(curve["intensity"]) - drawn) / np.array(curve["dintensity"])
    assert result["curves"][0]["residuals"] == pytest.approx(residual)
    assert residual @ residual / (residual.size - free) == pytest.approx(best["reduced_chisq"], rel=1e-6)

    report = child.ask(id=11, do="report", of=10)["result"]["path"]
    assert Path(report).is_absolute()
    assert Path(report).is_relative_to(child.home)
    assert "its the data" in Path(report).read_text(encoding="utf-8")

    started = child.ask(id=12, do="page", curve=curve, model="sphere")["result"]["page"]
    assert started["fitpage_model"] == ["sphere"]
    assert started["radius"][:3] == ["True", started["radius"][1], None]
    assert float(started["radius"][1]) == pytest.approx(RADIUS, rel=0.1), "near, without a fit"
    assert float(started["scale"][1]) > 0
    assert "no starting values" in child.ask(id=13, do="page", curve=curve, model="nosuch")["text"]


def test_a_resolution_that_was_found_is_given_with_the_fit(child: Child, curve: dict[str, Any]) -> None:
    smeared = columns(120.0, relative=0.08)
    q = np.array(smeared["q"])
    event = child.ask(id=12, do="fit", curve=smeared | {"dq": None}, models=["sphere"])
    dq = np.array(event["result"]["dq"])
    assert dq == pytest.approx(0.08 * q, rel=0.45), "the choice of widths is coarse"


BAD = {
    "no json": (b"suggest, please", None, "JSON"),
    "no text": (b"\xff\xfe", None, "JSON"),
    "too deep": (b"[" * 100_000, None, "JSON"),
    "no object": (b"[1, 2]", None, "object"),
    "no id": (b'{"do": "ping"}', None, "id"),
    "no number": (b'{"id": true, "do": "ping"}', None, "id"),
    "unknown": (b'{"id": 7, "do": "dance"}', 7, "dance"),
    "nothing to do": (b'{"id": 7}', 7, "no such request"),
    "no data": (b'{"id": 7, "do": "suggest"}', 7, "curve"),
    "cancel nothing": (b'{"id": 7, "do": "cancel"}', 7, "of"),
    "report of nothing": (b'{"id": 7, "do": "report", "of": 99}', 7, "99"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_line_is_one_sentence_and_the_process_goes_on(child: Child, case: str) -> None:
    line, id, word = BAD[case]
    child.line(line)
    event = child.hear()
    assert (event["id"], event["event"]) == (id, "error")
    assert word in event["text"]
    assert child.ask(id=8, do="ping") == {"id": 8, "event": "done", "result": {}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"curve": {"name": "a.dat", "q": [0.01, 0.02, 0.03], "intensity": [1, 2, 3]}}, "3 usable points"),
        ({"curve": {"name": "a.dat", "q": [0.01, 0.02], "intensity": [1]}}, "one value per q"),
        ({"curve": {"name": "a.dat", "q": [0.01, "b"], "intensity": [1, 2]}}, "numbers"),
        ({"curve": {"name": "a.dat", "q": [None] * 9, "intensity": [1] * 9}}, "0 usable points"),
        ({"curve": {"name": "a.dat", "intensity": [1] * 9}}, "missing"),
        *REFUSED,
        ({"models": "sphere"}, "list of names"),
        ({"top": 0}, "at least 1"),
        ({"time_limit": "long"}, "seconds"),
    ],
)
def test_a_fit_that_makes_no_sense_is_one_sentence(
    child: Child, curve: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    event = child.ask(**({"id": 20, "do": "fit", "curve": curve} | changes))
    assert event["event"] == "error"
    assert said in event["text"]
    assert len(event["text"].splitlines()) == 1
    if "curve" in changes:
        assert event["text"].startswith("a.dat:")


def test_sample_and_solvent_of_a_request_settle_the_contrast() -> None:
    contrast = fit_options({"sample": "SiO2@2.2", "solvent": "D2O"}).contrast
    assert contrast is not None
    # NIST's calculator: 3.47 and 6.37 at these densities.
    assert contrast.sample == pytest.approx(3.47, abs=0.02)
    assert contrast.solvent == pytest.approx(6.37, abs=0.03)
    assert fit_options({"sample": None, "solvent": ""}).contrast is None
    with pytest.raises(SasnetError, match="wavelength"):
        fit_options({"solvent": "D2O", "probe": "xray"})
    with pytest.raises(SasnetError, match="a number above 0"):
        fit_options({"solvent": "D2O", "probe": "xray", "wavelength": "Cu"})


def test_models_are_left_out_and_weighted_as_the_request_says() -> None:
    found = fit_options({"exclude": ["onion", "prism"], "prior": "uniform"})
    assert (found.exclude, found.prior) == (("onion", "prism"), "uniform")
    assert (fit_options({}).exclude, fit_options({}).prior) == ((), "common")
    with pytest.raises(SasnetError, match="no such prior"):
        fit_options({"prior": "mine"})


def test_cancel_ends_a_fit_and_what_waits_and_the_next_one_works(
    child: Child, curve: dict[str, Any], sleepy: str
) -> None:
    fitting(child, 30, curve, sleepy)
    busy = child.fitting()
    child.send(id=31, do="fit", curve=curve, models=["sphere"])
    child.send(id=31, do="hello")
    assert (event := child.hear())["event"] == "error"
    assert "31" in event["text"], "an id that is still in use"
    assert child.ask(id=32, do="ping")["event"] == "done", "while the fit is under way"
    for of, id in ((31, 33), (30, 34)):
        child.send(id=id, do="cancel", of=of)
        assert child.hear() == {"id": of, "event": "cancelled"}
        assert child.hear() == {"id": id, "event": "done", "result": {}}
    assert gone(busy), "the process of the fit was ended"
    assert child.ask(id=35, do="cancel", of=30)["event"] == "done", "over already: no harm"
    answer = fitted(child, 36, curve)
    assert answer["result"]["fit"]["best"] == "sphere"
    assert child.ask(id=37, do="report", of=30)["event"] == "error"


def test_a_fit_that_is_killed_twice_is_said_and_the_next_one_works(
    child: Child, curve: dict[str, Any], sleepy: str
) -> None:
    begun = Path(f"{sleepy}.begun")
    times = begun.stat().st_size if begun.exists() else 0
    fitting(child, 40, curve, sleepy)
    times = calculating(sleepy, times)
    for pid in child.fitting():
        os.kill(pid, signal.SIGKILL)
    while child.hear().get("of") != 2:  # it is tried once more
        pass
    calculating(sleepy, times)
    for pid in child.fitting():
        os.kill(pid, signal.SIGKILL)
    while (event := child.hear())["event"] == "progress":
        pass
    assert (event["id"], event["event"]) == (40, "done")
    assert event["result"]["fit"]["best"] is None
    assert event["result"]["pages"] == event["result"]["curves"] == []
    assert any("killed" in note for note in event["result"]["fit"]["notes"])
    assert event["result"]["fit"]["unanswered"]
    answer = fitted(child, 41, curve)
    assert answer["result"]["fit"]["best"] == "sphere"


@pytest.mark.parametrize("how", ["end of stdin", "quit", "terminate", "kill"])
def test_nothing_is_left_when_it_ends_in_the_middle_of_a_fit(
    how: str, tmp_path: Path, curve: dict[str, Any], sleepy: str
) -> None:
    with Child(2, tmp_path) as child:
        fitted(child, 1, curve)
        report = Path(child.ask(id=2, do="report", of=1)["result"]["path"])
        lasting = child.ask(id=5, do="report", of=1, folder=str(tmp_path / "reports"))["result"]["path"]
        fitting(child, 3, curve, sleepy)
        family = child.family()
        assert child.fitting()  # one at least: others start when there is more to fit
        assert report.exists()
        if how == "end of stdin":
            assert child.process.stdin is not None
            child.process.stdin.close()
        elif how == "quit":
            child.send(id=4, do="quit")
            assert child.hear() == {"id": 4, "event": "done", "result": {}}
        elif how == "terminate":
            child.process.terminate()
        else:
            child.process.kill()
        code = child.process.wait(PATIENCE)
        assert code == {"terminate": 143, "kill": -signal.SIGKILL}.get(how, 0)
        assert gone(family)
        assert Path(lasting).exists()
        if how != "kill":
            assert not list(tmp_path.glob("sasnet-*"))


def test_events_are_lines_of_their_own_whatever_libraries_print(
    tmp_path: Path, curve: dict[str, Any]
) -> None:
    loud = tmp_path / "loud.py"
    loud.write_text(SLEEPY.replace("time.sleep(1.0)", "print('noise', flush=True)"), encoding="utf-8")
    home = tmp_path / "home"
    home.mkdir()
    q = np.array(curve["q"])
    exact = (1 + (q * 50.0) ** 2) ** -2 + 1e-4  # explained at once: silence is all that is looked for
    noisy = exact * (1 + 0.03 * np.random.default_rng(2).standard_normal(q.size))
    given = curve | {"intensity": noisy.tolist(), "dintensity": (0.03 * exact).tolist()}
    with Child(1, home) as child:
        answer = child.ask(id=1, do="fit", curve=given, models=[str(loud)], time_limit=60)
        assert answer["event"] == "done"
        assert answer["result"]["pages"][0]["fitpage_model"] == ["loud"]
        json.dumps(answer, allow_nan=False)


def test_an_installation_without_its_network_says_so_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(tmp_path / "nowhere"))
    with Child(1, tmp_path) as child:
        event = child.hear()
        assert (event["id"], event["event"]) == (None, "error")
        assert "nowhere" in event["text"]
        assert child.process.wait(PATIENCE) == 1
