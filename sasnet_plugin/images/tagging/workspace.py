"""A folder and its log: what people do to labels, and what they look at."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...domains import DEFAULT, recognise_domain, specification
from ...types import SasnetError, printable
from ...web.content import Images, Key
from ...web.settings import WEB
from .background import Background, Geometry, KindOf
from .events import LABEL, NO, REDO, UNDO, UNKNOWN, YES, Event, Log
from .exchange import COLUMNS
from .retraining import Retraining
from .selection import Orders, select_rows
from .state import Actions, State
from .thumbnails import Thumbnails, cache_of
from .worker import vocabulary

# --- A folder and its log: what people do to labels, and what they look at.


class Workspace:
    """What `sasnet tag` holds; `live` rescans the folder, `without` is excluded from it, `dropped` has files
    dropped on the page. Raises SasnetError if the log is another folder's or unreadable.
    """

    def __init__(
        self,
        folder: Path,
        domain: str,
        log: Log,
        thumbnails: Thumbnails,
        *,
        live: bool = True,
        without: Path | None = None,
        dropped: Path | None = None,
        geometry: Geometry | None = None,
        kind: KindOf | None = None,
    ) -> None:
        self.folder, self.domain, self.log = folder.resolve(), domain, log
        log.claim(self.folder)
        self.images = Images(self.folder, without, dropped, curves=domain == DEFAULT)
        self.state = State(self.images, vocabulary(specification(domain).heads))
        self._orders = Orders(self.state)
        self.lock = threading.RLock()
        self._selections: OrderedDict[str, NDArray[np.intp]] = OrderedDict()
        self.background = Background(
            domain, self.state, log, thumbnails, self.lock, self.refresh, live=live, geometry=geometry,
            kind=kind,
        )  # fmt: skip
        try:
            self.refresh()
        except SasnetError:
            self.background.close()
            raise

    def close(self) -> None:
        """End what works in the background, and let go of the databases."""
        self.background.close()
        self.log.close()

    def refresh(self) -> None:
        """Take in what the log has, from this server and others."""
        with self.lock:
            events = self.log.read_since(self.state.last_event)
            if events:
                self.state.take(events)
            if predictions := self.log.predictions_since(self.state.last_prediction):
                self.state.take_predictions(predictions)

    # -- labels

    def tag(self, rows: Sequence[int], tag: str, value: int, person: str) -> int:
        """Record a person's tag and return how many labels are new. Raises SasnetError, with nothing done,
        for a wrong name or image or a failed write.
        """
        with self.lock:
            events = self.tagging(rows, tag, value, person)
            self._append(events)
            return len(events)

    def tagging(self, rows: Sequence[int], tag: str, value: int, person: str) -> list[Event]:
        """What `tag` would write; arguments and errors as there."""
        tag, person = name_given(tag, "tag"), name_given(person, "person")
        with self.lock:
            self.refresh()
            state, images = self.state, self.images
            images.check(rows)
            column = state.tags.index(tag) if tag in state.tags else -1
            action = secrets.token_hex(8)
            return [
                Event(LABEL, action, person, *images.keys[r], tag, value)
                for r in rows
                if column < 0 or state.value[r, column] != value or state.author[r, column] < 0
            ]

    def accept(
        self, rows: Sequence[int], tag: str, least: float, most: float, person: str, value: int = YES
    ) -> tuple[int, int]:
        """Take over what the model says of unanswered tags; how many were accepted, rejected."""
        # Arguments and errors as of `accepting`.
        with self.lock:
            events = self.accepting(rows, tag, least, most, person, value)
            self._append(events)
        yes = sum(event.value == YES for event in events)
        return yes, len(events) - yes

    def accepting(
        self, rows: Sequence[int], tag: str, least: float, most: float, person: str, value: int = YES
    ) -> list[Event]:
        """Return what `accept` would write: tags (empty: all) present from probability `least`, absent up to
        `most`; with `NO`, wrong from `least`.
        """
        person = name_given(person, "person")
        with self.lock:
            self.refresh()
            state = self.state
            self.images.check(rows)
            if tag and tag not in state.tags:
                raise SasnetError(f"There is no tag {tag[:100]!r}.")
            chosen = np.asarray(rows, dtype=np.intp)
            action = secrets.token_hex(8)
            events: list[Event] = []
            for column in [state.tags.index(tag)] if tag else range(len(state.tags)):
                p = state.probability[chosen, column]
                free = (state.value[chosen, column] == UNKNOWN) & np.isfinite(p)
                for label_value, selection in (
                    (value, free & (p >= least)),
                    (NO, free & (p <= most) & ~(p >= least)),
                ):
                    name = state.tags[column]
                    events += [
                        self._make_acceptance(action, int(r), name, column, label_value, person)
                        for r in chosen[selection]
                    ]
            return events

    def undo(self, person: str, *, again: bool = False) -> bool:
        """Take this person's last action back, or do again what was taken back last; False: there is none."""
        person = name_given(person, "person")
        with self.lock:
            self.refresh()
            acts = self.state.acts.get(person, Actions())
            actions = acts.undone if again else list(acts.done)
            if not actions:
                return False
            self._append([Event(REDO if again else UNDO, actions[-1], person)])
            return True

    def bring(self, labels: dict[Key, dict[str, int]], person: str) -> int:
        """Take labels of a file in; the number of them that are new."""
        person = name_given(person, "person")
        for tag in {tag for label in labels.values() for tag in label}:
            name_given(tag, "tag")
        with self.lock:
            self.refresh()
            state, action = self.state, secrets.token_hex(8)
            events = []
            for (file, number), values in labels.items():
                row = self.images.row.get((file, number))
                for tag, value in values.items():
                    column = state.tags.index(tag) if tag in state.tags else -1
                    if row is None or column < 0 or state.value[row, column] != value:
                        events.append(Event(LABEL, action, person, file, number, tag, value))
            self._append(events)
            return len(events)

    def new_tag(self, name: str) -> None:
        """Offer one more tag; in the log it is with its first label."""
        with self.lock:
            self.state.tag(name_given(name, "tag"))

    def _make_acceptance(
        self, action: str, row: int, tag: str, column: int, value: int, person: str
    ) -> Event:
        file, number = self.images.keys[row]
        model = self.state.models[self.state.model[row]]
        p = float(self.state.probability[row, column])
        return Event(LABEL, action, person, file, number, tag, value, model, p)

    def _append(self, events: Sequence[Event]) -> None:
        if events:
            self.log.append(events)
            with contextlib.suppress(
                SasnetError
            ):  # they are kept; what holds now is read again before all else
                self.refresh()

    # -- what is looked at

    def select(self, text: str = "", order: str = "name", like: int | None = None) -> tuple[str, int]:
        """Filter and order; a name for the result, which stays as it is, and how many images it has."""
        with self.lock:
            self.refresh()
            rows = select_rows(self.state, self._orders, self.background.pictures, text, order, like)
            name = secrets.token_hex(6)
            self._selections[name] = rows
            while len(self._selections) > WEB.selections:
                self._selections.popitem(last=False)
            return name, len(rows)

    def rows(self, name: str) -> NDArray[np.intp]:
        """Return the rows of a selection. Raises SasnetError if it is outdated; the page then asks again."""
        with self.lock:
            if name not in self._selections:
                raise SasnetError("This list is out of date; filter again.")
            self._selections.move_to_end(name)
            return self._selections[name]


def name_given(name: str, label: str) -> str:
    """Strip a tag's or person's name. Raises SasnetError if empty, too long or invisible."""
    name = name.strip()
    if len(name) > WEB.longest_name:
        raise SasnetError(
            f"This name of a {label} has {len(name):,} characters; use {WEB.longest_name} at most."
        )
    if not name or not name.isprintable() or name[0] in "=+-@" or name in COLUMNS:
        raise SasnetError(
            f"{printable(name)!r} cannot be the name of a {label}; begin with a letter, and do not use"
            f" {', '.join(COLUMNS)}."
        )
    return name


# --- The tab of tags: a folder of images, its labels, and what is retrained on them.

#: Files that are looked at to see what a folder holds.
_LOOKED_AT = 20


@dataclass(frozen=True)
class Tagging:
    """A folder of images whose tags are given."""

    workspace: Workspace
    retraining: Retraining  #: Of the images' model.

    def close(self) -> None:
        self.retraining.stop()
        self.workspace.close()


def open_tagging(
    folder: Path, kind: str, work: Path, dropped: Path | None = None, *, live: bool = True,
    geometry: Geometry | None = None, kind_of: KindOf | None = None,
) -> Tagging:  # fmt: skip
    """Open the tags of images of a kind; `dropped` is a folder of files dropped on the page, `geometry` what
    was given there and `kind_of` what is known there. Raises SasnetError if labels are another folder's or
    unreadable.
    """
    work.mkdir(parents=True, exist_ok=True)
    log = Log(str(work / "labels.sqlite"))
    excluded_folder = work if folder.parent != work else None  # what was dropped lies there, too
    thumbnails = Thumbnails(cache_of(folder))
    workspace = Workspace(
        folder, kind, log, thumbnails, live=live, without=excluded_folder, dropped=dropped, geometry=geometry,
        kind=kind_of,
    )  # fmt: skip
    folders = [workspace.folder, *([] if dropped is None else [dropped])]
    return Tagging(workspace, Retraining(work / "retrained", kind, folders))


def kind_of(folder: Path) -> str:
    """Return the kind of most of a folder's first files. Raises SasnetError without a clear one."""
    images = Images(folder)
    images.take(images.look())
    votes = Counter(recognise_domain(images.folder / file, tags=True) for file, _ in images.keys[:_LOOKED_AT])
    if not votes:
        raise SasnetError(
            f"{folder}: contains no files yet; give the kind of the coming files with --domain."
        )
    return votes.most_common(1)[0][0]
