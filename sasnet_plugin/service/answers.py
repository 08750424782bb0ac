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
            return self._report(request.subject, name(request.body, "folder"))
        result = fit(Watched(self.pool, progress), request)
        self._fits[request.id] = result
        self._fits.move_to_end(request.id)
        while len(self._fits) > _KEPT:
            self._fits.popitem(last=False)
        return describe_fit(result, request)

    def _report(self, fit_number: int, lasting: str | None) -> dict[str, Any]:
        from ..files import check_output
        from ..report.page.reports import page_name, write_report

        if fit_number not in self._fits:
            raise SasnetError(f"There is no fit {fit_number} to report; fit first.")
        result = self._fits[fit_number]
        # Two fits of the same data would have the same page.
        folder = Path(lasting).expanduser() if lasting else self.folder() / f"fit{fit_number}"
        check_output(folder / page_name(result.curve, folder))
        return {"path": str(write_report(result, folder).resolve())}


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
    from ..report.exports.sasview import category

    classifier = open_classifier()
    suggestion = classifier.suggest([curve], top=top)[0]
    manifest = classifier.manifest
    outside = manifest.scope.outside if manifest.scope else ""
    out_of_scope = suggestion.in_scope < manifest.scope_threshold
    models = [
        {
            "model": guess.name,
            "structure_factor": guess.structure_factor,
            "probability": guess.probability,
            "group": guess.group,
            "category": category(guess.name),
            "preview": preview,
        }
        for guess, preview in zip(suggestion.models, previews(pool, curve, suggestion), strict=True)
    ]
    notes = (curve.q_unit.doubt or str(curve.q_unit), *suggestion.notes)
    return {
        "name": curve.file,
        "in_scope": suggestion.in_scope,
        "warning": outside if out_of_scope else "",
        "q_unit": curve.q_unit.as_dict(),
        "notes": [note for note in notes if note not in ("", outside)],
        "models": models,
        "rg": suggestion.rg,
        "rg_network": suggestion.rg_network,
        "model_free": suggestion.model_free.as_dict() if suggestion.model_free else None,
    }


def previews(pool: Pool, curve: Curve, suggestion: Suggestion) -> list[dict[str, Any] | None]:
    """The bank's nearest curve of each suggested model; None where there is none, or not in time."""
    from ..fitting.api import uncertainties
    from ..fitting.start_values.screening import preview
    from ..fitting.task import Task

    dintensity = uncertainties(curve)[0]
    tasks = [Task(curve, dintensity, guess.name, guess.structure_factor) for guess in suggestion.models]
    pages: list[dict[str, Any] | None] = [None] * len(tasks)
    for index, answer in pool.run(preview, tasks, _PREVIEWS):
        if isinstance(answer, tuple):
            pages[index] = {"q": answer[0], "intensity": answer[1]}
    return pages


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
    from ..predict.class_prior import COMMON, check_prior

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
        prior=check_prior(name(body, "prior") or COMMON),
        structure_factor=name(body, "structure_factor"),
        time_limit=seconds(body, "time_limit", 90.0),
        contrast=contrast_of(sample, solvent, probe or "neutron", wavelength),
    )


def _start(values: Any) -> Start | None:
    """Values that a fit may begin from: ``model``, ``structure_factor`` and ``values`` of a request."""
    if values is None:
        return None
    if not isinstance(values, dict) or not isinstance(values.get("values"), dict):
        raise SasnetError('"start" must be an object with "model" and "values"; correct the request.')
    return Start(name(values, "model") or "", name(values, "structure_factor"), _values(values["values"]))


def _values(options: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers of parameters, seen to be such, and words as they are: kinds of distributions."""
    words = {key: value for key, value in options.items() if isinstance(value, str)}
    parameters = {key: value for key, value in options.items() if key not in words}
    return numbers({"values": parameters}, "values") | words


def describe_fit(result: FitResult, request: Request) -> dict[str, Any]:
    """A fit as plain objects: the answer, SasView's fit pages, curves, and a resolution that was found."""
    from ..fitting.result.reported_values import parameters_in_words
    from ..report.exports.sasview import fit_page, plugin_text

    pages = [
        {
            **fit_page(result.curve, each_fit),
            "model": each_fit.model,
            "structure_factor": each_fit.structure_factor,
            "reduced_chisq": each_fit.reduced_chisq,
            "weight": each_fit.weight,
            "values": parameters_in_words(each_fit, result.curve.intensity_unit),
            "plugin": plugin_text(each_fit.model) if len(sum_parts(each_fit.model)) > 1 else "",
        }
        for each_fit in result.fits
    ]
    curves = [
        {
            "name": each_fit.short_name,
            "q": result.curve.q,
            "intensity": each_fit.theory,
            "residuals": (result.curve.intensity - each_fit.theory) / result.dintensity,
        }
        for each_fit in result.fits
    ]
    dq = None if _has_resolution(request.body["curve"]) else result.curve.dq
    return {"fit": result.as_dict(), "pages": pages, "curves": curves, "dq": dq}


def _has_resolution(sent: Mapping[str, Any]) -> bool:
    return any(np.any(np.array(sent.get(key) or 0, dtype=float) > 0) for key in ("dq", "dxl", "dxw"))


#: Seconds for the values of one model.
_SECONDS = 60.0


def make_start_fit(task: Task, bank: Bank, budget: Budget = UNLIMITED) -> ModelFit | None:
    """The start of a fit as if it were one, its parameters without errors; work for a pool."""
    # None where the bank has no curve of the model.
    from ..fitting.optimize.finish import as_it_stands
    from ..fitting.start_values.screening import from_bank
    from ..fitting.strategy.fit_candidate import make_model_fit

    if task.model not in bank.models or not (starts := from_bank(task, bank)):
        return None
    return make_model_fit(task, as_it_stands(task, starts[0]), None, 0.0)


def start_page(pool: Any, curve: Curve, request: Request) -> dict[str, Any]:
    """Return SasView's fit page of a model not fitted. Raises SasnetError if sasnet has no curves of it."""
    from ..fitting.api import uncertainties
    from ..report.exports.sasview import fit_page
    from .messages import name

    model, factor = name(request.body, "model") or "", name(request.body, "structure_factor")
    task = Task(curve, uncertainties(curve)[0], model, factor)
    found_fit = next((fit for _, fit in pool.run(make_start_fit, [task], _SECONDS)), None)
    if not isinstance(found_fit, ModelFit):
        raise SasnetError(f"{model}: sasnet has no starting values for it; choose the model on the fit page.")
    return {"page": fit_page(curve, found_fit) | {"model": model, "structure_factor": factor}}
