"""Answers of `sasnet serve` to each request: suggestions, fits and reports as plain objects for JSON."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..fitting.progress import Progress, Watched
from ..fitting.task import FitOptions, Start
from ..types import SasnetError, sum_parts
from .messages import PROTOCOL, Request, name, names, number, numbers, ranges, seconds, whole

if TYPE_CHECKING:
    from ..fitting.result.fit_result import FitResult
    from ..fitting.task import Pool
    from ..types import Curve, Suggestion
from typing import TYPE_CHECKING

from ..fitting.result.model_fit import ModelFit
from ..fitting.task import UNLIMITED, Budget, Task

if TYPE_CHECKING:
    from ..simulate.bank import Bank
    from ..types import Curve
    from .messages import Request

#: Fits that a report can still be asked of.
_KEPT = 32
#: Seconds for the previews of a suggestion; a model without one is listed all the same.
_PREVIEWS = 10.0


@dataclass
class Answers:
    """Answers requests, and keeps the last fits for reports."""

    pool: Pool  #: Processes that fit.
    folder: Callable[[], Path]  #: Gives the folder for reports.
    _fits: OrderedDict[int, FitResult] = field(default_factory=OrderedDict)

    def answer(self, request: Request, progress: Progress) -> dict[str, Any]:
        """Answer a request in turn; `progress` as of `Watched`. Raises SasnetError if it cannot."""
        if request.do == "hello":
            return hello()
        if request.do == "suggest":
            return suggest(self.pool, request.curve, whole(request.body, "top", 10))
        if request.do == "page":
            return start_page(self.pool, request.curve, request)
        if request.do == "report":
            return self._report(request.of, name(request.body, "folder"))
        found = fit(Watched(self.pool, progress), request)
        self._fits[request.id] = found
        self._fits.move_to_end(request.id)
        while len(self._fits) > _KEPT:
            self._fits.popitem(last=False)
        return fitted(found, request)

    def _report(self, of: int, lasting: str | None) -> dict[str, Any]:
        from ..files import check_output
        from ..report.page.fit_report import page_name, write_report

        if of not in self._fits:
            raise SasnetError(f"There is no fit {of} to report; fit first.")
        found = self._fits[of]
        # Two fits of the same data would have the same page.
        folder = Path(lasting).expanduser() if lasting else self.folder() / f"fit{of}"
        check_output(folder / page_name(found.curve, folder))
        return {"path": str(write_report(found, folder).resolve())}


def hello() -> dict[str, Any]:
    """Version, protocol, and the models that the network knows."""
    import sasnet_plugin

    from ..predict import open_classifier

    classifier = open_classifier()
    return {
        "version": sasnet_plugin.__version__,
        "protocol": PROTOCOL,
        "models": list(classifier.manifest.labels),
        "structure_factors": list(classifier.structure_factors),
    }


def suggest(pool: Pool, curve: Curve, top: int) -> dict[str, Any]:
    """Models by falling probability, each with its nearest curve of the bank as a preview."""
    from ..predict import open_classifier
    from ..report.exports.sasview_clipboard import category

    classifier = open_classifier()
    found = classifier.suggest([curve], top=top)[0]
    manifest = classifier.manifest
    outside = manifest.scope.outside if manifest.scope else ""
    out_of_scope = found.in_scope < manifest.scope_threshold
    models = [
        {
            "model": guess.name,
            "structure_factor": guess.structure_factor,
            "probability": guess.probability,
            "group": guess.group,
            "category": category(guess.name),
            "preview": preview,
        }
        for guess, preview in zip(found.models, previews(pool, curve, found), strict=True)
    ]
    notes = (curve.q_unit.doubt or str(curve.q_unit), *found.notes)
    return {
        "name": curve.file,
        "in_scope": found.in_scope,
        "warning": outside if out_of_scope else "",
        "q_unit": curve.q_unit.as_dict(),
        "notes": [note for note in notes if note not in ("", outside)],
        "models": models,
        "rg": found.rg,
        "rg_network": found.rg_network,
        "model_free": found.model_free.as_dict() if found.model_free else None,
    }


def previews(pool: Pool, curve: Curve, suggestion: Suggestion) -> list[dict[str, Any] | None]:
    """The bank's nearest curve of each suggested model; None where there is none, or not in time."""
    from ..fitting.api import uncertainties
    from ..fitting.start_values.screening import previewed
    from ..fitting.task import Task

    dintensity = uncertainties(curve)[0]
    asked = [Task(curve, dintensity, guess.name, guess.structure_factor) for guess in suggestion.models]
    found: list[dict[str, Any] | None] = [None] * len(asked)
    for index, answer in pool.run(previewed, asked, _PREVIEWS):
        if isinstance(answer, tuple):
            found[index] = {"q": answer[0], "intensity": answer[1]}
    return found


def fit(pool: Pool, request: Request) -> FitResult:
    """Fit what a request asks for. Raises SasnetError if that does not exist or cannot be fitted."""
    from ..fitting.api import fit_with
    from ..fitting.asked import check_names

    curve, options = request.curve, fit_options(request.body)
    check_names(options)
    return fit_with(pool, curve, options)


def fit_options(body: Mapping[str, Any]) -> FitOptions:
    """Parse a request's fit options; SasnetError for a wrong kind."""
    from ..fitting.problem.contrast import contrast_of
    from ..predict.class_prior import COMMON, known_prior

    models = names(body, "models")
    sample, solvent, probe = (name(body, key) or None for key in ("sample", "solvent", "probe"))
    wavelength = None if body.get("wavelength") is None else float(number(body, "wavelength"))
    return FitOptions(
        top=whole(body, "top", 5),
        models=None if models is None else tuple(models),
        exclude=tuple(names(body, "exclude") or ()),
        fixed=numbers(body, "fixed"),
        ranges=ranges(body, "ranges"),
        start=_start(body.get("start")),
        prior=known_prior(name(body, "prior") or COMMON),
        structure_factor=name(body, "structure_factor"),
        time_limit=seconds(body, "time_limit", 90.0),
        contrast=contrast_of(sample, solvent, probe or "neutron", wavelength),
    )


def _start(given: Any) -> Start | None:
    """Values that a fit may begin from: ``model``, ``structure_factor`` and ``values`` of a request."""
    if given is None:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("values"), dict):
        raise SasnetError('"start" is an object with model and values.')
    return Start(name(given, "model") or "", name(given, "structure_factor"), _values(given["values"]))


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers of parameters, seen to be such, and words as they are: kinds of distributions."""
    words = {key: value for key, value in given.items() if isinstance(value, str)}
    others = {key: value for key, value in given.items() if key not in words}
    return numbers({"values": others}, "values") | words


def fitted(result: FitResult, request: Request) -> dict[str, Any]:
    """A fit as plain objects: the answer, SasView's fit pages, curves, and a resolution that was found."""
    from ..fitting.result.headline import parameters_in_words
    from ..report.exports.sasview_clipboard import plugin_text
    from ..report.exports.sasview_project import fit_page

    pages = [
        {
            **fit_page(result.curve, each),
            "model": each.model,
            "structure_factor": each.structure_factor,
            "reduced_chisq": each.reduced_chisq,
            "weight": each.weight,
            "values": parameters_in_words(each),
            "plugin": plugin_text(each.model) if len(sum_parts(each.model)) > 1 else "",
        }
        for each in result.fits
    ]
    curves = [
        {
            "name": each.short_name,
            "q": result.curve.q,
            "intensity": each.theory,
            "residuals": (result.curve.intensity - each.theory) / result.dintensity,
        }
        for each in result.fits
    ]
    dq = None if _has_resolution(request.body["curve"]) else result.curve.dq
    return {"fit": result.as_dict(), "pages": pages, "curves": curves, "dq": dq}


def _has_resolution(sent: Mapping[str, Any]) -> bool:
    return any(np.any(np.array(sent.get(key) or 0, dtype=float) > 0) for key in ("dq", "dxl", "dxw"))


#: Seconds for the values of one model.
_SECONDS = 60.0


def started(task: Task, bank: Bank, budget: Budget = UNLIMITED) -> ModelFit | None:
    """The start of a fit as if it were one, its parameters without errors; work for a pool."""
    # None where the bank has no curve of the model.
    from ..fitting.optimize.finish import as_it_stands
    from ..fitting.start_values.screening import from_bank
    from ..fitting.strategy.fit_candidate import described

    if task.model not in bank.models or not (starts := from_bank(task, bank)):
        return None
    return described(task, as_it_stands(task, starts[0]), None, 0.0)


def start_page(pool: Any, curve: Curve, request: Request) -> dict[str, Any]:
    """Return SasView's fit page of a model not fitted. Raises SasnetError if sasnet has no curves of it."""
    from ..fitting.api import uncertainties
    from ..report.exports.sasview_project import fit_page
    from .messages import name

    model, factor = name(request.body, "model") or "", name(request.body, "structure_factor")
    task = Task(curve, uncertainties(curve)[0], model, factor)
    found = next((fit for _, fit in pool.run(started, [task], _SECONDS)), None)
    if not isinstance(found, ModelFit):
        raise SasnetError(f"{model}: sasnet has no starting values for it; choose the model on the fit page.")
    return {"page": fit_page(curve, found) | {"model": model, "structure_factor": factor}}
