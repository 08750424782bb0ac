"""Answers of `sasnet serve` to each request: suggestions, fits and reports as plain objects for JSON."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..data.clean import clean
from ..data.raw import RawCurve
from ..files import check_output
from ..fitting.progress import Progress, Watched
from ..fitting.request import request_from_json
from ..fitting.result.model_fit import ModelFit
from ..fitting.task import UNLIMITED, Budget, FitOptions, Pool, Task
from ..types import Curve, SasnetError, Suggestion, sum_parts

if TYPE_CHECKING:
    from ..fitting.result.fit_result import FitResult
    from ..simulate.bank import Bank


# --- Requests to `sasnet serve` from other programs, and its events: one JSON object a line,
# --- checked.

#: Version of the protocol; a caller compares it with its own.
PROTOCOL = 1
#: Requests that are answered in turn, and those that are answered at once, whatever is running.
IN_TURN = ("hello", "suggest", "page", "fit", "report")
AT_ONCE = ("cancel", "ping", "quit")


class RequestError(SasnetError):
    """A request that cannot be read; `id` is None where not even that could be."""

    def __init__(self, text: str, id: int | None = None) -> None:
        super().__init__(text)
        self.id = id


@dataclass(frozen=True, eq=False)
class Request:
    """One line of the caller."""

    id: int  #: The caller's choice; every event about the request carries it.
    do: str  #: One of `IN_TURN` and `AT_ONCE`.
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> int:
        """The request that this one is about."""
        return whole(self.body, "of", None, least=None)

    @property
    def curve(self) -> Curve:
        """The data, tidied as a file's are. Raises SasnetError if no usable points are left."""
        return curve_of(self.body.get("curve"))


def request_of(line: bytes) -> Request:
    """Parse one line. Raises RequestError, with the id if readable."""
    try:
        body = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise RequestError("This line is no JSON; send one JSON object a line, in UTF-8.") from None
    if not isinstance(body, dict):
        raise RequestError("This line is no JSON object; send one such as {"
                           '"id": 1, "do": "hello"}.')  # fmt: skip
    number = body.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise RequestError('A request needs an "id", a whole number of your choice.')
    do = body.get("do")
    if do not in (*IN_TURN, *AT_ONCE):
        raise RequestError(
            f'{do!r}: no such request; "do" must be one of {", ".join((*IN_TURN, *AT_ONCE))}.', number
        )
    return Request(number, do, body)


_COLUMNS = ("q", "intensity", "dintensity", "dq", "dxl", "dxw")


def curve_of(message: Any) -> Curve:
    """Build a curve from the caller's columns, null for missing numbers. Raises SasnetError if it is none or
    too few points are usable.
    """
    # ``name``, ``q`` (Å⁻¹), ``intensity``, maybe ``dintensity``, ``dq``, ``dxl``, ``dxw``; ``q_assumed``:
    # true if Å⁻¹ is not stated; ``intensity_unit``: such as ``1/cm`` or ``counts``.
    if not isinstance(message, dict):
        raise SasnetError('The request has no data; give "curve" with name, q and intensity.')
    file = str(message.get("name") or "") or "the data"
    columns = {key: _column(message, key, file) for key in _COLUMNS}
    sizes = {key: column.size for key, column in columns.items() if column is not None}
    if not {"q", "intensity"} <= sizes.keys():
        raise SasnetError(f"{file}: q or intensity is missing; give both.")
    for key, size in sizes.items():
        if size != sizes["q"]:
            raise SasnetError(
                f"{file}: {key} has {size} values but q has {sizes['q']}; give one value per q."
            )
    with np.errstate(all="ignore"):
        unit = None if message.get("q_assumed") is True else "Å⁻¹"
        raw = RawCurve(**columns, q_unit=unit, intensity_unit=str(message.get("intensity_unit") or ""))
        return clean(raw, file=file, entry="")


def _column(columns: Mapping[str, Any], key: str, file: str) -> Any:
    values = columns.get(key)
    if values is None:
        return None
    try:
        if not isinstance(values, list) or any(isinstance(v, str) for v in values):
            raise TypeError
        column = np.array([math.nan if v is None else float(v) for v in values], dtype=np.float64)
    except (TypeError, OverflowError):
        raise SasnetError(f"{file}: {key} is no list of numbers; give one number per point.") from None
    return column


def whole(body: Mapping[str, Any], key: str, default: int | None, *, least: int | None = 1) -> int:
    """A whole number of a request, see `_entry`."""
    description = "a whole number" if least is None else f"a whole number, at least {least}"
    found_number: int = _entry(
        body, key, default, description, lambda v: type(v) is int and (least is None or v >= least)
    )
    return found_number


def name(body: Mapping[str, Any], key: str) -> str | None:
    """A name of a request, see `_entry`; None where there is none."""
    found_name: str | None = _entry(body, key, None, "a name", lambda v: v is None or isinstance(v, str))
    return found_name


def _entry(
    body: Mapping[str, Any], key: str, default: Any, description: str, good: Callable[[Any], bool]
) -> Any:
    """Return a request's entry, or the default if missing or null. Raises SasnetError if it is not `good`."""
    value = body.get(key)
    value = default if value is None else value
    if not good(value):
        raise SasnetError(f'"{key}" is {description}, not {value!r}.')
    return value


def plain(value: Any) -> Any:
    """Convert a value to JSON's types; None for infinities and NaN."""
    if isinstance(value, Mapping):
        return dict(zip(map(str, value), map(plain, value.values()), strict=True))
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return list(map(plain, value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class EventWriter:
    """Writes events as whole lines from any thread; `broken` is called once the reader is gone."""

    def __init__(self, stream: BinaryIO, broken: Callable[[], object]) -> None:
        self._stream, self._broken, self._lock = stream, broken, Lock()

    def write(self, id: int | None, event: str, **fields: Any) -> None:
        """Write one event about the request `id`."""
        line = json.dumps(plain({"id": id, "event": event, **fields}), ensure_ascii=False, allow_nan=False)
        try:
            with self._lock:
                self._stream.write(line.encode("utf-8", "replace") + b"\n")
                self._stream.flush()
        except OSError:
            self._broken()


# --- Answers of `sasnet serve` to each request: suggestions, fits and reports as plain objects for
# --- JSON.

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
    from ..fitting.asked import options_of

    return options_of(request_from_json(body))


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
            "weight": None if each_fit.given_up else each_fit.weight,
            "values": parameters_in_words(each_fit),
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
    from ..fitting.start_values.screening import from_bank, select_plausible
    from ..fitting.strategy.fit_candidate import make_model_fit

    if task.model not in bank.models or not (starts := from_bank(task, bank)):
        return None
    return make_model_fit(task, as_it_stands(task, select_plausible(task, starts)), None, 0.0)


def start_page(pool: Any, curve: Curve, request: Request) -> dict[str, Any]:
    """Return SasView's fit page of a model not fitted. Raises SasnetError if sasnet has no curves of it."""
    from ..fitting.api import uncertainties
    from ..report.exports.sasview import fit_page

    model, factor = name(request.body, "model") or "", name(request.body, "structure_factor")
    task = Task(curve, uncertainties(curve)[0], model, factor)
    found_fit = next((fit for _, fit in pool.run(make_start_fit, [task], _SECONDS)), None)
    if not isinstance(found_fit, ModelFit):
        raise SasnetError(f"{model}: sasnet has no starting values for it; choose the model on the fit page.")
    return {"page": fit_page(curve, found_fit) | {"model": model, "structure_factor": factor}}
