"""A fit, from the place of its data to its answer as plain data and its files; runs in a process of its own.

That process has others that fit, as `sasnet fit` has: killed, it takes them with it.

Requests come in on stdin, events go out on stdout, one JSON object a line (`answers`). One thread listens,
so that a fit can be cancelled while it runs; the end of stdin means that the caller has ended, and ends
this process at once. The main thread answers one request after another; fits run in processes of their own.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import numpy as np

from ..data.limits import sentence_of, unforeseen
from ..extensions import service
from ..fitting.progress import Watched
from ..fitting.request import OPTIONS, exact
from ..fitting.result.fit_result import FitResult
from ..fitting.result.model_fit import ModelFit
from ..fitting.task import FitOptions
from ..fitting.verdict.next_step import changes_of, command, entry_of
from ..planning import sentences
from ..types import SasnetError
from ..workers.pool import GoneError, Pool
from ..zoo import bank_path
from .answers import AT_ONCE, Answers, EventWriter, Request, RequestError, fit_options, plain, request_of
from .interactive import Place, Reader

if TYPE_CHECKING:
    from ..fitting.pool import Workers
    from ..fitting.result.sample_result import SampleResult


# --- `sasnet serve`: a child process that suggests and fits for a program that must not wait, such
# --- as SasView.


class Server:
    """Answers requests until they end; `workers` processes fit."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO, workers: int) -> None:
        self._requests, self._workers = requests, workers
        self._events = EventWriter(answers, broken=lambda: self.end(0))
        self._folder: Path | None = None  # of reports; there is none to remove where none was asked for
        self._turn: queue.Queue[Request] = queue.Queue()
        self._wanted: dict[int, Request] = {}  # those in turn whose answer is still to come
        self._current: Request | None = None
        # Reentrant: a signal may come while the main thread holds it.
        self._lock, self._writing = threading.RLock(), threading.RLock()

    def run(self) -> NoReturn:
        """Answer; never returns, as the thread that waits for a line cannot be joined."""
        signal.signal(signal.SIGTERM, lambda *_: self.end(143))
        signal.signal(signal.SIGINT, lambda *_: self.end(130))
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self._serve()
        except Exception as error:
            reason = error if isinstance(error, SasnetError) else unforeseen("sasnet serve", error)
            self._events.write(None, "error", text=str(reason))
        self.end(1)

    def _serve(self) -> None:
        from ..fitting.pool import Workers

        # The processes start, and import what they need, before the first request comes.
        with Workers(bank_path(), self._workers, stopped=self._is_unwanted) as pool:
            answers = Answers(pool, self._reports)
            while True:
                self._answer(answers, self._turn.get())

    def _answer(self, answers: Answers, request: Request) -> None:
        from ..fitting.pool import StoppedError

        self._current = request
        try:
            # A folder that is being removed is not written into.
            with self._writing if request.do == "report" else nullcontext():
                result = answers.answer(request, lambda **progress: self._progress(request, **progress))
            self._finish(request, "done", result=result)
        except StoppedError:
            pass
        except SasnetError as error:
            self._finish(request, "error", text=str(error))
        except Exception as error:  # the next request has its turn all the same
            self._finish(request, "error", text=str(unforeseen(f"Request {request.id}", error)))

    def _listen(self) -> None:
        for line in self._requests:
            try:
                request = request_of(line)
                if request.do in AT_ONCE:
                    self._answer_at_once(request)
                    continue
                with self._lock:
                    if request.id in self._wanted:
                        raise RequestError(
                            f"Request {request.id} is still running; use another id.", request.id
                        )
                    self._wanted[request.id] = request
                self._turn.put(request)
            except RequestError as error:
                self._events.write(error.id, "error", text=str(error))
        self.end(0)

    def _answer_at_once(self, request: Request) -> None:
        try:
            subject = request.subject if request.do == "cancel" else None
        except SasnetError as error:
            raise RequestError(str(error), request.id) from None
        if subject is not None:
            with self._lock:
                unfinished = self._wanted.pop(subject, None)
                if unfinished is not None:
                    self._events.write(subject, "cancelled")
        self._events.write(request.id, "done", result={})
        if request.do == "quit":
            self.end(0)

    def _reports(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="sasnet-"))
        return self._folder

    def _is_unwanted(self) -> bool:
        current = self._current
        return current is not None and self._wanted.get(current.id) is not current

    def _progress(self, request: Request, **progress: Any) -> None:
        with self._lock:
            if self._wanted.get(request.id) is request:
                self._events.write(request.id, "progress", **progress)

    def _finish(self, request: Request, event: str, **fields: Any) -> None:
        with self._lock:
            if self._wanted.get(request.id) is request:
                del self._wanted[request.id]
                self._events.write(request.id, event, **fields)

    def end(self, code: int) -> NoReturn:
        """End this process from any thread; its workers end when it is gone, whatever they are doing."""
        with self._writing:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            os._exit(code)


def serve(workers: int) -> NoReturn:
    """Answer the program at stdin and stdout; `workers` processes fit."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever libraries and compilers print must not come between the lines, nor may they read any.
    with open(os.devnull, "rb") as null_file:
        os.dup2(null_file.fileno(), 0)
    sys.stdout.flush()
    os.dup2(2, 1)
    # Fits take all cores; the window of the program that asked for them has priority. Beside other busy
    # processes this leaves a third of what they have; with 10 it would be a tenth, too little for an answer.
    if hasattr(os, "nice"):
        os.nice(5)
    # One process a core: libraries that take all cores for each of them only get in each other's way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    Server(requests, answers, workers).run()


# --- A fit, from the place of its data to its answer as plain data and its files; runs in a process
# --- of its own.

PROGRESS, ANSWER, FILES, PROBLEM = "progress", "answer", "files", "problem"
#: Of an option of the command its name in a request; the range of q is that of the plot.
_REQUEST = {about.spelling: name for name, about in OPTIONS.items()} | {OPTIONS["q_range"].spelling: "window"}
#: What was said of a sample, as ``--sample-file`` takes it.
_SAMPLE = "sample.toml"
#: What was said of an instrument, as ``sasnet next --instrument`` takes it.
_INSTRUMENT = "instrument.toml"
#: A plan as ``sasnet next --json`` prints it, and its picture.
_PLAN, _PLAN_PICTURE = "plan.json", "plan.png"
Say = Callable[[tuple[str, Any]], None]


@dataclass(frozen=True)
class FitJob:
    """What is to be fitted."""

    places: tuple[Place, ...]  #: One curve, several of one sample, or an image.
    folder: str  #: For what is written of it; made.
    #: As a request of `sasnet serve` says how (`answers.fit_options`); of an image ``image``, ``kind``,
    #: ``geometry`` (`images.service.kinds.How`) and ``time_limit`` in seconds.
    body: Mapping[str, Any] = field(default_factory=dict)


def begin(workers: int) -> Callable[[FitJob, Say], tuple[str, Any]]:
    """Return what does fits in a process of the pool: says `PROGRESS`, `ANSWER`, `FILES` or `PROBLEM`."""
    from ..fitting.pool import Workers

    os.environ.setdefault("MPLBACKEND", "Agg")
    # Windows and pages of whoever asked have priority; with 10 nothing would be left beside busy processes.
    if hasattr(os, "nice"):
        os.nice(5)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    pool, reader = Workers(bank_path(), workers).__enter__(), Reader()

    def do(job: FitJob, say: Say) -> tuple[str, Any]:
        try:
            if job.body.get("image"):
                answer, files = service("fit_image")(job, lambda stage: say((PROGRESS, {"name": stage})))
                say((ANSWER, answer))
                return FILES, files
            return _run_fit(pool, reader, job, say, workers)
        except Exception as error:
            return PROBLEM, sentence_of(job.places[0].path, error)

    return do


def _run_fit(pool: Workers, reader: Reader, job: FitJob, say: Say, workers: int) -> tuple[str, Any]:
    from ..fitting.api import fit_with
    from ..fitting.asked import check_names
    from ..planning.next_measurement import FIT_SHARE
    from ..planning.options import fix_exchanging

    question, start_time = _question(job), time.monotonic()
    share = 1.0 if job.body.get("plan") is None else FIT_SHARE  # the plan has the rest of the time
    fit_settings = fix_exchanging(fit_options(job.body), question.get("exchange"))
    options = replace(fit_settings, workers=workers, also=_also(job))
    check_names(options)
    watched = Watched(pool, lambda **progress: say((PROGRESS, progress)))
    curves = [reader.curve(place) for place in job.places]
    if len(curves) > 1:
        return _sample_done(watched, curves, options, job, question, say, share)
    result = fit_with(watched, curves[0], options, wall=share * options.time_limit)
    commands = {"command": _command(result, options), "again": again(result, options)}
    seconds_left = options.time_limit - (time.monotonic() - start_time)
    planned, written = _make_plan(result, question, job, say, seconds_left)
    say((ANSWER, plain(describe_fit(result) | commands | planned)))
    return FILES, [*write_fit(result, Path(job.folder)), *written]


def plan_next(
    result: FitResult | SampleResult,
    question: Mapping[str, Any],
    folder: Path,
    say: Say,
    time_limit: float | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Return the next measurement as ``lines``, cells of a ``table``, its header first, ``json`` and
    ``picture``, a PNG in base64, and names of the files written; without a plan, the one line says why.
    """
    from ..files import put_whole
    from ..planning.next_measurement import next_measurement
    from ..report.next_measurement import plot_plan

    def tell(done: int, of: int) -> None:
        say((PROGRESS, {"done": done, "of": of, "name": str(sentences.PLANNING)}))

    try:
        plan = next_measurement(result, **question, progress=tell, time_limit=time_limit)
    except SasnetError as error:  # the fit is an answer without it
        return {"lines": [str(error)], "table": []}, []
    if not plan.ranked:
        return {"lines": plan.lines(), "table": []}, []
    answer = {"lines": plan.lines(), "table": plan.table(), "json": plain(plan.as_dict())}
    put_whole(folder / _PLAN, json.dumps(answer["json"]).encode(), "plan", make_folder=True)
    plot_plan(folder / _PLAN_PICTURE, plan)
    picture = b64encode((folder / _PLAN_PICTURE).read_bytes()).decode()
    return answer | {"picture": picture}, [_PLAN, _PLAN_PICTURE]


def _question(job: FitJob) -> dict[str, Any]:
    from ..files import put_whole
    from ..planning.measurements import read_instrument
    from ..planning.options import plan_options

    asked = dict(job.body.get("plan") or {})
    if text := asked.pop("instrument_text", ""):
        file = Path(job.folder) / _INSTRUMENT
        put_whole(file, text.encode(), "instrument", make_folder=True)
        asked["instrument"] = str(file)
        try:
            read_instrument(file)  # before anything is fitted
        except SasnetError as error:
            raise SasnetError(str(error).replace(str(file), "The instrument")) from None
    return plan_options(asked)


def _make_plan(
    result: FitResult | SampleResult,
    question: Mapping[str, Any],
    job: FitJob,
    say: Say,
    seconds_left: float,
) -> tuple[dict[str, Any], list[str]]:
    if job.body.get("plan") is None or not result.fits:
        return {}, []
    answer, written = plan_next(result, question, Path(job.folder), say, seconds_left)
    return {"plan": answer}, written


def _also(job: FitJob) -> dict[str, str]:
    place, options = job.places[0], {}
    unit = next((one_place.q_unit for one_place in job.places if one_place.q_unit), None)
    if place.window is not None:
        options["--q-range"] = ":".join(map(exact, place.window))
    if unit is not None:
        options["--q-unit"] = unit
    if place.wavelength is not None:
        options["--wavelength"] = f"{place.wavelength:g}"
    return options


def _command(result: FitResult, options: FitOptions) -> str:
    return command(result.curve.file, options, entry_of(result, options))


def again(result: FitResult, options: FitOptions) -> dict[str, Any] | None:
    """Return what the next step changes in a fit's request: ``models``, ``structure_factor``, ``fixed``,
    ``time_limit``, ``q_unit`` and ``window`` (None at an end: as before); None values are automatic. None if
    it only writes files.
    """
    changes, _ = changes_of(result, options)
    if not changes.keys() <= _REQUEST.keys():
        return None
    lists = {option: list(value) if isinstance(value, tuple) else value for option, value in changes.items()}
    return {_REQUEST[option]: value for option, value in lists.items()}


def _sample_done(
    pool: Watched,
    curves: list[Any],
    options: FitOptions,
    job: FitJob,
    question: Mapping[str, Any],
    say: Say,
    share: float,
) -> tuple[str, Any]:
    from ..data.sample.described import as_toml, sample_of
    from ..files import put_whole
    from ..fitting.api import fit_sample
    from ..materials import densities
    from ..planning.options import tie_exchanging

    described = dict(job.body.get("sample_description") or {})
    sample = sample_of(curves, described, sld=densities(job.places[0].wavelength))
    if described:  # for the command that is named next
        file = Path(job.folder) / _SAMPLE
        put_whole(file, as_toml(described).encode(), "sample file", make_folder=True)
        options = replace(options, also=options.also | {"--sample-file": str(file)})
    start_time = time.monotonic()
    result = fit_sample(pool, tie_exchanging(sample, question.get("exchange")), options, share)
    seconds_left = options.time_limit * len(curves) - (time.monotonic() - start_time)
    descriptions = [describe_fit(fit_result) for fit_result in result.as_results()]
    planned, written = _make_plan(result, question, job, say, seconds_left)
    say((ANSWER, plain({"sample": result.as_dict(), "each": descriptions, **planned})))
    return FILES, [*sample_written(result, Path(job.folder)), *([_SAMPLE] if described else []), *written]


def describe_fit(result: FitResult) -> dict[str, Any]:
    """Return a fit as plain objects: ``fit`` as ``sasnet fit --json``; ``curves``, of each fit ``name``,
    ``intensity``, ``residuals`` (n,), ``values`` (sasmodels' keywords), ``limits`` (low, high by fitted
    parameter), ``per_decade``, ``errors`` (what these include); ``q`` (n,) Å⁻¹; ``intensity_unit``.
    """
    return {
        "fit": result.as_dict(),
        "q": result.curve.q, "intensity_unit": result.curve.intensity_unit,
        "curves": [_curve(result, fit) for fit in result.fits],
    }  # fmt: skip


def _curve(result: FitResult, fit: ModelFit) -> dict[str, Any]:
    from ..fitting.problem.experiment import starting_values
    from ..report.exports.bumps import describe_errors

    return {
        "name": fit.short_name, "model": fit.model, "structure_factor": fit.structure_factor,
        "intensity": fit.theory, "residuals": (result.curve.intensity - fit.theory) / result.dintensity,
        "values": starting_values(fit), "per_decade": fit.per_decade,
        "errors": describe_errors(result.curve, fit),
        "limits": {name: (fit.parameters[name].low, fit.parameters[name].high) for name in fit.free},
    }  # fmt: skip


def write_fit(result: FitResult, folder: Path) -> list[str]:
    """Names of the files that were written of a fit: report, CSV of the curves, all that opens elsewhere."""
    from ..report.exports.write_all import export
    from ..report.page.reports import write_report

    folder.mkdir(parents=True, exist_ok=True)
    paths = [write_report(result, folder), *export(result, folder), write_curves(result, folder)]
    return [path.name for path in paths]


def sample_written(result: SampleResult, folder: Path) -> list[str]:
    """Write the files of a sample's joint fit."""
    from ..report.exports.write_all import write_sample
    from ..report.page.reports import write_sample_report

    folder.mkdir(parents=True, exist_ok=True)
    found_files = *write_sample(result, folder, "sample"), write_sample_report(result, folder)
    return [path.name for path in found_files]


def write_curves(result: FitResult, folder: Path) -> Path:
    """Data and each fit as columns of a CSV: q (Å⁻¹), I and its uncertainty, then I(q) of each model."""
    from ..files import put_whole
    from ..report.page.document import stem

    curve, fits = result.curve, result.fits
    columns = [curve.q, curve.intensity, result.dintensity, *(fit.theory for fit in fits)]
    head = ["q_per_angstrom", "intensity", "uncertainty", *(fit.short_name for fit in fits)]
    lines = [",".join(head), *(",".join(f"{v:.9g}" for v in row) for row in np.stack(columns, axis=1))]
    path = folder / f"{stem(curve.file, curve.entry, 'curve')}.csv"
    put_whole(path, ("\n".join(lines) + "\n").encode("utf-8", "replace"), "table of curves")
    return path


# --- Fits in their turn, each in a process that is killed when it is no longer wanted.

#: Told the number of a fit, the kind of what is said of it (`fits`, `BEGUN`, `CANCELLED`), and what is said.
Hear = Callable[[int, str, Any], None]
BEGUN, CANCELLED = "begun", "cancelled"
#: Between two looks at whether the fit under way is still wanted, s.
_LOOK = 0.1
_LOG = logging.getLogger(__name__)


class Queue:
    """One fit after another, as each takes all cores; `hear` runs in a thread of the queue, `target`,
    ``module:function``, makes what does the jobs (`workers.pool.Pool`).
    """

    def __init__(self, workers: int, hear: Hear, target: str = "sasnet_plugin.service.fits:begin") -> None:
        self._hear = hear
        self._waiting: OrderedDict[int, Any] = OrderedDict()
        self._current, self._unwanted = 0, False
        self._ready, self._closed = threading.Condition(), False
        self._pool = Pool(target, first=(workers,), quiet=True)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, number: int, job: Any) -> None:
        """Have something done, under a number of the caller's."""
        with self._ready:
            self._waiting[number] = job
            self._ready.notify()

    def cancel(self, number: int) -> bool:
        """End a fit, under way or waiting; False where it is neither."""
        with self._ready:
            waited = self._waiting.pop(number, None) is not None
            under_way = number == self._current
            self._unwanted |= under_way
        if waited:
            self._hear(number, CANCELLED, None)
        return waited or under_way

    def holds(self, number: int) -> bool:
        """Whether a fit waits or is under way, its files included."""
        with self._ready:
            return number in self._waiting or number == self._current

    def close(self) -> None:
        with self._ready:
            self._closed = True
            self._ready.notify()
        self._pool.close()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._closed or self._waiting)
                if self._closed:
                    return
                self._current, job = self._waiting.popitem(last=False)
                self._unwanted = False
            try:
                self._hear(self._current, BEGUN, None)
                self._do(self._current, job)
            except Exception as error:  # no room for a process, or what was said could not be kept
                _LOG.warning("fit %d failed", self._current, exc_info=True)
                self._try_to_tell(self._current, error)
            finally:
                self._current = 0

    def _do(self, number: int, job: Any) -> None:
        with self._pool.doing(job):
            while not self._closed:
                if self._unwanted:
                    return self._hear(number, CANCELLED, None)
                for reply in self._pool.hear(_LOOK):
                    if reply.error is not None:
                        is_gone = isinstance(reply.error, GoneError)
                        why = "the process that fitted ended" if is_gone else str(reply.error)
                        return self._hear(number, PROBLEM, f"The fit failed: {why}; fit again.")
                    self._hear(number, *reply.message)
                    if reply.last:
                        return None
        return None

    def _try_to_tell(self, number: int, error: Exception) -> None:
        reason = str(error) if isinstance(error, SasnetError) else f"{type(error).__name__}: {error}"
        try:
            self._hear(number, PROBLEM, reason)
        except Exception:
            _LOG.warning("fit %d: %s", number, reason, exc_info=True)
