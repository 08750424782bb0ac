"""Bluesky: events are answered once, and an agent finds a phase boundary, run by bluesky's own RunEngine."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from instrument import Detector, Motor, documents

pytest.importorskip("bluesky_adaptive")

from phase_grids import draw_samples, is_boundary_known

import sasnet_plugin
from sasnet_plugin.batch.steering.settings import Option
from sasnet_plugin.integrations.bluesky.agent import (
    Evaluation,
    MeasurementAgent,
    SampleAgent,
    SettingAgent,
    problem,
)
from sasnet_plugin.integrations.bluesky.documents import Answered, Documents, Keys
from sasnet_plugin.types import Curve, SasnetError

RADIUS = 60.0


def sphere(
    rng: np.random.Generator, error: float = 0.02, radius: float = RADIUS, spread: float = 0.08
) -> dict[str, Any]:
    """I(q) of a sphere (Rayleigh 1911) with a spread of sizes that blurs its minima, and noise."""
    q = np.geomspace(0.005, 0.25, 120)
    sizes = radius * (1 + spread * np.linspace(-2, 2, 21))
    weight = np.exp(-(np.linspace(-2, 2, 21) ** 2) / 2) * (sizes / radius) ** 6
    x = q[:, None] * sizes
    form = 3 * (np.sin(x) - x * np.cos(x)) / x**3
    clean = form**2 @ weight / weight.sum() + 1e-4
    sigma = error * clean
    return {"q": q, "intensity": clean + sigma * rng.standard_normal(q.size), "dintensity": sigma}


def events(count: int, **more: Any) -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    return [{**sphere(rng), "temperature": 20.0 + k, **more} for k in range(count)]


@pytest.mark.parametrize("page", [False, True])
def test_each_event_is_answered_once_whoever_repeats_it(page: bool) -> None:
    heard: list[Answered] = []
    answers = Documents(tell=heard.append)
    given = list(documents(events(4), page=page))
    for name, document in given[:-1]:
        answers(name, document)
        if name.startswith("event"):
            answers(name, document)
    answers(*given[-1])
    assert [one.number for one in heard] == [1, 2, 3, 4]
    assert [one.data["temperature"] for one in heard] == [20.0, 21.0, 22.0, 23.0]
    assert all(one.about is not None and one.about.known for one in heard)
    assert {one.outcome["model"] for one in heard} <= {"sphere", "fuzzy_sphere"}
    rg = [float(one.outcome["rg"]) for one in heard]
    assert rg == pytest.approx([np.sqrt(0.6) * RADIUS] * 4, rel=0.12)
    assert answers.answer(heard[0].event) is heard[0]
    assert answers.answers(given[0][1]["uid"]) == heard
    answers("event", given[2][1]) if not page else None
    assert len(heard) == 4, "the run has stopped"


def test_q_in_inverse_nanometres_is_taken_as_its_descriptor_says() -> None:
    some = [{**one, "q": 10 * one["q"]} for one in events(2)]
    answers = Documents()
    for name, document in documents(some, units="nm^-1"):
        answers(name, document)
    assert [float(one.outcome["rg"]) for one in answers.answers()] == pytest.approx([46.5] * 2, rel=0.12)


def test_curves_may_lie_in_files_that_events_name(tmp_path: Path) -> None:
    one = events(1)[0]
    np.savetxt(tmp_path / "a.dat", np.column_stack([one["q"], one["intensity"], one["dintensity"]]),
               header="q(1/A) I dI")  # fmt: skip
    names = [str(tmp_path / "a.dat"), str(tmp_path / "missing.dat")]
    answers = Documents()
    for name, document in documents([{"curve_file": one, "x": 1.0} for one in names]):
        answers(name, document)
    good, bad = answers.answers()
    assert good.outcome["group"]
    assert bad.about is None
    assert "missing.dat" in bad.note


def test_what_is_wrong_is_said_and_never_raised(caplog: pytest.LogCaptureFixture) -> None:
    good = events(1)[0]
    short = {**good, "q": good["q"][:-3]}
    answers = Documents()
    for name, document in documents([good, short, {**good, "intensity": np.full(120, np.nan)}]):
        answers(name, document)
    notes = [one.note for one in answers.answers()]
    assert notes[0] == ""
    assert "117 values" in notes[1] or "120 values" in notes[1]
    assert all(notes[1:])
    assert all(np.isnan(one.outcome["in_scope"]) for one in answers.answers()[1:])
    with caplog.at_level(logging.WARNING):
        answers("event", {"no": "event"})
        answers("descriptor", {"data_keys": {"q": {"dtype": "array"}}})
        answers("resource", {})
    before = len(answers.answers())
    for name, document in documents([{"temperature": 3.0}]):
        answers(name, document)
    assert len(answers.answers()) == before, "a stream without curves is passed over"


def test_fields_go_by_the_names_that_are_given() -> None:
    one = events(1)[0]
    odd = {"where": one["q"], "q": one["intensity"], "width": one["dintensity"]}
    answers = Documents(keys=Keys(q="where", intensity="q", dintensity="width", q_unit="1/A"))
    for name, document in documents([odd], units=None):
        answers(name, document)
    (found,) = answers.answers()
    assert found.outcome["rg"] == pytest.approx(46.5, rel=0.12)


def test_a_change_is_said_and_curves_of_one_sample_are_added_up_until_settled() -> None:
    rng = np.random.default_rng(5)
    changed = [sphere(rng) for _ in range(12)] + [sphere(rng, radius=75.0) for _ in range(6)]
    answers = Documents()
    for name, document in documents(changed):
        answers(name, document)
    said = [(one.number, one.change) for one in answers.answers() if one.change]
    assert said
    assert 13 <= said[0][0] <= 15
    summed = Documents(add=True)
    for name, document in documents([sphere(rng, error=0.1, spread=0.02) for _ in range(25)]):
        summed(name, document)
    advice = [one.advice for one in summed.answers() if one.advice]
    assert len(advice) == 1
    assert "you may stop counting" in advice[0]


def simulated(side: int = 10, seed: int = 0) -> tuple[Any, dict[str, Motor], Detector]:
    samples = draw_samples(side, np.random.default_rng([1, side, 0, seed]))
    motors = {name: Motor(name) for name in samples.grid.axes}
    rng = np.random.default_rng(seed)

    def measure() -> Curve:
        place = samples.grid.place({name: motor.at for name, motor in motors.items()})
        return samples.measure(place, rng)

    return samples, motors, Detector(measure)


@pytest.mark.slow
@pytest.mark.parametrize("in_run", [False, True])
def test_an_agent_finds_the_boundary_with_a_third_of_a_rasters_measurements(in_run: bool) -> None:
    from bluesky import RunEngine
    from bluesky_adaptive import optimize, optimize_in_run
    from bluesky_adaptive.protocols import (
        CanRegisterSuggestions,
        Checkpointable,
        EvaluationFunction,
        Optimizer,
        SupportsStoppingCriteria,
        TrialFaultAware,
    )

    samples, motors, detector = simulated()
    said: list[str] = []
    agent = SampleAgent(samples.grid.axes, tell=said.append)
    for protocol in (
        Optimizer, CanRegisterSuggestions, TrialFaultAware, SupportsStoppingCriteria, Checkpointable
    ):  # fmt: skip
        assert isinstance(agent, protocol)
    answers = Documents()
    assert isinstance(Evaluation(answers), EvaluationFunction)
    engine = RunEngine({}, call_returns_result=False)
    engine.subscribe(answers)
    asked = problem(agent, list(motors.values()), [detector], answers)
    third = len(samples.grid) // 3
    plan = optimize_in_run if in_run else optimize
    engine(plan(asked, iterations=third // 3, n_points=3))
    assert detector.count <= third
    assert is_boundary_known(samples, agent.found.phases()[0])
    report = agent.report()
    assert report["measured"] == detector.count
    assert report["boundaries"]
    assert report["open_bits"] < 0.2 * len(samples.grid)
    assert len(said) == detector.count
    assert any("bits of information" in one for one in said)
    best = agent.get_best_points()
    assert set(best[0][1]) == set(samples.grid.axes)
    assert best[0][2]["group"]


def ingested(agent: SampleAgent, suggestions: Sequence[dict[str, Any]], edge: float = 0.5) -> None:
    agent.ingest(
        [
            {"_id": one["_id"], "p a": float(one["x"] < edge), "p b": float(one["x"] >= edge)}
            for one in suggestions
        ]
    )


def test_suggestions_measured_or_under_way_or_failed_do_not_come_twice(tmp_path: Path) -> None:
    agent = SampleAgent({"x": np.linspace(0, 1, 6), "t": (1.0, 2.0)}, path=tmp_path / "state.json")
    first = agent.suggest(4)
    assert len({one["_id"] for one in first}) == 4
    assert len({(one["x"], one["t"]) for one in first}) == 4
    assert agent.reason(first[0]["_id"])
    agent.register_failures(first[:1])
    ingested(agent, first[1:])
    agent.checkpoint()
    again = SampleAgent({"x": np.linspace(0, 1, 6), "t": (1.0, 2.0)}, path=tmp_path / "state.json")
    assert again.found.measured == agent.found.measured
    rest = [again.suggest(1)[0] for _ in range(9)]
    places = [(one["x"], one["t"]) for one in (*first[1:], *rest)]
    assert len(set(places)) == 12
    with pytest.raises(SasnetError, match="nothing is left"):
        again.suggest()
    ingested(again, rest)
    assert again.should_stop()[0]
    with pytest.raises(SasnetError, match="other axes"):
        SampleAgent({"y": (0.0, 1.0)}, path=tmp_path / "state.json")
    (tmp_path / "torn.json").write_text('{"axes"')
    with pytest.raises(SasnetError, match="not the state of an agent"):
        SampleAgent({"x": (0.0, 1.0)}, path=tmp_path / "torn.json")


def test_an_outcome_without_an_answer_is_tried_again_once_and_strangers_are_refused() -> None:
    agent = SampleAgent({"x": (0.0, 1.0)})
    (one,) = agent.suggest()
    nothing = {"p a": float("nan"), "in_scope": float("nan")}
    agent.ingest([{"_id": one["_id"], **nothing}])
    (two,) = agent.suggest()
    assert two["x"] == one["x"]
    agent.ingest([{"_id": two["_id"], **nothing}])
    (three,) = agent.suggest()
    assert three["x"] != one["x"]
    with pytest.raises(SasnetError, match="finite value of 'x'"):
        agent.ingest([{"_id": "of someone else", "p a": 1.0}])
    agent.ingest([{"_id": "baseline", "x": 0.1, "p a": 1.0}])
    assert agent.found.measured[-1][0] == 0
    (asked,) = agent.register_suggestions([{"x": 1.0}])
    assert asked["_id"]
    with pytest.raises(SasnetError, match="values that are finite"):
        SampleAgent({"x": (0.0, float("nan"))})


@pytest.mark.slow
def test_the_next_setting_is_the_one_that_tells_what_the_shape_is() -> None:
    """From a Guinier region alone no shape is known: higher q tells it, counting on there does not."""
    rng = np.random.default_rng(2)
    one = sphere(rng, error=0.02)
    low = one["q"] < 0.022
    curve = Curve(one["q"][low], one["intensity"][low], one["dintensity"][low], file="low")
    options = (
        Option("count on", 60.0),
        Option("high q", 60.0, (0.02, 0.25)),
        Option("same again", 60.0, (0.005, 0.02)),
    )
    agent = SettingAgent(options, {"high q": {"distance": 2000.0}}, 60.0, np.random.default_rng(0))
    with pytest.raises(SasnetError, match="begin"):
        agent.suggest()
    agent.begin(curve)
    (best,) = agent.suggest()
    assert best["distance"] == 2000.0
    assert best["count_time"] == 60.0
    assert "high q" in agent.reason(best["_id"])
    bits = {one["name"]: one["bits"] for one in agent.report()["settings"]}
    assert bits["high q"] > 2 * max(bits["count on"], bits["same again"], 0.05)
    assert not agent.should_stop()[0]
    agent.begin(Curve(one["q"], one["intensity"], one["dintensity"], file="all"))
    stop, why = agent.should_stop()
    assert stop, why
    with pytest.raises(SasnetError, match="above 0"):
        Option("none", 0.0)


def test_an_agent_asks_for_the_measurement_that_decides() -> None:
    q = np.geomspace(0.01, 0.14, 60)
    x = 40.0 * q
    clean = 30 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    error = np.sqrt((clean + 0.05) * 2e-4)
    noise = np.random.default_rng(2).standard_normal(q.size)
    curve = Curve(q, clean + error * noise, error, dq=0.045 * q)
    result = sasnet_plugin.fit(
        curve, models=["sphere", "fuzzy_sphere"], structure_factor="none", time_limit=30, workers=1,
        progress=False,
    )  # fmt: skip
    told: list[str] = []
    values = {"2 m": {"distance": 2000.0}, "18 m": {"distance": 18000.0}}
    agent = MeasurementAgent(values, "reactor_sans", tell=told.append)
    with pytest.raises(SasnetError, match="nothing is fitted yet"):
        agent.suggest()
    agent.begin(result)
    (asked,) = agent.suggest()
    # Fuzzy spheres differ in how their intensity falls at high q, not at low q.
    assert asked["distance"] == 2000.0
    assert asked["count_time"] > 0
    assert told[0] == agent.should_stop()[1]
    assert {row["name"] for row in agent.report()["measurements"]} == {"2 m", "18 m"}
    agent.ingest([{**asked, "intensity": 1.0}])
    assert agent.get_best_points()[0][1] == {"distance": 2000.0}
    agent.begin(result)
    assert "fit the new curve together with the earlier ones" in told[-1], "the new curve is not in it"
    with pytest.raises(SasnetError, match="none of the planned measurements has values to set"):
        MeasurementAgent({"5 m": {"distance": 5000.0}}, "reactor_sans").begin(result)


def test_an_agent_that_wants_a_small_error_stops_when_it_is_reached() -> None:
    q = np.geomspace(0.01, 0.14, 60)
    x = 40.0 * q
    clean = 30 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    error = 0.02 * clean + 0.005
    noise = np.random.default_rng(3).standard_normal(q.size)
    result = sasnet_plugin.fit(
        Curve(q, clean + error * noise, error, dq=0.045 * q), models=["sphere"], structure_factor="none",
        time_limit=30, workers=1, progress=False,
    )  # fmt: skip
    agent = MeasurementAgent({"2 m": {"distance": 2000.0}}, "reactor_sans", parameter="radius", aim=0.05)
    agent.begin(result)
    stop, why = agent.should_stop()
    assert stop
    assert why is not None
    assert "is already" in why
