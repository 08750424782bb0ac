"""Where the curve of an event lies: arrays by their names in the descriptor, or a file that it names.

``RE.subscribe(Documents(tell=print))``: documents come as (name, document) of the event model. A curve lies
in an event as arrays, or in a file that the event names. Whatever is wrong with an event is said in its
answer: a callback that raised would end the scan.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...batch.live.line import Said, names_of, outcome_of, summarise_answer
from ...batch.live.states import SETTLED, States, counts_of, merge_curves
from ...batch.series import Sequential
from ...data.clean import clean
from ...data.limits import sentence_of
from ...data.raw import RawCurve
from ...predict import Predictor, open_predictor
from ...predict.counting import group_shares
from ...types import Curve, DataError, SasnetError
from ...units import canonical

# --- Where the curve of an event lies: arrays by their names in the descriptor, or a file that it
# --- names.

#: Usual names of the fields, in small letters; a detector's name may stand before them, ``saxs_q``.
USUAL = {
    "q": ("q", "qs", "q_values"),
    "intensity": ("i", "iq", "i_q", "intensity", "intensities"),
    "dintensity": ("di", "idev", "sigma", "sigmas", "error", "errors", "intensity_error", "i_error"),
    "dq": ("dq", "qdev", "q_error"),
    "file": ("file", "filename", "file_name", "filepath", "file_path", "path", "curve_file"),
}
#: Fields without which there is no curve.
NEEDED = ("q", "intensity")
ARRAYS = ("q", "intensity", "dintensity", "dq")


@dataclass(frozen=True)
class Keys:
    """Names of the fields of an event that hold a curve; None where it has none, or they are to be found."""

    q: str | None = None
    intensity: str | None = None
    dintensity: str | None = None
    dq: str | None = None
    file: str | None = None  #: A field that names a file; used where there are no arrays.
    #: Unit of q; default: what the descriptor says, else it is assumed from the values, as of a file.
    q_unit: str | None = None
    entry: str | None = None  #: Data set of a file that holds several.


def keys_of(data_keys: Mapping[str, Mapping[str, Any]], given_keys: Keys) -> Keys | None:
    """Find a descriptor's fields that hold a curve; None without one."""
    # A named field is never replaced by another.
    keys = {}
    for channel in USUAL:
        name = getattr(given_keys, channel)
        keys[channel] = name if name in data_keys else None if name else _usual(data_keys, channel)
    if any(keys[field] is None for field in NEEDED):
        if keys["file"] is None:
            return None
        keys |= dict.fromkeys(ARRAYS)
    unit = given_keys.q_unit
    if unit is None and keys["q"] is not None:
        unit = data_keys[keys["q"]].get("units") or None
    return replace(given_keys, **keys, q_unit=unit)


def _usual(data_keys: Mapping[str, Mapping[str, Any]], field: str) -> str | None:
    array = field != "file"
    for name, about in data_keys.items():
        if (about.get("dtype") == "array") != array:
            continue
        lowered_name = name.lower()
        if any(
            lowered_name == usual or lowered_name.endswith((f"_{usual}", f"-{usual}", f".{usual}"))
            for usual in USUAL[field]
        ):
            return name
    return None


def curve_of(event: Mapping[str, Any], keys: Keys, name: str) -> Curve:
    """Read the curve of an event. Raises SasnetError if it has none usable."""
    _check(event, keys, name)
    data = event["data"]
    if keys.q is None:
        return _read(str(data[keys.file]), keys)

    columns: dict[str, Any] = {}
    for channel in ARRAYS:
        own_key = getattr(keys, channel)
        columns[channel] = None if own_key is None else np.asarray(data[own_key], dtype=np.float64).ravel()
        if own_key is not None and columns[channel].size != columns["q"].size:
            raise DataError(
                f"{name}: {own_key} has {columns[channel].size} values but {keys.q} has {columns['q'].size};"
                " give"
                " one for each q."
            )
    return clean(RawCurve(**columns, **_unit(keys.q_unit)), file=name, entry="")


def _check(event: Mapping[str, Any], keys: Keys, name: str) -> None:
    """See that the event holds what its descriptor promises."""
    filled = event.get("filled", {})
    for key in filter(None, (getattr(keys, channel) for channel in USUAL)):
        if key not in event["data"] or filled.get(key) is False:
            state = "missing" if key not in event["data"] else "not filled"
            raise DataError(
                f"{name}: the event's field {key!r} is {state}; fill events with their data first."
            )


def _unit(given_unit: str | None) -> dict[str, Any]:
    unit = None if given_unit is None else canonical(given_unit, "q")
    return {"q_unit": unit, "q_unit_unknown": given_unit if given_unit is not None and unit is None else ""}


def _read(path: str, keys: Keys) -> Curve:
    from ...data import load

    curves = load(path, q_unit=keys.q_unit, entry=keys.entry)
    if len(curves) != 1:
        raise SasnetError(f"{path}: holds {len(curves)} data sets; name one as entry in the keys.")
    return curves[0]


# --- A callback on Bluesky's event documents: each event with a curve is answered once.

#: Answers that are kept to be asked for.
KEPT = 20_000
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Answered:
    """What is said of an event."""

    #: event, run: their uid.
    event: str
    run: str
    stream: str
    number: int  #: Of the event in its stream, from 1.
    data: Mapping[str, Any]  #: What else the event holds that is no array: motors, temperatures.
    #: Numbers by name (`batch.steering.outcome`); all NaN where there is no answer.
    outcome: Mapping[str, float | str]
    about: Said | None = None
    note: str = ""  #: Why there is none; else empty.
    change: str = ""  #: A sentence where the series of the stream has changed with this event.
    advice: str = ""  #: Of curves that are added up: a sentence when the answer is settled with this event.

    def __str__(self) -> str:
        place = f"{self.stream} {self.number}"
        if self.about is None:
            return f"{place}: {self.note}"
        label = self.about.model or "nothing that the network knows"
        sure = f" ({self.about.model_probability:.0%})" if self.about.model else ""
        return " ".join(filter(None, (f"{place}: {label}{sure}.", self.change, self.advice)))


@dataclass
class _Stream:
    """A stream of events that is open: of one descriptor, or of several that follow one another."""

    run: str
    name: str
    keys: dict[str, Keys]
    states: States
    test: Sequential = field(default_factory=lambda: Sequential(SETTLED))
    total: Curve | None = None
    seen: set[str] = field(default_factory=set)


@dataclass(eq=False)  # a RunEngine keeps its callbacks by their hash
class Documents:
    """Answers events; call it with the name of a document and the document."""

    #: Names of the fields; those left out are recognised by usual names.
    keys: Keys = field(default_factory=Keys)
    #: Curves of a stream are of one sample: each is added to those before, and it is said when the answer is
    #: settled, which is when one may stop counting.
    add: bool = False
    tell: Callable[[Answered], None] | None = None  #: Told of each answer.
    kept: int = KEPT  #: Answers that can still be asked for.
    predictor: Predictor | None = None
    _answers: OrderedDict[str, Answered] = field(default_factory=OrderedDict)
    _runs: OrderedDict[str, Document] = field(default_factory=OrderedDict)
    _streams: dict[str, _Stream] = field(default_factory=dict)

    def __call__(self, name: str, document: Document) -> None:
        """Take a document; of kinds that carry no curve nothing is done."""
        takes = {
            "start": self._start, "descriptor": self._descriptor, "event": self._event,
            "event_page": self._page, "stop": self._stop,
        }  # fmt: skip
        take = takes.get(name)
        try:
            if take is not None:
                take(document)
        except Exception as error:
            logging.getLogger(__name__).warning("%s", sentence_of(f"document {name!r}", error))

    def answer(self, event: str) -> Answered | None:
        """Return the answer to an event by its uid; None if there is none, or no more."""
        return self._answers.get(event)

    def answers(self, run: str | None = None) -> list[Answered]:
        """List kept answers, of a run or of all, as they came."""
        return [answer for answer in self._answers.values() if run is None or answer.run == run]

    def start_of(self, run: str) -> Document:
        """The start document of a run; empty where it was not seen."""
        return self._runs.get(run, {})

    # --- documents ---

    def _start(self, document: Document) -> None:
        self._runs[document["uid"]] = document
        while len(self._runs) > self.kept:
            self._runs.popitem(last=False)

    def _descriptor(self, document: Document) -> None:
        keys = keys_of(document.get("data_keys", {}), self.keys)
        if keys is None:
            return
        run, name = document["run_start"], document.get("name", "primary")
        previous = next((s for s in self._streams.values() if (s.run, s.name) == (run, name)), None)
        stream = previous or _Stream(run, name, {}, States(self._predict_outcomes))
        stream.keys[document["uid"]] = keys
        self._streams[document["uid"]] = stream

    def _page(self, document: Document) -> None:
        from event_model import unpack_event_page

        for event in unpack_event_page(document):
            self._event(event)

    def _event(self, document: Document) -> None:
        stream = self._streams.get(document["descriptor"])
        if stream is None or document["uid"] in stream.seen:
            return
        stream.seen.add(document["uid"])
        answer = self._answer_event(stream, document)
        self._answers[answer.event] = answer
        while len(self._answers) > self.kept:
            self._answers.popitem(last=False)
        if self.tell is not None:
            self.tell(answer)

    def _stop(self, document: Document) -> None:
        run = document["run_start"]
        self._streams = {uid: s for uid, s in self._streams.items() if s.run != run}

    # --- answers ---

    def _open_predictor(self) -> Predictor:
        if self.predictor is None:
            self.predictor = open_predictor()
        return self.predictor

    def _predict_outcomes(self, curves: Iterable[Curve]) -> Any:
        return self._open_predictor().outcomes(list(curves))

    def _answer_event(self, stream: _Stream, document: Document) -> Answered:
        data = document["data"]
        about, note, change, advice = None, "", "", ""
        number = int(document.get("seq_num", 0))
        try:
            curve = curve_of(document, stream.keys[document["descriptor"]], f"{stream.name} {number}")
            whole = curve
            if self.add and stream.total is not None:
                whole = merge_curves(stream.total, curve)
            (answer,) = self._open_predictor().outcomes([whole])
            if isinstance(answer, Exception):
                raise answer
            about, stream.total = summarise_answer(answer), whole if self.add else None
            changed = None if self.add else stream.states.add(number, curve)
            change = "" if changed is None else changed.sentence
            advice = self._advise(stream, answer) if self.add else ""
        except Exception as error:
            note = str(error) if isinstance(error, SasnetError) else sentence_of(document["uid"], error)
        rest = {name: value for name, value in data.items() if np.ndim(value) == 0}
        outcome = outcome_of(about, names_of(self._open_predictor()))
        return Answered(
            document["uid"], stream.run, stream.name, number, rest, outcome, about, note, change, advice
        )

    def _advise(self, stream: _Stream, answer: Any) -> str:
        """A sentence with the event that settles the answer."""
        was_settled = bool(stream.test.settled)
        counts = 0.0 if stream.total is None else counts_of(stream.total)
        if not stream.test.look(group_shares(answer), answer.known, counts) or was_settled:
            return ""
        return f"Converged: {stream.test.settled}; you may stop counting."
