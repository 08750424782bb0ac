"""Answers of heads that name things, which class and which tags: in words, as plain data, a table, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..domains import Finding
from ..domains.heads import Classes, Group
from ..types import GroupGuess

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .arithmetic import BoolArray, Floats

DECISIVE = 0.8  # from this probability on an answer is given without "undecided"
#: In words, the class of all that is of no other one.
OTHERS = "another shape than this network knows"


class Named(Protocol):
    """A class or a group with its probability."""

    @property
    def name(self) -> str:
        """Of it."""

    @property
    def probability(self) -> float:
        """0..1."""


class InGroup(Named, Protocol):
    """A class of a group."""

    @property
    def group(self) -> str:
        """Name of it."""


class WithMembers(Named, Protocol):
    """A group."""

    @property
    def members(self) -> tuple[str, ...]:
        """Names of its classes."""


def percent(probability: float) -> str:
    """Whole percents, and never certainty: ">99 %" and "<1 %" at the ends."""
    if probability > 0.99:
        return ">99 %"
    if probability < 0.01:
        return "<1 %"
    return f"{100 * probability:.0f} %"


def group_sentence(models: Sequence[InGroup], groups: Sequence[WithMembers]) -> str:
    """Say how far the answer goes: to a model, a group, or neither; both by falling probability."""
    group, model = groups[0], models[0]
    if group.probability < DECISIVE:
        listed = ", ".join(f"{g.name} {percent(g.probability)}" for g in groups[:3])
        return f"No group of models with similar curves is clearly preferred: {listed}."
    if len(group.members) == 1:
        return f"{group.name} {percent(group.probability)}."
    share = f"“{group.name}” (models with similar curves) {percent(group.probability)}"
    if model.group == group.name and model.probability >= DECISIVE:
        return f"{share}, most likely {model.name} ({percent(model.probability)})."
    return f"{share}, {_which(group.name, models)} is undecided."


def _which(group: str, models: Sequence[InGroup]) -> str:
    """A shorter list of candidates than the group's members where the network has narrowed it down."""
    likely = [m.name for m in models if m.group == group and m.probability >= 0.05]
    return f"which one of {', '.join(likely)}" if len(likely) > 1 else "which model of the group"


def is_decided(models: Sequence[Named], groups: Sequence[Named]) -> bool:
    """Whether both the group and the model within it are given without "undecided"."""
    return groups[0].probability >= DECISIVE and models[0].probability >= DECISIVE


def restriction_note(names_kept: Sequence[str], total: int) -> str:
    """Say that the probabilities are over fewer models than the network knows."""
    if len(names_kept) == 1:
        return f"Only {names_kept[0]} was allowed, so its probability is 1 for any data."
    names_text = f" ({', '.join(names_kept)})" if len(names_kept) <= 5 else ""
    return (
        f"Probabilities are renormalised over the {len(names_kept)} models considered{names_text} of {total}."
    )


def _place(found_class: InGroup, members: Mapping[str, tuple[str, ...]]) -> int:
    names = members.get(found_class.group, ())
    return names.index(found_class.name) if found_class.name in names else len(names)


FULL_BAR = 12  # characters of a probability of 1


@lru_cache(maxsize=32)
def _membership(labels: tuple[str, ...], groups: tuple[Group, ...]) -> NDArray[np.float64]:
    """(labels, groups): one where a label is of a group. A fit asks for it hundreds of times."""
    return np.array([[float(name in group.members) for group in groups] for name in labels])


@lru_cache(maxsize=32)
def _group_of(groups: tuple[Group, ...]) -> dict[str, str]:
    return {name: group.name for group in reversed(groups) for name in group.members}


@dataclass(frozen=True)
class ClassFound:
    """One class of an answer.

    Parameters
    ----------
    probability : float
        Whatever the classes given it.
    given : mapping of str to (str, float)
        By head: its most likely class, given this one, and the probability of that.
    uniform : float or None
        Probability if every class were as common as every other; None where nothing else was assumed.
    """

    name: str
    probability: float
    group: str = ""
    given: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    uniform: float | None = None

    @property
    def whole_name(self) -> str:
        """Name with the classes that depend on it: "sphere@hardsphere"."""
        return "@".join([self.name, *(label for label, _ in self.given.values() if label)])

    def as_dict(self, *, grouped: bool) -> dict[str, Any]:
        """Plain data, with its group where classes have any."""
        entry: dict[str, Any] = {"name": self.name}
        entry |= {key: label or None for key, (label, _) in self.given.items()}
        entry["probability"] = round(self.probability, 6)
        if self.uniform is not None:
            entry["probability_uniform"] = round(self.uniform, 6)
        if grouped:
            entry["group"] = self.group
        return entry | {f"{key}_probability": round(p, 6) for key, (_, p) in self.given.items()}

    def row(self, *, grouped: bool) -> list[str]:
        """Row of a table: name, what depends on it, probability, and a bar of it."""
        bar = "█" * max(round(FULL_BAR * self.probability), 0)
        labels = [label or "–" for label, _ in self.given.values()]
        last = [] if self.uniform is None else [f"{percent(self.uniform):>6}"]
        return [self.name, *labels, f"{percent(self.probability):>6} {bar}", *last, *[self.group] * grouped]


@dataclass(frozen=True)
class ClassesFinding(Finding):
    """The likeliest classes.

    Parameters
    ----------
    probability : (labels,) array
        Of each class; 0 where it was not considered.
    given : tuple of (Classes, (labels, labels of that head) array)
        What depends on the class.
    top : int
        Classes and groups that are listed.
    keep : (labels,) bool array or None
        Classes that were considered.
    silent : bool
        Nothing is said.
    uniform : (labels,) array or None
        Of each class, if every one were as common as every other; None where nothing else was assumed.
    """

    head: Classes
    probability: Floats
    given: tuple[tuple[Classes, Floats], ...] = ()
    top: int = 5
    keep: BoolArray | None = None
    silent: bool = False
    uniform: Floats | None = None
    introduction: str = ""  #: Before its sentence: of what it is said, where that is a part of the answer.

    @property
    def is_other(self) -> bool:
        """Whether the likeliest class is that of all that is of no other one."""
        return bool(self.head.others and self.classes and self.classes[0].name == self.head.others)

    @cached_property
    def classes(self) -> tuple[ClassFound, ...]:
        """Classes by falling probability."""
        if self.silent:
            return ()
        count_kept = len(self.head.labels) if self.keep is None else int(self.keep.sum())
        order = np.argsort(-self.probability, kind="stable")[: min(self.top, count_kept)]
        return tuple(self._make_class(index) for index in order.tolist())

    @property
    def display_classes(self) -> tuple[ClassFound, ...]:
        """The same for people: groups by their likeliest class, in each the simplest first.

        Where the simplest member of the first group is not among the likeliest, it takes the place of the
        last of that group: what fits as well with fewer parameters is what to think of first.
        """
        classes = list(self.classes)
        if not self.head.groups or not classes:
            return tuple(classes)
        members = {group.name: group.members for group in self.head.groups}
        first = classes[0].group
        of_first = [class_found for class_found in classes if class_found.group == first]
        simplest = next(iter(self._select_kept(members.get(first, ()))), "")
        if simplest and len(of_first) > 1 and simplest not in {class_found.name for class_found in classes}:
            classes[classes.index(of_first[-1])] = self._make_class(self._row(simplest))
        groups = list(dict.fromkeys(class_found.group for class_found in classes))
        return tuple(
            sorted(
                classes,
                key=lambda class_found: (groups.index(class_found.group), _place(class_found, members)),
            )
        )

    def _select_kept(self, names: Sequence[str]) -> list[str]:
        """Select names of classes that were considered."""
        if self.keep is None:
            return list(names)
        return [name for name in names if self.keep[self._row(name)]]

    def _row(self, name: str) -> int:
        return self.head.labels.index(name)

    def _make_class(self, index: int) -> ClassFound:
        name = self.head.labels[index]
        given_labels = {
            head.name: (head.labels[best], float(p[index, best]))
            for head, p in self.given
            for best in (int(p[index].argmax()),)
        }
        group = _group_of(self.head.groups).get(name, "")
        uniform = None if self.uniform is None else float(self.uniform[index])
        return ClassFound(name, float(self.probability[index]), group, given_labels, uniform)

    @property
    def group_probabilities(self) -> NDArray[np.float64]:
        """(groups,), in the order of the head's."""
        labels, groups = self.head.labels, self.head.groups
        return np.asarray(self.probability @ _membership(labels, groups)) if groups else np.zeros(0)

    @cached_property
    def groups(self) -> tuple[GroupGuess, ...]:
        """Groups with a considered member, by falling probability."""
        if self.silent:
            return ()
        groups, p = self.head.groups, self.group_probabilities
        return tuple(
            GroupGuess(groups[index].name, members, float(p[index]))
            for index in np.argsort(-p, kind="stable").tolist()
            if (members := tuple(self._select_kept(groups[index].members)))
        )[: self.top]

    def as_dict(self) -> dict[str, Any]:
        """``models`` (the head's title, in the plural), and ``groups`` where it has any."""
        rows = [item.as_dict(grouped=bool(self.head.groups)) for item in self.classes]
        groups = [
            {"name": item.name, "members": list(item.members), "probability": round(item.probability, 6)}
            for item in self.groups
        ]
        plural = f"{self.head.title}{'es' if self.head.title.endswith('s') else 's'}"
        return {plural: rows} | ({"groups": groups} if self.head.groups else {})

    def rows(self) -> Sequence[Sequence[str]]:
        """A row for each class, its probability also as a bar."""
        if self.silent:
            return ()
        titles = [head.title for head, _ in self.given]
        group = ["group"] if self.head.groups else []
        uniform_title = [] if self.uniform is None else ["uniform prior"]
        head = [self.head.title, *titles, "probability", *uniform_title, *group]
        return [
            head,
            *(
                self._rename_other(class_found).row(grouped=bool(group))
                for class_found in self.display_classes
            ),
        ]

    def _rename_other(self, class_found: ClassFound) -> ClassFound:
        """Return a class as people read it, which that of all others has no name for."""
        is_other = bool(self.head.others) and class_found.name == self.head.others
        return replace(class_found, name="another shape") if is_other else class_found

    def sentences(self) -> Sequence[str]:
        """How far the answer goes: to a class, to a group, or to neither."""
        if self.silent:
            return ()
        sentence = group_sentence(self.classes, self.groups) if self.head.groups else self._likeliest()
        if not self.introduction:
            return (sentence,)
        return (f"{self.introduction}: {sentence[:1].lower()}{sentence[1:]}",)

    def _likeliest(self) -> str:
        best = self.classes[0]
        if self.is_other:
            return f"{OTHERS.capitalize()}: {percent(best.probability)}."
        range_text = (
            f", of {len(self.head.labels) - 1} shapes that this network knows" if self.head.others else ""
        )
        return f"{best.name} {percent(best.probability)}{range_text}."

    def notes(self) -> Sequence[str]:
        """Note that the answer is undecided, or over fewer classes than the network knows."""
        undecided = self.head.groups and not self.silent and not is_decided(self.classes, self.groups)
        return self.sentences() if undecided else ()

    def draw(self, axes: Axes) -> None:
        """Bars of probability, one colour for each group."""
        classes = self.classes
        groups = list(dict.fromkeys(class_found.group for class_found in classes))
        names = [self._rename_other(class_found).whole_name for class_found in classes]
        rows = np.arange(len(classes))
        colours = [f"C{groups.index(class_found.group) % 10}" for class_found in classes]
        axes.barh(rows, [class_found.probability for class_found in classes], color=colours)
        axes.set_yticks(rows, names, fontsize=8)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("probability (one colour for each group)" if self.head.groups else "probability")

    def silence(self) -> ClassesFinding:
        """Nothing is said."""
        return replace(self, silent=True)
