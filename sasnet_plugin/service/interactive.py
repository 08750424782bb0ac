"""What is answered while somebody waits: what a file holds, suggestions, a model at given values.

Runs in a process of the pool, which is killed where a file or a model takes too long.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.failure import sentence_of
from ..extensions import has_service, service
from ..types import Curve, DataError, GroupGuess, ModelGuess, SasnetError, Suggestion
from .evaluate import Evaluator, compare_with_data
from .messages import plain
from .models import check_name, explain_model, parameter_table
from .places import Place, Reader

if TYPE_CHECKING:
    from ..simulate.bank import Bank

#: Points of the little curve of a list, evenly in ln q.
_SPARK = 32
#: What the first answers need, imported before the first question.
_NEEDED = ("sasmodels.bumps_model", "sasnet_plugin.data", "sasnet_plugin.fitting.strategy.fit_candidate")
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
        suggestions = classifier.suggest(list(curves), top=1)
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
        from ..fitting.task import Task
        from .answers import make_start_fit

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
            from ..zoo import bank_path

            self._bank = Bank(bank_path())
        return self._bank


def begin() -> Callable[[Asked, Any], tuple[str, Any]]:
    """Return what answers questions in a process of the pool: ("answer" or "problem", it)."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    desk = Desk()
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
    from ..model_free.in_words import lines
    from ..predict import open_classifier

    suggestion = open_classifier().suggest([curve], top=_TOP)[0]
    doubt = _doubt(curve, suggestion)
    return {
        "q_range": [float(curve.q[0]), float(curve.q[-1])], "points": len(curve),
        "models": [_guess(item) for item in suggestion.models],
        "groups": [_group(item) for item in suggestion.groups],
        "in_scope": suggestion.in_scope, "doubt": doubt,
        "said": [note for note in suggestion.notes if note != doubt],
        "model_free": suggestion.model_free.as_dict() if suggestion.model_free else None,
        "numbers": list(lines(suggestion.model_free)) if suggestion.model_free else [],
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
    group, model = suggestion.groups[0], suggestion.models[0]
    return {
        "entry": curve.entry, "points": len(curve), "q_min": float(curve.q[0]), "q_max": float(curve.q[-1]),
        "model": model.name, "structure_factor": model.structure_factor,
        "model_probability": model.probability, "group": group.name, "probability": group.probability,
        "doubt": _doubt(curve, suggestion), "spark": spark(curve),
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
