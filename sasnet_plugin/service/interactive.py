"""What is answered while somebody waits: what a file holds, suggestions, a model at given values.

Runs in a process of the pool, which is killed where a file or a model takes too long.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import filterfalse
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.clean import cut_to_q_range
from ..data.limits import sentence_of
from ..extensions import has_service, service
from ..fitting.task import Task
from ..model_free.results import lines
from ..names import nearest, product_name
from ..types import Curve, DataError, GroupGuess, ModelGuess, SasnetError, Suggestion
from ..workers.pool import GoneError, Pool
from ..zoo import bank_path
from .answers import make_start_fit, plain

if TYPE_CHECKING:
    from ..simulate.bank import Bank


# --- Which data set of which file is meant, and the curves of the last files, read once.

#: Files whose curves are kept: those between which a user goes to and fro.
_KEPT = 16


@dataclass(frozen=True)
class Place:
    """A data set of a file."""

    path: str
    entry: int = 1  #: Its number in it, from 1.
    q_unit: str | None = None  #: As of `data.load`.
    window: tuple[float, float] | None = None  #: Lowest and highest q that count, Å⁻¹; None: all.
    wavelength: float | None = None  #: Å, where the first column is an angle.


@dataclass
class Reader:
    """Reads files, each once as long as it does not change."""

    _curves: OrderedDict[tuple[object, ...], tuple[Curve, ...]] = field(default_factory=OrderedDict)

    def curves(self, place: Place) -> tuple[Curve, ...]:
        """Read all curves of a place's file. Raises SasnetError if it cannot."""
        from ..data import load

        path = place.path
        try:
            status = os.stat(path)
        except OSError:
            raise SasnetError(
                f"{os.path.basename(path)}: no longer exists; see the list of data sets."
            ) from None
        key = path, place.q_unit, place.wavelength, status.st_size, status.st_mtime_ns
        if key not in self._curves:
            self._curves[key] = load(path, q_unit=place.q_unit, wavelength=place.wavelength)
            while len(self._curves) > _KEPT:
                self._curves.popitem(last=False)
        self._curves.move_to_end(key)
        return self._curves[key]

    def curve(self, place: Place) -> Curve:
        """Read a place's curve within its q range. Raises SasnetError if there is none, or no point in it."""
        curves = self.curves(place)
        if not 1 <= place.entry <= len(curves):
            raise SasnetError(f"{os.path.basename(place.path)}: holds only {len(curves)} data sets.")
        curve = curves[place.entry - 1]
        return curve if place.window is None else cut_to_q_range(curve, *place.window)


# --- Models of sasmodels for people: which there are, what each means, its parameters and their
# --- limits.

#: Parameters that a curve does not show, or that say how a product is put together.
_LEFT_OUT = ("magnetic", "orientation")


def check_name(model: str, structure_factor: str | None = None) -> str:
    """Return sasmodels' name of a form with a structure factor. Raises SasnetError with the nearest name."""
    from ..simulate.priors import form_models, model_info, structure_factors

    if model not in form_models():
        hint = nearest(model, form_models(), "give the name of a form factor.")
        raise SasnetError(f"{model[:80]}: sasmodels has no such model; {hint}")
    if structure_factor is None:
        return model
    if structure_factor not in structure_factors():
        known_names = ", ".join(structure_factors())
        raise SasnetError(f"{structure_factor[:80]}: no such structure factor; choose one of {known_names}.")
    if "volume" not in {p.type for p in model_info(model).parameters.kernel_parameters}:
        raise SasnetError(f"{model}: is not a particle, so it takes no structure factor.")
    return product_name(model, structure_factor)


def explain_model(model: str) -> dict[str, Any]:
    """Explain a model: meaning, parameters, what it resembles. Raises SasnetError if unknown."""
    from ..fitting.verdict.names import KINDS
    from ..predict import open_classifier
    from ..simulate.priors import model_info

    info = model_info(check_name(model))
    groups = open_classifier().manifest.groups
    like = next((list(g.members) for g in groups if model in g.members), [])
    return {
        "model": model, "title": info.title, "in_words": KINDS.get(model, ""),
        "description": " ".join((info.description or "").split())[:1500],
        "parameters": [
            {"name": p.name, "unit": p.units, "default": float(p.default), "meaning": p.description}
            for p in info.parameters.call_parameters
            if p.type not in _LEFT_OUT
        ],
        "hard_to_tell_from": list(filter(model.__ne__, like)),
        "page": f"https://www.sasview.org/docs/user/models/{model}.html",
    }  # fmt: skip


def parameter_table(name: str) -> list[dict[str, Any]]:
    """List parameters of a model or product, each width after what it is of: ``name``, ``unit``, ``default``,
    ``low`` and ``high`` (None: none), ``meaning``, ``choices``, ``fitted`` (whether a fit usually varies it).
    """
    from ..fitting.asked import list_usually_fitted
    from ..simulate.kernel import load_model

    info = load_model(name).info
    fitted, rows = list_usually_fitted(info), []
    for p in info.parameters.call_parameters:
        if p.type in _LEFT_OUT:
            continue
        low, high = float(p.limits[0]), float(p.limits[1])
        is_fitted = p.name in fitted
        rows.append(_row(p.name, p.units, p.default, low, high, p.description, p.choices, fitted=is_fitted))
        if p.polydisperse and p.type == "volume":
            meaning = f"Width of the distribution of {p.name}, relative to its mean."
            rows.append(_row(f"{p.name}_pd", "", 0.0, 0.0, 1.0, meaning, []))
    return rows


def _row(
    name: str,
    unit: str,
    default: float,
    low: float,
    high: float,
    meaning: str,
    choices: Any,
    *,
    fitted: bool = True,
) -> dict[str, Any]:
    return {
        "name": name, "unit": unit.replace("Ang^2", "Å²").replace("Ang", "Å"), "default": float(default),
        "low": low, "high": high, "meaning": meaning, "choices": list(choices or []), "fitted": fitted,
    }  # fmt: skip


# --- I(q) of a model at given values beside a curve, fast enough to follow a slider.

#: Points of a size distribution; SasView offers as many, and a million would be calculated for ever.
_MOST_POINTS = 1000


@dataclass
class Evaluator:
    """Calculates models; what was set up for a curve and a model is used again."""

    _ready: OrderedDict[tuple[object, ...], Any] = field(default_factory=OrderedDict)

    def theory(
        self,
        place: Place,
        curve: Curve,
        name: str,
        parameters: Mapping[str, Any],
        per_decade: int | None = None,
    ) -> NDArray[np.float64]:
        """Calculate I(q) at a curve's points (n,) with resolution, sasmodels' defaults for missing
        parameters; `per_decade` points for smearing, None: the measured ones. Raises SasnetError if it is not
        finite or a parameter is unknown.
        """
        words = {k: v for k, v in parameters.items() if isinstance(v, str)}
        check(parameters)
        key = place, curve.q.tobytes(), name, per_decade, tuple(sorted(words.items()))
        if key not in self._ready:
            self._ready[key] = _experiment(curve, name, words, per_decade)
            while len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return evaluate_theory(self._ready[key], name, add_sizes(parameters, name, float(curve.q[-1])))


def _is_kind(name: str, value: str) -> bool:
    from sasmodels.weights import DISTRIBUTIONS

    return name.endswith("_pd_type") and value in DISTRIBUTIONS


def check(parameters: Mapping[str, Any]) -> None:
    """Raise SasnetError unless values are numbers and distributions known, of sensible points."""
    for name, value in parameters.items():
        if isinstance(value, str) and not _is_kind(name, value):
            raise SasnetError(f"{name[:80]}: {value[:80]!r} is not a number; give a number.")
        if name.endswith("_pd_n") and not 0 <= float(value) <= _MOST_POINTS:
            raise SasnetError(f"{name[:80]}: a distribution has up to {_MOST_POINTS} points here.")


#: Sizes of a distribution at most, and of two together, for a curve that follows a slider; and fewest of one.
_DRAWN_SIZES, _DRAWN_PAIRS, _FEWEST_SIZES = 401, 4000, 9


def add_sizes(parameters: Mapping[str, Any], name: str, q_max: float) -> dict[str, Any]:
    """Return parameters with as many sizes of one or two distributions as draw no fringes of each of them,
    over the range that each width asks for where none is given.
    """
    from ..simulate.quick_models.cost_classes import cost_class
    from ..simulate.size_distributions import distribution_keywords

    widths = [key for key, value in parameters.items() if key.endswith("_pd") and float(value) > 0]
    for width in widths:
        points = float(parameters.get(f"{width}_n", 35))
        if points and f"{width}_nsigma" not in parameters:
            kind = str(parameters.get(f"{width}_type", "gaussian"))
            keywords = distribution_keywords(width[:-3], kind, float(parameters[width]), points)
            parameters = {**parameters, **keywords}
    if len(widths) not in (1, 2) or cost_class(name) != "fast":
        return dict(parameters)
    needed = {width: _count_sizes(parameters, width, q_max) for width in widths}
    finest, *others = sorted(widths, key=lambda width: needed[width], reverse=True)
    numbers = {finest: min(needed[finest], _DRAWN_SIZES)}
    for width in others:
        numbers[width] = max(min(needed[width], _DRAWN_PAIRS // numbers[finest]), _FEWEST_SIZES)
    return {**parameters, **{f"{width}_n": number for width, number in numbers.items()}}


def _count_sizes(parameters: Mapping[str, Any], width: str, q_max: float) -> int:
    """Sizes whose neighbours have fringes, of a phase 2 q R, less than two radians apart, or as given."""
    size = float(parameters.get(width.removesuffix("_pd"), 0.0))
    reach = 2 * float(parameters[f"{width}_nsigma"]) * float(parameters[width]) * size
    return max(int(reach * q_max) + 2, int(parameters.get(f"{width}_n", 0)))


def _experiment(curve: Curve, name: str, words: dict[str, Any], per_decade: int | None) -> Any:
    from ..fitting.api import uncertainties
    from ..fitting.problem.experiment import experiment
    from ..fitting.problem.resolution import apply_sampling

    problem = experiment(curve, uncertainties(curve)[0], name, words)
    if per_decade is not None:
        apply_sampling(problem, curve, per_decade)
    known_parameters = problem.model.parameters()
    return problem, {key: parameter.value for key, parameter in known_parameters.items()}


def evaluate_theory(ready: tuple[Any, dict[str, float]], name: str, parameters: Mapping[str, Any]) -> Any:
    """Return I(q) of an experiment at values or defaults. Raises SasnetError for wrong ones."""
    problem, defaults = ready
    _set(problem.model.parameters(), name, parameters, defaults)
    problem.update()
    with np.errstate(all="ignore"):
        theory = np.asarray(problem.theory(), dtype=float)
    if not np.all(np.isfinite(theory)):
        raise SasnetError(f"{name}: has no finite, positive curve at these values; change them.")
    return theory


def compare_with_data(curve: Curve, theory: NDArray[np.float64]) -> dict[str, Any]:
    """A theory with its residuals (n,) in units of the uncertainty, and the mean of their squares."""
    from ..fitting.api import uncertainties

    error, note = uncertainties(curve)
    residuals = (curve.intensity - theory) / error
    return {
        "q": curve.q, "intensity": theory, "residuals": residuals,
        "reduced_chisq": float(np.mean(residuals**2)), "points": len(curve), "note": note,
    }  # fmt: skip


def _set(known_parameters: Any, name: str, values: Mapping[str, Any], defaults: Mapping[str, float]) -> None:
    numbers = {key: value for key, value in values.items() if not isinstance(value, str)}
    for key in filterfalse(known_parameters.__contains__, numbers):
        raise SasnetError(f"{key}: {name} has no such parameter.")
    for key, default in defaults.items():
        value = float(numbers.get(key, default))
        if not np.isfinite(value):
            raise SasnetError(f"{key}: {value} is not a finite number; give a number.")
        known_parameters[key].value = value


# --- What is answered while somebody waits: what a file holds, suggestions, a model at given
# --- values.

#: Points of the little curve of a list, evenly in ln q.
_SPARK = 32
#: What the first answers need, imported before the first question.
_NEEDED = ("sasnet_plugin.data", "sasnet_plugin.fitting.strategy.fit_candidate")
#: Models of a suggestion, of whose curves the eye can still tell the list.
_TOP = 10


@dataclass(frozen=True)
class Asked:
    """One question."""

    do: str  #: ``what``, ``look``, ``open``, ``suggest``, ``start``, ``evaluate``, ``model``.
    place: Place | None = None
    body: Mapping[str, Any] = field(default_factory=dict)  #: What else the question needs.


@dataclass
class Desk:
    """Answers questions, and keeps what the next one will need."""

    reader: Reader = field(default_factory=Reader)
    evaluator: Evaluator = field(default_factory=Evaluator)
    _bank: Bank | None = None

    def answer(self, request: Asked) -> Any:
        """Answer a question in JSON's types. Raises SasnetError with the reason if it cannot."""
        if request.do == "model":
            return self.model(request.body)
        place = request.place
        assert place is not None
        if request.do == "what":
            return self.is_image(place)
        if request.do == "look":
            return self.look(place, request.body)
        curve = self.reader.curve(place)
        answers: dict[str, Callable[[], Any]] = {
            "open": lambda: self.describe_curve(place, curve),
            "suggest": lambda: describe_suggestion(curve),
            "start": lambda: self.start(place, curve, request.body),
            "evaluate": lambda: self.evaluate(place, curve, request.body),
        }
        return answers[request.do]()

    def is_image(self, place: Place) -> bool:
        """Whether a file holds images, and no curve."""
        if not has_service("is_image"):
            return False
        if service("is_image")(place.path):
            return True
        try:
            self.reader.curves(place)
        except DataError:
            return bool(service("may_hold_images")(Path(place.path)))
        return False

    def look(self, place: Place, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A line for each data set of a file: what it may be, and how it looks; of images, see `images`."""
        from ..predict import open_classifier

        if body.get("kind") or self.is_image(place):
            found_images: list[dict[str, Any]] = service("list_images")(place.path, body)
            return found_images
        classifier, curves = open_classifier(), self.reader.curves(place)
        suggestions = classifier.suggest(list(curves), top=_TOP)
        return [_line(curve, suggestion) for curve, suggestion in zip(curves, suggestions, strict=True)]

    def describe_curve(self, place: Place, curve: Curve) -> dict[str, Any]:
        """A curve with all that is said of it before a fit."""
        from ..fitting.api import uncertainties

        error, note = uncertainties(curve)
        names = [one_curve.entry for one_curve in self.reader.curves(place)]
        columns = {key: getattr(curve, key) for key in ("dq", "dxl", "dxw")}
        whole = self.reader.curve(replace(place, window=None))
        return {
            "entry": curve.entry, "entries": names, "q": whole.q, "intensity": whole.intensity,
            "error": uncertainties(whole)[0], "stated": curve.dintensity is not None,
            "intensity_label": curve.intensity_label, "intensity_unit": curve.intensity_unit,
            "resolution": next((key for key, value in columns.items() if value is not None), ""),
            "notes": [*curve.notes, *([note] if note else [])],
            "q_unit": curve.q_unit.as_dict() | {"doubt": curve.q_unit.doubt, "said": str(curve.q_unit)},
            **describe_suggestion(curve),
        }  # fmt: skip

    def start(self, place: Place, curve: Curve, body: Mapping[str, Any]) -> dict[str, Any]:
        """A model with values to begin from: the nearest simulated curve's, else those of sasmodels."""
        from ..fitting.api import uncertainties
        from ..fitting.problem.experiment import starting_values

        model, factor = str(body.get("model", "")), body.get("structure_factor") or None
        name = check_name(model, factor)
        fit = make_start_fit(Task(curve, uncertainties(curve)[0], model, factor), self.bank)
        values = _scale_defaults(curve, self, place, name) if fit is None else starting_values(fit)
        return {
            "name": name, "model": model, "structure_factor": factor, "values": values,
            "free": [] if fit is None else list(fit.free), "from_bank": fit is not None,
            "parameters": parameter_table(name),
        }  # fmt: skip

    def evaluate(self, place: Place, curve: Curve, body: Mapping[str, Any]) -> dict[str, Any]:
        """A model at given values, its residuals and χ²."""
        name = check_name(str(body.get("model", "")), body.get("structure_factor") or None)
        theory = self.evaluator.theory(place, curve, name, body.get("values") or {}, body.get("per_decade"))
        return compare_with_data(curve, theory)

    def model(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A model's page with its table of parameters; of all of them the names, where none is asked for."""
        from ..simulate.priors import form_models, structure_factors

        if not body.get("model"):
            return {"models": list(form_models()), "structure_factors": list(structure_factors())}
        model, factor = str(body["model"]), body.get("structure_factor") or None
        name = check_name(model, factor)
        return explain_model(model) | {"name": name, "parameters": parameter_table(name)}

    @property
    def bank(self) -> Bank:
        """Simulated curves to begin a fit from."""
        if self._bank is None:
            from ..simulate.bank import Bank

            self._bank = Bank(bank_path())
        return self._bank


def begin() -> Callable[[Asked, Any], tuple[str, Any]]:
    """Return what answers questions in a process of the pool: ("answer" or "problem", it)."""
    from ..fitting.problem.bumps_import import import_bumps

    os.environ.setdefault("MPLBACKEND", "Agg")
    desk = Desk()
    import_bumps()
    for module in _NEEDED:
        import_module(module)

    def do(request: Asked, _: Any) -> tuple[str, Any]:
        try:
            return "answer", plain(desk.answer(request))
        except Exception as error:  # the next question has its turn all the same
            return "problem", sentence_of(request.place.path if request.place else "The model", error)

    return do


def describe_suggestion(curve: Curve) -> dict[str, Any]:
    """What the network says of a curve, and what it shows without a model."""
    from ..predict import open_classifier
    from ..predict.described import ParticlesFinding

    classifier = open_classifier()
    suggestion = classifier.suggest([curve], top=_TOP)[0]
    doubt = _doubt(curve, suggestion)
    is_known = suggestion.in_scope >= classifier.manifest.scope_threshold
    particles = [] if is_known else ParticlesFinding(curve).sentences()
    return {
        "q_range": [float(curve.q[0]), float(curve.q[-1])], "points": len(curve),
        "models": list(map(_guess, suggestion.models)),
        "groups": list(map(_group, suggestion.groups)),
        "in_scope": suggestion.in_scope, "doubt": doubt,
        "said": [note for note in suggestion.notes if note != doubt],
        "model_free": suggestion.model_free.as_dict() if suggestion.model_free else None,
        "numbers": [*particles, *(lines(suggestion.model_free) if suggestion.model_free else [])],
    }  # fmt: skip


def _group(group: GroupGuess) -> dict[str, Any]:
    return {"name": group.name, "members": list(group.members), "probability": group.probability}


def _guess(guess: ModelGuess) -> dict[str, Any]:
    from ..fitting.verdict.names import KINDS

    return {
        "model": guess.name, "structure_factor": guess.structure_factor, "probability": guess.probability,
        "group": guess.group, "in_words": KINDS.get(guess.name, ""),
    }  # fmt: skip


def _doubt(curve: Curve, suggestion: Suggestion) -> str:
    """The one thing that would make the suggestion worthless; empty where there is none."""
    from ..predict import open_classifier

    manifest = open_classifier().manifest
    if suggestion.in_scope < manifest.scope_threshold and manifest.scope:
        return str(manifest.scope.outside)
    return curve.q_unit.doubt


def _line(curve: Curve, suggestion: Suggestion) -> dict[str, Any]:
    group = suggestion.groups[0]
    model = next((m for m in suggestion.models if m.group == group.name), suggestion.models[0])
    return {
        "entry": curve.entry, "points": len(curve), "q_min": float(curve.q[0]), "q_max": float(curve.q[-1]),
        "intensity_unit": curve.intensity_unit,
        "model": model.name, "structure_factor": model.structure_factor,
        "model_probability": model.probability, "group": group.name, "probability": group.probability,
        "doubt": _doubt(curve, suggestion), "spark": spark(curve),
        "sector": curve.sector and [curve.sector.azimuth, curve.sector.half_width],
    }  # fmt: skip


def spark(curve: Curve) -> list[int]:
    """ln I over ln q as heights 0 to 99; −1 where no point is positive."""
    good = curve.intensity > 0
    if good.sum() < 2:
        return []
    q, height = np.log(curve.q[good]), np.log(curve.intensity[good])
    heights = np.interp(np.linspace(q[0], q[-1], _SPARK), q, height)
    low, high = np.quantile(heights, [0.0, 1.0])
    return [int(v) for v in np.clip(99 * (heights - low) / max(high - low, 1e-9), 0, 99)]


def _scale_defaults(curve: Curve, desk: Desk, place: Place, name: str) -> dict[str, Any]:
    """sasmodels' defaults with the scale and background that fit the curve best; both not negative."""
    from scipy.optimize import nnls

    from ..fitting.api import uncertainties

    error = uncertainties(curve)[0]
    try:
        theory = desk.evaluator.theory(place, curve, name, {"scale": 1.0, "background": 0.0})
    except SasnetError:
        return {"scale": 1.0, "background": 0.0}
    columns = np.stack([theory / error, 1.0 / error], axis=1)
    (scale, background), _ = nnls(columns, curve.intensity / error)
    return {"scale": float(scale), "background": float(background)}


# --- One process that answers one question after another, and is killed where it takes too long.


class UnansweredError(SasnetError):
    """A question that took too long, or whose process ended: it may be answered if it is asked again."""


class Line:
    """Questions from any thread, each in its turn, given up (ending the process) after `seconds`; a process'
    first may wait for its start too.

    `target`, ``module:function``, answers; see `workers.pool.Pool`.
    """

    def __init__(self, seconds: float, target: str = "sasnet_plugin.service.interactive:begin") -> None:
        self._seconds = seconds
        self._turn = threading.Lock()
        self._pool = Pool(target, quiet=True)

    def start(self) -> None:
        """Start the process now, as it takes a moment."""
        with self._turn:
            self._pool.start()

    def ask(self, request: Asked) -> Any:
        """Return the answer. Raises SasnetError, or UnansweredError if it may come another time."""
        with self._turn:
            if self._pool.closed:
                raise SasnetError("sasnet is closing.")
            patience = self._pool.patience(self._seconds)
            with self._pool.doing(request):
                for reply in self._pool.hear(patience):
                    if reply.error is not None:
                        raise _make_lost_error(request, reply.error)
                    kind, answer = reply.message
                    if kind == "problem":
                        raise SasnetError(answer)
                    return answer
        raise UnansweredError(f"{_name_question(request)}: took more than {patience:.0f} s and was stopped.")

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._pool.close()


def _make_lost_error(request: Asked, error: Exception) -> SasnetError:
    if isinstance(error, GoneError):
        return UnansweredError(f"{_name_question(request)}: the process that worked on it ended; try again.")
    return SasnetError(f"{_name_question(request)}: failed ({type(error).__name__}: {error}).")


def _name_question(request: Asked) -> str:
    if request.do in ("evaluate", "start", "model") and request.body.get("model"):
        return str(request.body["model"])[:80]
    return PurePath(request.place.path).name if request.place else "The question"
