"""``next_measurement``: rank measurements by what they would decide between the models that are left."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from ..arrays import Floats
from ..data.sample.kind import CALIBRATION
from ..data.sample.sample import MAGNETIC, SECTORS
from ..digits import align_columns, format_with_error, join_names, quantity, significant
from ..fitting.result.components import bare
from ..fitting.result.fit_result import FitResult
from ..fitting.result.model_fit import ModelFit
from ..fitting.result.sample_result import JointFit, SampleResult
from ..model_free import Guinier
from ..types import Curve, SasnetError, sum_parts
from . import sentences
from .forecast_errors import draw_places, forecast_errors
from .match_points import (
    MatchPoint,
    match_point_of_models,
    match_point_of_series,
    match_points_of_parts,
)
from .measurements import (
    WATERS,
    Measurement,
    exposure_of,
    find_flat_level,
    list_solvents,
    move_detector,
    read_instrument,
    water_level,
)
from .options import check_aim, check_time, list_conflicts
from .outlook import Outlook, foresee, replace_errors
from .prediction import prediction_held
from .rivals import Rival
from .sentences import percent

#: Least probability of a model that counts as possible, and how many are compared at most.
LEAST_WEIGHT, MOST_RIVALS = 0.01, 4
#: Draws of each rival's parameters, and of them those for the first look.
DRAWS, SCREENING_DRAWS = 4, 2
#: Of the time asked for, the longest and the shortest that are considered.
LONGEST, SHORTEST = 64.0, 1 / 16
#: Measurements whose time is searched, and to which factor.
_SEARCHED, _FINE = 3, 1.2
#: Times that the errors of the best are compared with those that a fit would report, and the factor that ends
#: this.
_ROUNDS, _AGREE = 3, 1.1
#: Probability above which a model's error counts enough in the mean to be fitted for.
_COUNTS = 0.1
#: Root of χ² below which two models count as the same curve.
_SAME = 0.5
#: Factors of the detector distance's inverse that are offered without a description of the instrument.
_OTHER_Q = (0.4, 2.5)
_DILUTED = 0.25
#: Factor by which the time is shortened to see which of several measurements decides sooner.
_SHORTER = 4.0
#: Of a time limit, what the fits may take before the plan has the rest.
FIT_SHARE = 0.8
#: Seconds in which what is under way may still end when the time is up.
_GRACE = 3.0
#: Errors of a match point's volume fraction from which on it says nothing.
_VAGUE = 0.2


@dataclass(frozen=True)
class Ranked:
    """A measurement in a plan."""

    outlook: Outlook  #: At the plan's time.
    #: After which the aim is reached, in the plan's unit; infinite where it is not within the longest; None
    #: where it was not searched for.
    time_to_aim: float | None = None
    at_aim: Outlook | None = None  #: At that time.
    at_longest: Outlook | None = None  #: Where the aim is not reached.

    @property
    def final(self) -> Outlook:
        """Where the search for its time has ended; at the plan's time where there was none."""
        return self.at_aim or self.at_longest or self.outlook

    def replace_final(self, look: Outlook) -> Ranked:
        """The same with another outlook where the search for its time has ended."""
        return replace(self, at_aim=look) if self.at_aim else replace(self, at_longest=look)

    def raise_chances(self, least: float) -> Ranked:
        """The same with no chance below this."""

        def limit(look: Outlook | None) -> Any:
            return look and replace(look, chance=max(look.chance, least))

        found = map(limit, (self.outlook, self.at_aim, self.at_longest))
        return Ranked(next(found), self.time_to_aim, *found)

    @property
    def name(self) -> str:
        return self.outlook.measurement.name


@dataclass(frozen=True)
class Plan:
    """Which measurement to make next."""

    ranked: tuple[Ranked, ...]  #: The best first.
    rivals: Mapping[str, float]  #: Models that are left, with their probability so far.
    aim: float  #: Chance asked for, 0..1; of a parameter its relative standard deviation.
    parameter: str | None  #: Whose error is to be small; None: the right model is to lead.
    now: float  #: The same before the measurement: the leading model's probability, or the relative error.
    time: float  #: Of the table's figures.
    seconds: bool  #: Whether times are seconds; else multiples of the present measurement's.
    unit: str = ""
    notes: tuple[str, ...] = ()
    #: I(q) that each rival predicts for the recommended measurement, with its standard deviation.
    predictions: Mapping[str, Floats] = field(default_factory=dict)
    error: Floats | None = None
    files: tuple[str, ...] = ()  #: Of the curves that it follows.
    settled: str = ""  #: Why nothing is left to decide; there are then no measurements.

    @property
    def is_reached(self) -> bool:
        """Whether the aim is reached without another measurement."""
        return self.now >= self.aim if self.parameter is None else self.now <= self.aim

    @property
    def recommended(self) -> Ranked | None:
        """The measurement that reaches the aim in the shortest time; None where none does."""
        first = self.ranked[0] if self.ranked else None
        return first if first and first.time_to_aim is not None and math.isfinite(first.time_to_aim) else None

    def lines(self) -> list[str]:
        """The answer: what is known, what to measure, notes."""
        shares = ", ".join(f"{name} {percent(share)}" for name, share in self.rivals.items())
        return [sentences.NOW(models=shares), self._answer(), *self.notes, *self._explanations()]

    def _explanations(self) -> Iterator[str]:
        if any(each.time_to_aim is None and not self._reaches(each) for each in self.ranked):
            yield sentences.SEARCHED(aim=self._aim_share(), count=_SEARCHED)
        errors = self.ranked[0].outlook.errors if self.ranked else {}
        models = [model for model, name in errors if name == self.parameter]
        if models[1:]:
            yield sentences.MEAN_OF_MODELS(parameter=self.parameter, models=join_names(models))

    def table(self) -> list[list[str]]:
        """Cells of the ranking, the header first."""
        head = "likeliest is right" if self.parameter is None else f"error of {self.parameter}"
        goal = self._aim_share()
        rows = [["measurement", "time", head, f"time to {goal}"]]
        return rows + [
            [each.name, self.time_text(self.time), self._figure(each.outlook), self._aim_text(each)]
            for each in self.ranked
        ]

    def __str__(self) -> str:
        return "\n".join([*self.lines(), "", *align_columns(self.table(), indent="")])

    def __repr__(self) -> str:
        return f"<Plan of {len(self.ranked)} measurements>\n{self}"

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.table()
        )
        return f"<p>{escape(' '.join(self.lines()))}</p><table>{rows}</table>"

    def as_dict(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        best = self.recommended
        return {
            "files": list(self.files),
            "rivals": dict(self.rivals),
            "aim": self.aim,
            "for": self.parameter,
            "now": self.now,
            "recommended": best.name if best else None,
            "unit_of_time": "s" if self.seconds else "present measurement",
            "measurements": [self._row(each) for each in self.ranked],
            "predictions": self._predicted(),
            "notes": list(self.notes),
        }

    def _row(self, ranked: Ranked) -> dict[str, Any]:
        look = ranked.outlook
        finite = ranked.time_to_aim is not None and math.isfinite(ranked.time_to_aim)
        return {
            "name": ranked.name,
            "time": self.time,
            "chance": look.chance,
            "value": look.value,
            "error": look.error,
            "time_to_aim": ranked.time_to_aim if finite else None,
            "searched": ranked.time_to_aim is not None,
            "differences": [
                {"right": a, "other": b, "root_chisq": gap} for (a, b), gap in look.differences.items()
            ],
        }

    def _predicted(self) -> dict[str, Any] | None:
        if not self.predictions or self.error is None:
            return None
        final = self.ranked[0].final
        curve = final.measurement.curve
        return {
            "measurement": self.ranked[0].name,
            "time": final.time,
            "chance": final.chance,
            "solvent": final.measurement.solvent,
            "q": curve.q.tolist(),
            "error": self.error.tolist(),
            "intensity": {name: values.tolist() for name, values in self.predictions.items()},
        }

    def time_text(self, time: float) -> str:
        """A counting time for people."""
        if self.seconds:
            return sentences.SECONDS(seconds=significant(time, 2))
        return sentences.TIMES(factor=significant(time, 2))

    def _answer(self) -> str:
        if not self.ranked:
            return self.settled
        best = self.ranked[0]
        goal = best.final
        if self.is_reached and math.isfinite(goal.time):
            return self._say_reached(best)
        if best.time_to_aim is None and not self._reaches(best):
            return sentences.NOT_SEARCHED(measurement=best.name, aim=self._aim_share())
        is_reaching = self.recommended is not None or best.time_to_aim is None
        if self.parameter is None:
            chance = self._chance_text(goal.chance)
            said = {"measurement": best.name, "chance": chance, "now": percent(self.now)}
            if not is_reaching:
                return sentences.NOTHING_DECIDES(time=self.time_text(goal.time), **said)
            return sentences.MEASURE_NEXT(time=self.time_text(goal.time), **said)
        value = goal.value or 0.0
        error, now = (
            quantity(float(significant(e, 2)), self.unit)
            for e in (goal.error or math.nan, self.now * abs(value))
        )
        common = {"measurement": best.name, "time": self.time_text(goal.time), "error": error, "now": now}
        if not is_reaching:
            return sentences.NOTHING_IS_PRECISE(aim=self._aim_share(), parameter=self.parameter, **common)
        return sentences.MEASURE_FOR_ERROR(parameter=self.parameter, **common)

    def _say_reached(self, best: Ranked) -> str:
        if self.parameter is None:
            leader = max(self.rivals, key=lambda name: self.rivals[name])
            said = sentences.REACHED(model=leader, now=percent(self.now), aim=self._aim_share())
            look = best.outlook  # after the shortest time that reaches the aim, nothing more is decided
            if look.chance <= self.now or percent(look.chance) == percent(self.now):
                return said
            return f"{said} " + sentences.DECIDE_MORE(
                measurement=best.name, time=self.time_text(look.time), chance=percent(look.chance)
            )
        now = quantity(float(significant(self.now * abs(best.final.value or 0.0), 2)), self.unit)
        return sentences.REACHED_ERROR(parameter=self.parameter, now=now, aim=self._aim_share())

    def _figure(self, look: Outlook) -> str:
        if self.parameter is None:
            return self._chance_text(look.chance)
        return "–" if look.error is None else quantity(float(significant(look.error, 2)), self.unit)

    def _chance_text(self, chance: float) -> str:
        text = percent(chance)
        if chance >= self.aim or text != percent(self.aim):
            return text
        return f"{math.floor(1000 * chance) / 10:g} %"  # not rounded up to an aim that is missed

    def _aim_text(self, ranked: Ranked) -> str:
        if ranked.time_to_aim is None:
            return str(sentences.AT_MOST(time=self.time_text(self.time))) if self._reaches(ranked) else "–"
        if math.isinf(ranked.time_to_aim):
            return f"over {self.time_text(LONGEST * self.time)}"
        time = self.time_text(ranked.time_to_aim)
        return str(sentences.AT_MOST(time=time)) if ranked.time_to_aim <= SHORTEST * self.time else time

    def _reaches(self, ranked: Ranked) -> bool:
        return _reaches(ranked.outlook, self.parameter, self.aim)

    def _aim_share(self) -> str:
        return f"{significant(100 * self.aim, 4)} %"


def next_measurement(
    result: FitResult | SampleResult,
    *,
    parameter: str | None = None,
    aim: float | None = None,
    solvents: Sequence[str] | None = None,
    exchange: Mapping[str, str] | None = None,
    instrument: str | Path | None = None,
    changes: Mapping[str, Mapping[str, float]] | None = None,
    time: float | None = None,
    earlier: Plan | Mapping[str, Any] | None = None,
    only: Collection[str] | None = None,
    rng: np.random.Generator | None = None,
    progress: Callable[[int, int], None] | None = None,
    ended: Callable[[], bool] = bool,
    time_limit: float | None = None,
) -> Plan:
    """Rank the measurements that could follow by what they would decide.

    Parameters
    ----------
    result : FitResult or SampleResult
        Fits of what was measured so far.
    parameter : str, optional
        Plan for a small error of this parameter; default: for the right model to lead.
    aim : float, optional
        Chance that the likeliest model is right, default 0.95; with `parameter` its relative error,
        default 0.01.
    solvents : sequence of str, optional
        That are possible, such as ``40%D2O``, compared only where the present one is known; default: in water
        mixtures of H2O and D2O.
    exchange : mapping of str to str, optional
        Materials of parts that exchange hydrogen with water, by their parameter, labile hydrogen as ``H[1]``:
        ``{"sld_shell": "C6H7H[1]3O5@1.5"}``.
    instrument : str or Path, optional
        A TOML file of settings, or the name of an example (`measurements.examples`); without one, the present
        instrument with its detector closer and further away.
    changes : mapping of str to mapping, optional
        Other samples: by a name, the parameters that they change, such as a deuterated core:
        ``{"deuterated core": {"sld_core": 6.2}}``.
    time : float, optional
        Of the figures: s with an instrument (default 600), else multiples of the present measurement's time
        (default 1).
    earlier : Plan or its `as_dict`, optional
        That the newest curve followed: a note says whether it held.
    only : collection of str, optional
        Names of the measurements that can be made; default: all.
    rng : numpy.random.Generator, optional
        For draws of the parameters; default: the same at every call.
    progress : callable, optional
        Is called with the number of measurements done and of all.
    ended : callable, optional
        Returns true when the user has enough; the plan then holds what was calculated.
    time_limit : float, optional
        Seconds after which the plan holds what was calculated.

    Raises
    ------
    SasnetError
        No model was fitted; unknown parameter, material or instrument; no time for any measurement.
    """
    clock = _Clock(ended, time_limit)
    try:
        solvents, missing = _choose_solvents(result, solvents)
        exchange, changes = exchange or {}, changes or {}
        _check_names(result, [*exchange, *(name for values in changes.values() for name in values)])
        rivals, notes = _rivals(result, clock, needs_densities=bool(solvents))
        settled, held = _settle(result, rivals, parameter), _compare(earlier, result)
        notes = [held, *notes, *_list_conflicts(result, rivals[0], exchange)]
        offers = _select(_list_offers(result, solvents, exchange, instrument, changes), only)
        question = _Question(parameter, _goal(aim, parameter), _unit_time(time, instrument), clock.is_over)
        shares = {rival.short_name: rival.weight for rival in rivals}
        points: list[str] = []
        with suppress(_NoTimeError):
            points = _match_points(result, rivals, exchange, solvents)
        if settled:
            if not (held or points):
                raise SasnetError(settled)
            return Plan(
                (), shares, question.goal, None, max(shares.values()), question.time, False,
                notes=tuple(filter(None, [held, *points])), settled=settled, files=_files(result),
            )  # fmt: skip
        generator = rng or np.random.default_rng(0)
        draws = _draw(rivals, generator)
        ranked = _rank(rivals, draws, offers, question, progress)
        ranked = _forecast(result, rivals, draws, question, generator, ranked)
        notes += [*_same(rivals, ranked), *points, missing, question.note_end(len(ranked), len(offers))]
        now, unit = _now(rivals, parameter)
        # On average no measurement makes it less likely that the likeliest model is right; pairs of models
        # that nothing decides between are calculated as if there were noise.
        ranked = [each.raise_chances(_now(rivals, None)[0]) for each in ranked]
        plan = Plan(
            tuple(ranked), shares, question.goal, parameter, now, question.time, instrument is not None, unit,
            tuple(filter(None, notes)), files=_files(result),
        )  # fmt: skip
        with suppress(_NoTimeError):
            plan = _add_predictions(plan, rivals)
        return plan
    except _NoTimeError:
        raise SasnetError(sentences.NO_TIME()) from None


class _NoTimeError(Exception):
    """There is no time to calculate another curve."""


class _Clock:
    """When a plan ends: with the user's wish or its time limit, and some seconds later in any calculation."""

    def __init__(self, ended: Callable[[], bool], time_limit: float | None) -> None:
        self._ended, self._since = ended, math.inf
        self._until = monotonic() + (math.inf if time_limit is None else time_limit)

    def is_over(self) -> bool:
        over = self._ended() or monotonic() > self._until
        self._since = min(self._since, monotonic()) if over else math.inf
        return over

    def check(self) -> None:
        """Raise `_NoTimeError` if what was under way at the end was not done soon after it."""
        if self.is_over() and monotonic() > self._since + _GRACE:
            raise _NoTimeError


def _draw(rivals: Sequence[Rival], rng: np.random.Generator) -> list[list[Floats]]:
    return [rival.draws(DRAWS, rng) for rival in rivals]


@dataclass(frozen=True)
class _Question:
    """What a plan is asked for."""

    parameter: str | None
    goal: float
    time: float
    ended: Callable[[], bool]

    def note_end(self, done: int, of: int) -> str:
        return sentences.ENDED(done=done, of=of) if self.ended() else ""

    def order(self, ranked: Ranked) -> tuple[float, bool, float]:
        """What the best is sorted by."""
        return _order(ranked, self.parameter)


def _be_silent(done: int, of: int) -> None:
    """No progress is shown."""


def _unit_time(time: float | None, instrument: str | Path | None) -> float:
    return check_time(time if time is not None else (1.0 if instrument is None else 600.0))


def _rank(
    rivals: Sequence[Rival],
    draws: Sequence[Sequence[Floats]],
    offers: Sequence[Measurement],
    question: _Question,
    progress: Callable[[int, int], None] | None,
) -> list[Ranked]:
    """All offers at the plan's time, and for the best of them the time to the aim."""
    total, looks, tell = len(offers) + _SEARCHED, list[Outlook](), progress or _be_silent
    first_draws = [each[:SCREENING_DRAWS] for each in draws]

    def look_at(measurement: Measurement, time: float) -> Outlook:
        return foresee(rivals, first_draws, measurement, time, question.parameter)

    with suppress(_NoTimeError):
        for measurement in offers:
            if question.ended() and looks:
                break
            looks.append(look_at(measurement, question.time))
            tell(len(looks), total)
    if not looks:
        raise _NoTimeError
    with suppress(_NoTimeError):
        looks = _sort_by_time(looks, question, look_at, question.time)
    ranked = [Ranked(look) for look in looks]
    with suppress(_NoTimeError):
        for i, look in enumerate(looks[:_SEARCHED]):
            if question.ended():
                break
            ranked[i] = _search_time(rivals, draws, look, question)
            tell(len(offers) + i + 1, total)
    return sorted(ranked, key=question.order)


def _forecast(
    result: FitResult | SampleResult,
    rivals: Sequence[Rival],
    draws: Sequence[Sequence[Floats]],
    question: _Question,
    rng: np.random.Generator,
    ranked: list[Ranked],
) -> list[Ranked]:
    if question.parameter is None:
        return ranked
    with suppress(_NoTimeError):
        forecast = _Forecast(result, rivals, draws, question, rng)
        return forecast.confirm(forecast.rank(ranked))
    return ranked


def _compare(earlier: Plan | Mapping[str, Any] | None, result: FitResult | SampleResult) -> str:
    return prediction_held(earlier.as_dict() if isinstance(earlier, Plan) else earlier, result)


def _list_conflicts(result: FitResult | SampleResult, rival: Rival, exchange: Mapping[str, str]) -> list[str]:
    following = result.sample.ties if isinstance(result, SampleResult) else {}
    parameters = {name: p for name, p in rival.fit.parameters.items() if name not in following}
    return list_conflicts(exchange, present_solvent(result), parameters)


class _Forecast:
    """Errors of a parameter as fits would report them, for measurements whose time was searched."""

    def __init__(
        self,
        result: FitResult | SampleResult,
        rivals: Sequence[Rival],
        draws: Sequence[Sequence[Floats]],
        question: _Question,
        rng: np.random.Generator,
    ) -> None:
        self._result, self._rivals, self._draws, self._question = result, rivals, draws, question
        self._name, self._seed = question.parameter or "", int(rng.integers(2**32))
        counted = (rival for rival in rivals if rival.weight > _COUNTS)
        self._places = [(rival, draw_places(result, rival, rng)) for rival in counted]

    def rank(self, ranked: Sequence[Ranked]) -> list[Ranked]:
        """All with the time to the aim by these errors; more are searched where none reaches it."""
        found = sorted(map(self._revise, ranked), key=self._question.order)
        for one in [each for each in found if each.time_to_aim is None][:_SEARCHED]:
            if found[0].time_to_aim != math.inf or self._question.ended():
                break
            others = (each for each in found if each is not one)
            found = sorted([*others, self._revise(self._search(one))], key=self._question.order)
        return found

    def _revise(self, ranked: Ranked) -> Ranked:
        if ranked.time_to_aim is None or self._question.ended():
            return ranked
        self._learn(ranked.final)
        found = self._search(ranked)
        return ranked if self._question.ended() else found

    def confirm(self, ranked: Sequence[Ranked]) -> list[Ranked]:
        """The ranking once the errors of the first are those that fits would report at its very time."""
        # Of several times and measurements the one is first whose errors are by chance too small.
        best, *others = ranked
        for i in range(_ROUNDS):
            if best.time_to_aim is None or self._question.ended():
                break
            reported, agrees = self._learn(best.final)
            final = replace_errors(best.final, self._rivals, self._name, reported)
            if agrees or (i + 1 == _ROUNDS and _reaches(final, self._name, self._question.goal)):
                return [best.replace_final(final), *others]
            best, *others = sorted([self._search(best), *others], key=self._question.order)
        return [best, *others]

    def _learn(self, final: Outlook) -> tuple[dict[str, float], bool]:
        # By rivals' names what a fit would report; and whether it is what was foreseen.
        reported, ratios = {}, []
        for rival, places in self._places:
            foreseen = final.errors.get((rival.short_name, self._name))
            if foreseen is not None:
                rng = np.random.default_rng(self._seed)  # the same noise, so that times compare
                found = forecast_errors(
                    self._result, rival, places, final.measurement, final.time, rng, self._question.ended
                )
                if self._name in found:
                    error = reported[rival.short_name] = found[self._name]
                    ratios.append(rival.learn_error(final.measurement.name, self._name, foreseen, error))
        return reported, all(1 / _AGREE < ratio < _AGREE for ratio in ratios)

    def _search(self, ranked: Ranked) -> Ranked:
        old, name = ranked.outlook, self._question.parameter
        look = foresee(self._rivals, self._draws, old.measurement, old.time, name)
        return _search_time(self._rivals, self._draws, look, self._question)


def _sort_by_time(
    looks: Sequence[Outlook],
    question: _Question,
    look_at: Callable[[Measurement, float], Outlook],
    time: float,
) -> list[Outlook]:
    """The best first: of those that reach the aim, the ones that would in less than `time` as well."""
    looks = sorted(looks, key=lambda look: _merit(look, question.parameter), reverse=True)
    reaching = [look for look in looks if _reaches(look, question.parameter, question.goal)]
    shorter = time / _SHORTER
    if len(reaching) < 2 or shorter < SHORTEST * question.time or question.ended():
        return looks
    likely = reaching[: max(len(looks) // 2, _SEARCHED)]
    sooner = [look_at(look.measurement, shorter) for look in likely]
    order = [look.measurement.name for look in _sort_by_time(sooner, question, look_at, shorter)]
    likely.sort(key=lambda look: order.index(look.measurement.name))
    return likely + [look for look in looks if look.measurement.name not in order]


def _match_points(
    result: FitResult | SampleResult,
    rivals: Sequence[Rival],
    exchange: Mapping[str, str],
    solvents: Sequence[str],
) -> list[str]:
    if not solvents:
        return []
    found = {sentences.BY_MODEL(model=rivals[0].short_name): match_point_of_models(rivals, exchange)}
    each = (
        (r.short_name, match_points_of_parts(r, _list_given_densities(result, r), exchange)) for r in rivals
    )
    model, parts = next((pair for pair in each if pair[1]), ("", {}))
    found |= {sentences.BY_PART(name=name, model=model): point for name, point in parts.items()}
    if isinstance(result, SampleResult):
        found[str(sentences.BY_SERIES)] = _match_point_of_curves(result)
    return [
        sentences.MATCH_POINT(
            part=part, fraction=_write_value(100 * point.fraction, 100 * point.fraction_error),
            density=_write_value(point.density, point.error),
        )
        for part, point in found.items()
        if point is not None and 0 <= point.fraction <= 1 and point.fraction_error < _VAGUE
    ]  # fmt: skip


def _write_value(value: float, error: float) -> str:
    # What a given density is off by is rounding.
    return format_with_error(value, error) if error > 1e-6 * abs(value) else significant(value, 3)


def _list_given_densities(result: FitResult | SampleResult, rival: Rival) -> Collection[str]:
    if isinstance(result, FitResult):
        return result.given
    return [name for name, p in rival.fit.parameters.items() if not p.undetermined]


def _match_point_of_curves(result: SampleResult) -> MatchPoint | None:
    # Each curve's intensity has a calibration of its own.
    measured = [
        (density, g.i0, math.hypot(g.i0_error, CALIBRATION * g.i0))
        for density, curve in zip(result.sample.solvents, result.sample.curves, strict=True)
        if density is not None and isinstance(g := curve.guinier(), Guinier)
    ]
    try:
        return match_point_of_series(*zip(*measured, strict=True)) if len(measured) > 2 else None
    except SasnetError:  # without three solvents, or without a minimum, there is none
        return None


def _goal(aim: float | None, parameter: str | None) -> float:
    return check_aim(aim if aim is not None else (0.95 if parameter is None else 0.01))


def _merit(look: Outlook, parameter: str | None) -> float:
    if parameter is None:
        return look.chance
    return -math.inf if look.error is None else -look.error


def _order(ranked: Ranked, parameter: str | None) -> tuple[float, bool, float]:
    # What was searched comes first: its figures are those of the longest time, and no others compare.
    searched = ranked.time_to_aim is not None
    time = math.inf if ranked.time_to_aim is None else ranked.time_to_aim
    return time, not searched, -_merit(ranked.at_longest or ranked.outlook, parameter)


def _reaches(look: Outlook, parameter: str | None, goal: float) -> bool:
    if parameter is None:
        return look.chance >= goal
    return look.error is not None and look.value is not None and look.error <= goal * abs(look.value)


def _search_time(
    rivals: Sequence[Rival],
    draws: Sequence[Sequence[Floats]],
    look: Outlook,
    question: _Question,
) -> Ranked:
    """Bisect ln t between a time that reaches the aim and one that does not."""

    def at(time: float) -> Outlook:
        return foresee(rivals, draws, look.measurement, time, question.parameter)

    def reaches(outlook: Outlook) -> bool:
        return _reaches(outlook, question.parameter, question.goal)

    best = look if reaches(look) else at(LONGEST * look.time)
    if not reaches(best):
        return Ranked(look, math.inf, at_longest=best)
    low = look if best is not look else best
    while low is best and best.time > SHORTEST * look.time and not question.ended():
        low = at(best.time / _SHORTER)
        best = low if reaches(low) else best
    while best.time > _FINE * low.time and not question.ended():
        middle = at(math.sqrt(low.time * best.time))
        low, best = (low, middle) if reaches(middle) else (middle, best)
    return Ranked(look) if question.ended() else Ranked(look, best.time, at_aim=best)


def _now(rivals: Sequence[Rival], parameter: str | None) -> tuple[float, str]:
    if parameter is None:
        return max(rival.weight for rival in rivals), ""
    for rival in rivals:
        found = rival.errors(rival.before.covariance).get(parameter)
        if found is not None:
            return found.error / abs(found.value), rival.fit.parameters[parameter].unit
    return math.nan, ""


def _same(rivals: Sequence[Rival], ranked: Sequence[Ranked]) -> list[str]:
    longest = [look for each in ranked if (look := each.at_longest or each.at_aim) is not None]
    pairs = [(a.short_name, b.short_name) for i, a in enumerate(rivals) for b in rivals[i + 1 :]]
    return [
        sentences.SAME_CURVES(first=a, second=b)
        for a, b in pairs
        if longest
        and all(
            max(look.differences.get((a, b), 0.0), look.differences.get((b, a), 0.0)) < _SAME
            for look in longest
        )
    ]


def _settle(result: FitResult | SampleResult, rivals: Sequence[Rival], parameter: str | None) -> str:
    """Why there is nothing to decide, else an empty text; SasnetError where no parameter is so called."""
    if parameter is not None:
        _check_parameter(rivals, parameter)
        return ""
    name = rivals[0].short_name
    if len(result.fits) == 1 and isinstance(result, FitResult):
        return sentences.ONE_FITTED(model=name)
    return "" if rivals[1:] else sentences.ONE_LEFT(model=name, least=f"{100 * LEAST_WEIGHT:.0f} %")


def _check_parameter(rivals: Sequence[Rival], parameter: str) -> None:
    names = dict.fromkeys(coordinate.name for rival in rivals for coordinate in rival.coordinates)
    if parameter not in names:
        raise SasnetError(sentences.NO_PARAMETER(name=parameter, names=", ".join(names)))


def _check_names(result: FitResult | SampleResult, names: Sequence[str]) -> None:
    fits: Sequence[ModelFit | JointFit] = result.fits
    each = (({} if isinstance(fit, ModelFit) else fit.own[0], fit.parameters) for fit in fits)
    known = dict.fromkeys(name for tables in each for table in tables for name in table)
    for name in filter(lambda name: known and name not in known, names):
        raise SasnetError(sentences.NOT_IN_MODELS(name=name, names=", ".join(known)))


def _rivals(
    result: FitResult | SampleResult, clock: _Clock, *, needs_densities: bool
) -> tuple[list[Rival], list[str]]:
    fits: Sequence[ModelFit | JointFit] = result.fits
    if not fits:
        raise SasnetError(sentences.NOTHING_TO_PLAN(file=_files(result)[0]))
    unknown: dict[str, None] = {}
    rivals = []
    left = possible_fits(fits)
    finest = max(fits[i].per_decade or 0 for i in left) or None
    for i, weight in left.items():
        densities = _unknown_densities(result, fits[i]) if needs_densities else frozenset[str]()
        unknown |= dict.fromkeys(sorted(densities))
        rivals.append(_rival(result, fits[i], weight, densities, finest, clock))
        rivals[-1].add_kinds()
    counted = [fits[i].name for i in left if fits[i].weight < LEAST_WEIGHT]
    return rivals, _list_notes(result, counted, list(unknown))


def possible_fits(fits: Sequence[ModelFit | JointFit]) -> dict[int, float]:
    """Places of the fits that a plan compares, with their probabilities among these, the likeliest first."""
    weights = _weights(fits)
    order = sorted(range(len(fits)), key=lambda i: -weights[i])
    left = [i for i in order if weights[i] >= LEAST_WEIGHT][:MOST_RIVALS]
    # The answer's own probabilities; what it counts as a simpler model is compared with the least of a rival.
    shares = {i: max(fits[i].weight, LEAST_WEIGHT) for i in left}
    return {i: shares[i] / sum(shares.values()) for i in sorted(left, key=lambda i: -shares[i])}


def _list_notes(
    result: FitResult | SampleResult, counted: Sequence[str], unknown: Sequence[str]
) -> list[str]:
    notes = []
    if counted:
        notes.append(sentences.COUNTED(names=join_names(counted)))
    if not (result.explained if isinstance(result, SampleResult) else result.best is not None):
        notes.append(sentences.NOT_FIT())
    if unknown:
        names = ", ".join(unknown)
        notes.append(sentences.UNKNOWN_DENSITIES(names=names, are="are" if unknown[1:] else "is"))
    return notes


def _rival(
    result: Any, fit: Any, weight: float, densities: frozenset[str], per_decade: int | None, clock: _Clock
) -> Rival:
    if isinstance(result, SampleResult):
        return _joint_rival(result, fit, weight, densities, per_decade, clock)
    return Rival(
        [fit], [result.curve], [result.dintensity], weight, densities, per_decade=per_decade,
        check_time=clock.check,
    )  # fmt: skip


def _weights(fits: Sequence[ModelFit | JointFit]) -> list[float]:
    """Evidence of the fits, also of one that the answer counts as a simpler model that it has become."""
    # An ellipsoid with axes that agree within their errors counts as a sphere, which has its weight. Whether
    # it is one is what another measurement may show: here it has the share of its marginal likelihood.
    logs = np.array([_log_evidence(fit) for fit in fits])
    weights = np.array([fit.weight for fit in fits])
    first = int(np.argmax(weights))
    if not np.isfinite(logs[first]):
        return list((weights / max(weights.sum(), 1e-300)).tolist())
    relative = weights[first] * np.exp(np.minimum(np.nan_to_num(logs - logs[first], nan=-np.inf), 0.0))
    # A sum with a component that has vanished is no other shape, which a measurement could tell apart.
    single = np.array([len(sum_parts(fit.name)) == 1 for fit in fits])
    weights = np.where((weights == 0.0) & single, relative, weights)
    return list((weights / weights.sum()).tolist())


def _log_evidence(fit: ModelFit | JointFit) -> float:
    return fit.log_evidence if isinstance(fit, ModelFit) else -0.5 * fit.minus_two_log


def _joint_rival(
    result: Any, fit: Any, weight: float, densities: frozenset[str], per_decade: int | None, clock: _Clock
) -> Rival:
    curves = result.sample.curves
    own = {name for own in fit.own for name, p in own.items() if not p.fixed}
    if fit.factors is not None:
        own -= {"scale"}
    singles = [fit.make_curve_fit(i) for i in range(len(curves))]
    return Rival(
        singles, list(curves), list(result.dintensities), weight, densities, frozenset(own), per_decade,
        clock.check,
    )  # fmt: skip


def _unknown_densities(result: Any, fit: Any) -> frozenset[str]:
    """Densities that were neither fitted nor given; none where several solvents determine them."""
    if isinstance(result, SampleResult):
        open_ = [name for name, p in fit.parameters.items() if p.undetermined]
        open_ = open_ if len({*result.sample.solvents}) < 2 else []
        return frozenset(name for name in open_ if _is_of_matter(name, fit.parameters))
    fixed = {name for name, parameter in fit.parameters.items() if parameter.fixed} - set(result.given)
    return frozenset(name for name in fixed if _is_of_matter(name, fit.parameters))


def _is_of_matter(name: str, parameters: Mapping[str, Any]) -> bool:
    """Whether this is a density of the particle, of a core or of a shell that the model has."""
    shells = next((parameters[n].value for n in ("n", "n_shells") if n in parameters), math.inf)
    number = re.search(r"\d+$", name)
    exists = number is None or int(number[0]) <= shells
    return exists and "sld" in bare(name) and "solvent" not in name


def _files(result: FitResult | SampleResult) -> tuple[str, ...]:
    if isinstance(result, FitResult):
        return (result.curve.file or "the curve",)
    return tuple(result.sample.files)


def _list_offers(
    result: FitResult | SampleResult,
    solvents: Sequence[str],
    exchange: Mapping[str, str],
    instrument: str | Path | None,
    changes: Mapping[str, Mapping[str, float]],
) -> list[Measurement]:
    curve, dintensity = _last(result)
    present = present_solvent(result)
    if instrument is None:
        # What is measured includes the background that the fit finds, and its counts are noise again.
        again = Measurement(
            str(sentences.SAME_AGAIN), "as before", _whole(curve), exposure_of(curve, dintensity, 0.0),
            level=_background(result),
        )  # fmt: skip
        settings = [again, *(move_detector(again, factor) for factor in _OTHER_Q)]
        start = again
    else:
        water = 0.0 if present is None else water_level(present)
        level = max(water, _background(result), find_flat_level(curve, dintensity))
        settings = [replace(setting, level=level) for setting in read_instrument(instrument)]
        start = settings[0]
    offered = list(settings)
    if present is not None:
        for setting in settings if instrument is not None else [start]:
            here = list_solvents(setting, solvents, present, exchange)
            named = instrument is not None
            offered += [replace(m, name=f"{setting.name}, {m.name}") for m in here] if named else here
    if any(fit.structure_factor for fit in result.fits):
        offered.append(replace(start, name=sentences.DILUTED(share="1/4"), concentration=_DILUTED))
    offered += [replace(start, name=name, densities=dict(values)) for name, values in changes.items()]
    return offered


def _select(offers: list[Measurement], names: Collection[str] | None) -> list[Measurement]:
    chosen = offers if names is None else [offer for offer in offers if offer.name in names]
    if not chosen:
        raise SasnetError(str(sentences.NONE_OFFERED))
    return chosen


def _whole(curve: Curve) -> Curve:
    return Curve(curve.q, np.ones(len(curve)), dq=curve.dq, dxl=curve.dxl, dxw=curve.dxw)


def _background(result: FitResult | SampleResult) -> float:
    """The largest flat background of the last curve by a possible model, at least 0."""
    # One that takes the background for scattering would have it without noise where it predicts little else.
    fits: Sequence[ModelFit | JointFit] = result.fits
    possible = (fits[i] for i in possible_fits(fits))
    each = (fit.parameters if isinstance(fit, ModelFit) else fit.own[-1] for fit in possible)
    return max(0.0, *(p["background"].value for p in each if "background" in p), 0.0)


def _last(result: FitResult | SampleResult) -> tuple[Curve, Floats]:
    if isinstance(result, FitResult):
        return result.curve, np.asarray(result.dintensity)
    return result.sample.curves[-1], np.asarray(result.dintensities[-1])


def present_solvent(result: FitResult | SampleResult) -> float | None:
    """Scattering length density of the present solvent, 1e-6/Å²; None where nobody has given it."""
    if isinstance(result, SampleResult):
        of_all = None if result.contrast is None else result.contrast.solvent
        return (result.sample.solvents or (None,))[-1] if of_all is None else of_all
    given = {name for name in result.given if "sld_solvent" in name}
    fitted = (fit.parameters[name].value for fit in result.fits for name in given & fit.parameters.keys())
    return next(fitted, None)


def _choose_solvents(
    result: FitResult | SampleResult, solvents: Sequence[str] | None
) -> tuple[Sequence[str], str]:
    if isinstance(result, SampleResult) and result.sample.kind in (SECTORS, MAGNETIC):
        raise SasnetError(str(sentences.NO_PLAN_OF_SECTORS))
    if solvents == [] or solvents == ():
        return (), ""
    missing = _explain_no_solvents(result) or ("" if solvents else _explain_no_water(result))
    return ((), missing) if missing else (solvents or WATERS, "")


def _explain_no_solvents(result: FitResult | SampleResult) -> str:
    if present_solvent(result) is None:
        return sentences.NO_SOLVENT()
    return sentences.NO_NEUTRONS() if _is_by_xrays(result) else ""


def _explain_no_water(result: FitResult | SampleResult) -> str:
    name = "" if result.contrast is None else result.contrast.solvent_name
    is_water = not name or any(word in name.lower() for word in ("h2o", "d2o", "water"))
    return "" if is_water else sentences.NOT_WATER(solvent=name)


def _is_by_xrays(result: FitResult | SampleResult) -> bool:
    probes = result.sample.probes if isinstance(result, SampleResult) else ()
    return "xray" in (*probes[-1:], "" if result.contrast is None else result.contrast.probe)


def _add_predictions(plan: Plan, rivals: Sequence[Rival]) -> Plan:
    if not plan.ranked:
        return plan
    look = plan.ranked[0].final
    curves = {rival.short_name: rival.predict(rival.before.z, look.measurement) for rival in rivals}
    error = look.measurement.error(curves[rivals[0].short_name], look.time)
    return replace(plan, predictions=curves, error=error)
