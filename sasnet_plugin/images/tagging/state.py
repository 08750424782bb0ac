"""What holds now: the fold of the log. People win over models, the last one over those before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...web.content import Images
from ...web.settings import WEB
from .events import LABEL, UNDO, UNKNOWN, YES, Answers, Event

Bools = NDArray[np.bool_]


@dataclass
class Actions:
    """Of one person: those done, and those taken back that may be done again."""

    done: dict[str, None] = field(default_factory=dict)
    undone: list[str] = field(default_factory=list)


class State:
    """Labels and predictions by row of `Images` and by tag, starting with given tags."""

    def __init__(self, images: Images, tags: Sequence[str]) -> None:
        self.images = images
        self.tags: list[str] = []
        self.people: list[str] = []
        self.models: list[str] = []
        self.acts: dict[str, Actions] = {}
        self._said: dict[int, str] = {}
        #: (row, content of its file) -> what the last model said of that, and where it stands there.
        self._answers: dict[tuple[int, str], tuple[Answers, int]] = {}
        #: Grows with everything that is taken in; and for each row, what it was when the row changed.
        self.version = 0
        self.last_event = self.last_prediction = 0
        #: Grows whenever other answers of models are shown.
        self.shown = 0
        self._changed = np.zeros(0, np.int64)
        self._value = np.zeros((0, 0), np.int8)
        self._by = np.zeros((0, 0), np.int16)
        self._accepted = np.zeros((0, 0), np.bool_)
        self._probability = np.zeros((0, 0), np.float32)
        self._in_scope = np.zeros(0, np.float32)
        self._model = np.zeros(0, np.int16)
        self._undone: set[int] = set()
        self._actions: dict[str, int] = {}
        #: (n, 6) action, person, row, tag, value of each label, and 1 where it was accepted; as in the log.
        self._log: list[NDArray[np.int32]] = []
        for tag in tags:
            self.tag(tag)

    def tag(self, name: str) -> int:
        """Column of a tag, a new one where it is not known."""
        if name not in self.tags:
            self.tags.append(name)
        return self.tags.index(name)

    @property
    def value(self) -> NDArray[np.int8]:
        """(n, tags) what people say."""
        return self._grow()._value[: len(self.images)]

    @property
    def author(self) -> NDArray[np.int16]:
        """(n, tags) who said it, place in `people`, or −1."""
        return self._grow()._by[: len(self.images)]

    @property
    def acceptance(self) -> Bools:
        """(n, tags) where what a person says is a model's suggestion, accepted."""
        return self._grow()._accepted[: len(self.images)]

    @property
    def probability(self) -> NDArray[np.float32]:
        """(n, tags) by the last model, or NaN."""
        return self._grow()._probability[: len(self.images)]

    @property
    def in_scope(self) -> NDArray[np.float32]:
        """(n,) by the last model, or NaN."""
        return self._grow()._in_scope[: len(self.images)]

    @property
    def model(self) -> NDArray[np.int16]:
        """(n,) the last model, place in `models`, or −1."""
        return self._grow()._model[: len(self.images)]

    @property
    def change_version(self) -> NDArray[np.int64]:
        """(n,) `version` when something of the image changed."""
        return self._grow()._changed[: len(self.images)]

    @property
    def suggestions(self) -> Bools:
        """(n, tags) where the model says yes."""
        return np.asarray(self.probability >= WEB.present)

    @property
    def present(self) -> Bools:
        """(n, tags) what holds: what people say, and where nobody did, what the model says."""
        return np.where(self.value == UNKNOWN, self.suggestions, self.value == YES)

    @property
    def disagree(self) -> Bools:
        """(n, tags) where a person and the model say different things."""
        is_known = (self.value != UNKNOWN) & np.isfinite(self.probability)
        return is_known & (self.suggestions != (self.value == YES))

    @property
    def conflict(self) -> Bools:
        """(n, tags) where the last words of two people differ."""
        conflicts = np.zeros(self.value.shape, dtype=np.bool_)
        labels_kept = self._select_kept()[::-1]  # the last word of each person on each tag comes first
        cell = labels_kept[:, 2].astype(np.int64) * len(self.tags) + labels_kept[:, 3]
        _, first = np.unique(cell * max(len(self.people), 1) + labels_kept[:, 1], return_index=True)
        words = labels_kept[first]
        for value in (0, 1):
            subset = np.zeros_like(conflicts)
            chosen = words[words[:, 4] == value]
            subset[chosen[:, 2], chosen[:, 3]] = True
            conflicts = subset if value == 0 else conflicts & subset
        return conflicts

    def take(self, events: Iterable[Event]) -> None:
        labels: list[tuple[int, ...]] = []
        again = False
        self.version += 1
        for event in events:
            self.last_event = max(self.last_event, event.id)
            acts = self.acts.setdefault(event.who, Actions())
            action = self._actions.setdefault(event.action, len(self._actions))
            if event.kind == LABEL:
                row = self.images.add((event.file, event.number))
                label = self.tag(event.tag), event.value, int(event.is_acceptance)
                labels.append((action, self._person(event.who), row, *label))
                acts.done[event.action] = None
                acts.undone.clear()
            elif event.kind == UNDO:
                acts.done.pop(event.action, None)
                acts.undone.append(event.action)
                self._undone.add(action)
                again = True
            else:
                acts.undone = [one_action for one_action in acts.undone if one_action != event.action]
                acts.done[event.action] = None
                self._undone.discard(action)
                again = True
        if labels:
            self._log.append(np.array(labels, dtype=np.int32))
            self._grow()
            self._fold(self._log[-1])
        if again:
            self._refold()

    def take_predictions(self, predictions: Iterable[Answers]) -> None:
        """Take in what models said, in the order of the log; it is shown of files as they are now."""
        self.version += 1
        for answers in predictions:
            rows, places = [], []
            for place, (key, content) in enumerate(zip(answers.keys, answers.content, strict=True)):
                row = self.images.add(key)
                self._answers[row, content] = answers, place
                if content and self.images.content.get(key[0]) == content:
                    rows.append(row)
                    places.append(place)
            self._show(rows, answers, places)
            self.last_prediction = answers.last

    def read(self, file: str, content: str) -> None:
        """A file holds this, from now on; empty: that is not known."""
        content_before, rows = self.images.content.get(file, ""), self.images.find_rows(file)
        if content_before == content:
            return
        self.images.content[file] = content
        self.touch(rows)
        if content_before:  # of a file that was not known nothing was shown
            self.shown += 1
            self._probability[rows], self._in_scope[rows], self._model[rows] = np.nan, np.nan, -1
        for row in rows:
            self._said.pop(row, None)
            if content and (row, content) in self._answers:
                answers, place = self._answers[row, content]
                self._show([row], answers, [place])

    def _show(self, rows: list[int], answers: Answers, places: list[int]) -> None:
        if not rows:
            return
        self.shown += 1
        columns = [self.tag(name) for name in answers.tags]
        if answers.model not in self.models:
            self.models.append(answers.model)
        self._grow()
        self._probability[rows] = np.nan
        self._probability[np.ix_(rows, columns)] = answers.probability[places]
        self._in_scope[rows] = answers.in_scope[places]
        self._model[rows] = self.models.index(answers.model)
        self._changed[rows] = self.version
        self._said.update((row, answers.said[place]) for row, place in zip(rows, places, strict=True))

    def read_sentences(self, row: int) -> list[str]:
        """The last model's answer in sentences."""
        return [str(sentence) for sentence in json.loads(self._said.get(row, "[]"))]

    def touch(self, rows: Sequence[int]) -> None:
        """Say that something else about these rows has changed."""
        self.version += 1
        self._grow()._changed[list(rows)] = self.version

    def _person(self, name: str) -> int:
        if name not in self.people:
            self.people.append(name)
        return self.people.index(name)

    def _select_kept(self) -> NDArray[np.int32]:
        if not self._log:
            return np.zeros((0, 6), np.int32)
        self._log = [np.concatenate(self._log)]
        undone = np.fromiter(self._undone, np.int32, len(self._undone))
        return np.asarray(self._log[0][~np.isin(self._log[0][:, 0], undone)])

    def _fold(self, labels: NDArray[np.int32]) -> None:
        """Put labels in their places; of several for one place the last is the last that numpy puts there."""
        _, person, row, tag, value, accepted = labels.T
        self._value[row, tag] = value
        self._by[row, tag] = np.where(value == UNKNOWN, -1, person)
        self._accepted[row, tag] = (accepted == 1) & (value != UNKNOWN)
        self._changed[row] = self.version

    def _refold(self) -> None:
        value_before = self._value.copy()
        self._value[:] = UNKNOWN
        self._by[:] = -1
        self._accepted[:] = False
        changed = self._changed.copy()
        self._fold(self._select_kept())
        self._changed = np.where((self._value != value_before).any(axis=1), self.version, changed)

    def _grow(self) -> State:
        """Itself, with room for all images and tags."""
        rows, columns = self._value.shape
        if rows < len(self.images) or columns < len(self.tags):
            rows_added = max(len(self.images), rows + rows // 2) - rows if rows < len(self.images) else 0
            wide = (0, rows_added), (0, len(self.tags) - columns)
            self._value = np.pad(self._value, wide, constant_values=UNKNOWN)
            self._by = np.pad(self._by, wide, constant_values=-1)
            self._accepted = np.pad(self._accepted, wide)
            self._probability = np.pad(self._probability, wide, constant_values=np.nan)
            self._in_scope = np.pad(self._in_scope, wide[0], constant_values=np.nan)
            self._model = np.pad(self._model, wide[0], constant_values=-1)
            self._changed = np.pad(self._changed, wide[0])
        return self
