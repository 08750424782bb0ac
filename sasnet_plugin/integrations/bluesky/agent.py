"""Agents for bluesky-adaptive: which sample of a grid comes next, or which setting, and why.

Both are what its plans call an Optimizer (`bluesky_adaptive.protocols`): ``suggest``, ``ingest``,
``get_best_points``, ``register_suggestions``, ``register_failures``, ``should_stop``, ``checkpoint``. Nothing
of it is imported: the protocol is a set of methods.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...batch.steering.phases import Grid, PhaseMap, Suggestion, aspects_of
from ...predict import open_predictor
from ...types import Curve, SasnetError
from ...zoo import bank_path
from .documents import Answered, Documents

if TYPE_CHECKING:
    from bluesky_adaptive.protocols import OptimizationProblem

    from ...batch.steering.settings import Option, Promise
    from ...fitting.result.fit_result import FitResult
    from ...fitting.result.sample_result import SampleResult
    from ...planning.next_measurement import Plan


# --- Agents for bluesky-adaptive: which sample of a grid comes next, or which setting, and why.

ID = "_id"
Point = Mapping[str, Any]


@dataclass
class SampleAgent:
    """Finds the boundaries of phases in a grid of samples with few measurements.

    Parameters
    ----------
    axes : mapping of str to sequence of float
        What is set, by the names of the actuators, with its values.
    found : PhaseMap
        What is known; made of the axes.
    tell : callable
        Told of each suggestion, in a sentence.
    path : Path or None
        Where `checkpoint` keeps what was measured; what lies there is taken up.
    """

    axes: Mapping[str, Sequence[float]]
    tell: Callable[[str], None] | None = None
    path: Path | None = None
    found: PhaseMap = field(init=False)
    _waiting: dict[Any, tuple[int, str]] = field(default_factory=dict)
    _outcomes: dict[int, tuple[Any, Point]] = field(default_factory=dict)
    _count: int = 0

    def __post_init__(self) -> None:
        self.found = PhaseMap(Grid({name: tuple(values) for name, values in self.axes.items()}))
        if self.path is not None and Path(self.path).exists():
            self._take_up(Path(self.path))

    # --- what plans call ---

    def suggest(self, num_points: int | None = None) -> list[dict[str, Any]]:
        """The samples to measure next, the best first.

        Raises
        ------
        SasnetError
            All are measured, or under way.
        """
        chosen: list[dict[str, Any]] = []
        for _ in range(num_points or 1):
            suggested_place = self.found.suggest([place for place, _ in self._waiting.values()])
            if suggested_place is None:
                break
            chosen.append(
                self._register_sample(self.found.grid.point(suggested_place.place), suggested_place)
            )
        if not chosen:
            raise SasnetError(
                "every sample of the grid is measured or under way; nothing is left to suggest."
            )
        return chosen

    def register_suggestions(self, suggestions: Sequence[Point]) -> list[dict[str, Any]]:
        """Samples that someone else has chosen, each with an id."""
        found_suggestions = []
        for point in suggestions:
            place = self.found.grid.place(point)
            chosen = Suggestion(place, math.nan, f"{self.found.grid.words(place)}: as requested.")
            found_suggestions.append(self._register_sample({name: point[name] for name in self.axes}, chosen))
        return found_suggestions

    def ingest(self, points: Sequence[Point]) -> None:
        """Take what was measured: outcomes with the ``_id`` of a suggestion, or with the values of the axes.

        An outcome without an answer, as of a curve that cannot be read, leaves its sample to be suggested
        again once; when that fails, too, it is left out.

        Raises
        ------
        SasnetError
            An outcome has neither an id that was given nor the axes.
        """
        for point in points:
            waiting = self._waiting.pop(point.get(ID), None)
            place = self.found.grid.place(point) if waiting is None else waiting[0]
            shares = aspects_of(point)
            if shares:
                self.found.take(place, shares)
                self._outcomes[place] = point.get(ID), _outcome(point, self.axes)
            elif place in self._outcomes:
                self.found.failed.add(place)
            else:
                self._outcomes[place] = point.get(ID), {}

    def register_failures(self, suggestions: Sequence[Point]) -> None:
        """Suggestions that were not measured, as of an aborted scan; they may come again."""
        for point in suggestions:
            self._waiting.pop(point.get(ID), None)

    def get_best_points(self) -> list[tuple[Any, dict[str, float], dict[str, Any]]]:
        """Measured samples beside a boundary: id, values of the axes, outcome."""
        grid = self.found.grid
        phases, _ = self.found.phases()
        boundary_places = {
            int(k) for pair in grid.neighbours if phases[pair[0]] != phases[pair[1]] for k in pair
        }
        measured = set(dict(self.found.measured))
        chosen = sorted(boundary_places & measured) or sorted(measured)
        return [(self._outcomes[k][0], grid.point(k), dict(self._outcomes[k][1])) for k in chosen]

    def should_stop(self) -> tuple[bool, str | None]:
        """Whether more samples would hardly change the map, and why."""
        return self.found.assess_convergence()

    def report(self) -> dict[str, Any]:
        """Where it stands: phases of all samples with their probabilities, boundaries, what is under way."""
        grid = self.found.grid
        phases, sure = self.found.phases()
        is_done, sentence = self.found.assess_convergence()
        return {
            "measured": len(self.found.measured), "samples": len(grid),
            "settled": is_done and not self.found.find_undecided(), "says": sentence,
            "open_bits": float(self.found.open_bits().sum()),
            "undecided": [grid.point(k) for k in self.found.find_undecided()],
            "phases": [
                {**grid.point(k), "phase": phases[k], "probability": float(sure[k])} for k in range(len(grid))
            ],
            "boundaries": [
                {
                    "between": list(boundary.between), "phases": list(boundary.phases),
                    "probability": boundary.probability,
                }
                for boundary in self.found.boundaries()
            ],
            "under_way": [{ID: name, "reason": reason} for name, (_, reason) in self._waiting.items()],
        }  # fmt: skip

    def reason(self, name: Any) -> str:
        """Why a suggestion was made that is not measured yet, by its id; empty for others."""
        return self._waiting[name][1] if name in self._waiting else ""

    def checkpoint(self) -> None:
        """Keep what was measured.

        Raises
        ------
        SasnetError
            No path was given, or it cannot be written.
        """
        from ...files import put_whole

        if self.path is None:
            raise SasnetError("the agent has no path for its state; give a path when you create it.")
        state = {
            "axes": {name: list(values) for name, values in self.found.grid.axes.items()},
            "count": self._count,
            "measured": [[place, shares] for place, shares in self.found.measured],
            "outcomes": [[place, *outcome] for place, outcome in self._outcomes.items()],
        }
        put_whole(Path(self.path), json.dumps(state).encode(), "state of the agent")

    # --- inside ---

    def _register_sample(self, point: Mapping[str, Any], chosen: Suggestion) -> dict[str, Any]:
        self._count += 1
        name = f"sample-{self._count}"
        self._waiting[name] = chosen.place, chosen.reason
        if self.tell is not None:
            self.tell(chosen.reason)
        return {ID: name, **point}

    def _take_up(self, path: Path) -> None:
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            axes = {name: tuple(values) for name, values in state["axes"].items()}
            measured = [(int(place), shares) for place, shares in state["measured"]]
            outcomes = {int(place): (name, outcome) for place, name, outcome in state["outcomes"]}
            count = int(state["count"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SasnetError(
                f"{path}: is not the state of an agent; name another file, or remove it."
            ) from error
        if axes != self.found.grid.axes:
            raise SasnetError(f"{path}: belongs to a grid with other axes; name another file, or remove it.")
        self.found.measured, self._outcomes, self._count = measured, outcomes, count


def _outcome(point: Point, axes: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured, as JSON can say it."""
    rest = {name: value for name, value in point.items() if name != ID and name not in axes}
    return {k: v.item() if hasattr(v, "item") else v for k, v in rest.items()}


@dataclass
class SettingAgent:
    """Says in which setting to go on with a sample, and how long, until its answer is settled.

    Parameters
    ----------
    values : mapping of str to mapping
        What is set for each option, by its name: values of the actuators, as ``{"distance": 8000.0}``.
    seconds : float
        Counting time of the first curve.
    time : str
        Name of the actuator that counts; the suggestion holds its seconds.
    """

    options: Sequence[Option]
    values: Mapping[str, Mapping[str, Any]]
    seconds: float
    rng: np.random.Generator
    time: str = "count_time"
    tell: Callable[[str], None] | None = None
    _curve: Curve | None = None
    _promises: list[Promise] = field(default_factory=list)
    _given: dict[Any, Promise] = field(default_factory=dict)
    _taken: list[tuple[Any, Point]] = field(default_factory=list)
    _count: int = 0

    def begin(self, curve: Curve, seconds: float | None = None) -> None:
        """Take what is measured of the sample so far, counted for so many seconds."""
        self._curve, self._promises = curve, []
        self.seconds = self.seconds if seconds is None else seconds

    def suggest(self, num_points: int | None = None) -> list[dict[str, Any]]:
        """The settings that promise the most bits per second, the best first.

        Raises
        ------
        SasnetError
            Nothing is measured yet, or it resembles nothing that the network knows.
        """
        suggestions = []
        for advice in self._advise()[: num_points or 1]:
            self._count += 1
            name = f"setting-{self._count}"
            self._given[name] = advice
            if self.tell is not None:
                self.tell(advice.reason)
            suggestions.append(
                {ID: name, **self.values.get(advice.option.name, {}), self.time: advice.option.seconds}
            )
        return suggestions

    def ingest(self, points: Sequence[Point]) -> None:
        """Take outcomes; the curve itself comes by `begin`, as outcomes are numbers."""
        self._taken += [(point.get(ID), dict(point)) for point in points]
        self._promises = []

    def get_best_points(self) -> list[tuple[Any, dict[str, Any], dict[str, Any]]]:
        """What was measured: id, values that were set, outcome; the surest answer first."""
        ranked = sorted(self._taken, key=lambda pair: -float(pair[1].get("model_probability") or 0.0))
        return [
            (name, dict(self.values.get(self._given[name].option.name, {})), dict(outcome))
            for name, outcome in ranked
            if name in self._given
        ]

    def should_stop(self) -> tuple[bool, str | None]:
        """Whether no setting promises much more."""
        from ...batch.steering.settings import SETTINGS

        best = max(self._advise(), key=lambda advice: advice.bits)
        return best.bits < SETTINGS.worth, best.reason

    def report(self) -> dict[str, Any]:
        """What each setting promises."""
        return {
            "settings": [
                {
                    "name": advice.option.name, "seconds": advice.option.seconds, "bits": advice.bits,
                    "bits_per_second": advice.bits / advice.option.seconds, "reason": advice.reason,
                }
                for advice in self._advise()
            ]
        }  # fmt: skip

    def reason(self, name: Any) -> str:
        """Why a setting was suggested, by the id of the suggestion."""
        return self._given[name].reason if name in self._given else ""

    def _advise(self) -> list[Promise]:
        from ...batch.steering.settings import promises
        from ...simulate.bank import Bank

        if self._curve is None:
            raise SasnetError("no curve of the sample is measured yet; measure one, and give it to begin().")
        if not self._promises:
            self._promises = promises(
                self._curve, self.seconds, self.options, open_predictor(), Bank(bank_path()), self.rng
            )
        return self._promises


@dataclass
class MeasurementAgent:
    """Says which measurement decides between the models that fit a sample, until one of them leads.

    It asks `planning.next_measurement`, as ``sasnet next`` does.

    Parameters
    ----------
    values : mapping of str to mapping
        What is set for each measurement, by the name that the plan has for it, such as
        ``{"6 m, in H2O": {"distance": 6000.0, "cell": 2}}``; one that is not in it cannot be made.
    instrument : str or Path
        Settings with their rates, as for ``sasnet next --instrument``.
    solvents : sequence of str
        Solvents that are at hand.
    aim, parameter, exchange, changes
        As for `next_measurement`; the agent stops when the aim is reached.
    seconds : float
        Counting time of the figures of a plan.
    time : str
        Name of the actuator that counts; the suggestion holds its seconds.
    """

    values: Mapping[str, Mapping[str, Any]]
    instrument: str | Path
    solvents: Sequence[str] = ()
    aim: float | None = None
    seconds: float = 600.0
    time: str = "count_time"
    tell: Callable[[str], None] | None = None
    parameter: str | None = None
    exchange: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    _plan: Plan | None = None
    _earlier: Plan | None = None
    _given: dict[Any, str] = field(default_factory=dict)
    _taken: list[tuple[Any, Point]] = field(default_factory=list)

    def begin(self, result: FitResult | SampleResult) -> None:
        """Plan from the fits of what is measured so far; `tell` is told whether an earlier plan held."""
        from ...planning.next_measurement import next_measurement
        from ...planning.options import plan_options

        asked = {
            "aim": self.aim, "instrument": str(self.instrument), "time": self.seconds,
            "parameter": self.parameter, "exchange": self.exchange, "changes": self.changes,
            "earlier": self._earlier and self._earlier.as_dict(),
        }  # fmt: skip
        plan = next_measurement(result, solvents=self.solvents, only=self.values, **plan_options(asked))
        if self._earlier is not None and self.tell is not None:
            self.tell(plan.notes[0])
        self._plan = plan

    def suggest(self, num_points: int | None = None) -> list[dict[str, Any]]:
        """The measurements that decide soonest, the best first.

        Raises
        ------
        SasnetError
            Nothing is fitted yet, or none of the plan's measurements has values.
        """
        plan = self._planned()
        suggestions = []
        for ranked in plan.ranked[: num_points or 1]:
            name = f"measurement-{len(self._given) + 1}"
            self._given[name] = ranked.name
            goal = ranked.at_aim or ranked.outlook
            if self.tell is not None:
                self.tell(plan.lines()[1])
            suggestions.append({ID: name, **self.values[ranked.name], self.time: goal.time})
        return suggestions

    def ingest(self, points: Sequence[Point]) -> None:
        """Take outcomes; the fits that include the new curve come by `begin`."""
        self._taken += [(point.get(ID), dict(point)) for point in points]
        self._earlier, self._plan = self._plan or self._earlier, None

    def register_failures(self, suggestions: Sequence[Point]) -> None:
        """Measurements that were not made; they may come again."""
        for point in suggestions:
            self._given.pop(point.get(ID), None)

    def get_best_points(self) -> list[tuple[Any, dict[str, Any], dict[str, Any]]]:
        """What was measured: id, values that were set, outcome; the last first."""
        return [
            (name, dict(self.values[self._given[name]]), dict(outcome))
            for name, outcome in reversed(self._taken)
            if name in self._given
        ]

    def should_stop(self) -> tuple[bool, str | None]:
        """Whether a model leads with the probability asked for, or no measurement would decide."""
        plan = self._planned()
        return plan.is_reached or plan.recommended is None, plan.lines()[1]

    def report(self) -> dict[str, Any]:
        """The plan, as ``sasnet next --json`` prints it."""
        return self._planned().as_dict()

    def _planned(self) -> Plan:
        if self._plan is None:
            raise SasnetError("nothing is fitted yet; fit what is measured, and give the result to begin().")
        return self._plan


# --- From a scan to outcomes: what was answered of its events, by the ids of the suggestions.

#: Where bluesky-adaptive's default plan writes the ids in the order in which it measured.
ORDER = "blop_acquisition_order"


def problem(
    agent: Any, actuators: Sequence[Any], sensors: Sequence[Any], documents: Documents
) -> OptimizationProblem[Any]:
    """What the plans of bluesky-adaptive take: ``RE(optimize(problem(…), iterations=…))``.

    Parameters
    ----------
    actuators, sensors : sequence
        Devices of Bluesky; an actuator is called as what it sets.
    documents : Documents
        Subscribed to the RunEngine.
    """
    from bluesky_adaptive.protocols import OptimizationProblem

    return OptimizationProblem(agent, actuators, sensors, Evaluation(documents))


@dataclass(frozen=True)
class Evaluation:
    """What a plan of bluesky-adaptive asks of a scan."""

    documents: Documents  #: Subscribed to the RunEngine.
    #: Whose events are the curves of the suggestions, one of each, in the order of the scan.
    stream: str = "primary"

    def __call__(self, uid: Any, suggestions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return an outcome for each suggestion of a run, or of runs in the order measured. Raises
        SasnetError unless each has one event with a curve.
        """
        if isinstance(uid, str):
            order = list(
                self.documents.start_of(uid).get(ORDER, [suggestion[ID] for suggestion in suggestions])
            )
            events = [
                suggestion for suggestion in self.documents.answers(uid) if suggestion.stream == self.stream
            ]
        else:
            order = list(uid)
            events = [
                suggestion for suggestion in self.documents.answers() if suggestion.stream == self.stream
            ][-len(order) :]
        if len(events) != len(order):
            raise SasnetError(
                f"the scan has {len(events)} events with a curve for {len(order)} suggestions."
                f" Subscribe the Documents to the RunEngine, and write one curve for each suggestion"
                f" into the stream {self.stream!r}."
            )
        by_id: dict[Any, Answered] = dict(zip(order, events, strict=True))
        return [{ID: suggestion[ID], **by_id[suggestion[ID]].outcome} for suggestion in suggestions]
