"""Filters as people write them, ``ring and not (halo or p(bcc) > 0.8)``: parsed here, nothing is executed.

::

    or    = and {("or" | "|") and}
    and   = not {("and" | "&") not}
    not   = ("not" | "!") not | "(" or ")" | atom
    atom  = tag | word | function "(" name ")" | "p" "(" tag ")" ("<" | "<=" | ">" | ">=") number

A name is a word, or anything between quotes.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...types import SasnetError
from ...web.settings import WEB
from .events import NO, UNKNOWN, YES
from .state import State

Bools = NDArray[np.bool_]

_TOKEN = re.compile(
    r"""\s*(?:(?P<sign><=|>=|[()&|!<>])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()&|!<>"']+))"""
)
#: What means something else than a tag of this name.
_TAKEN = frozenset(["and", "or", "not", "p"])
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
#: Words for whole images, and what they mean.
WORDS: dict[str, tuple[str, Callable[[State], Bools]]] = {
    "labelled": ("a person has said something", lambda s: np.asarray((s.value != UNKNOWN).any(axis=1))),
    "unlabelled": ("nobody has said anything", lambda s: np.asarray((s.value == UNKNOWN).all(axis=1))),
    "predicted": ("a model has seen it", lambda s: np.asarray(s.model >= 0)),
    "outside": ("a model has seen it and says nothing", lambda s: _find_outside(s)),
    "disagree": ("a person and the model differ about a tag", lambda s: np.asarray(s.disagree.any(axis=1))),
    "conflict": ("two people differ about a tag", lambda s: np.asarray(s.conflict.any(axis=1))),
    "unreadable": ("it could not be read", lambda s: _rows(s, list(s.images.problem))),
}
#: Functions of a name in brackets, and what they mean.
FUNCTIONS: dict[str, str] = {
    "person": "a person says that this tag is there",
    "no": "a person says that this tag is not there",
    "model": "the model says that this tag is there",
    "open": "nobody has said whether this tag is there",
    "by": "this person has said something that holds",
    "file": "the file's name holds this text",
}


@dataclass(frozen=True)
class Token:
    """A piece of a filter: its text, where it begins, and whether it stood between quotes."""

    text: str
    place: int
    quoted: bool = False


def matching(text: str, state: State) -> Bools:
    """Return which images (n,) pass a filter; empty passes all. Raises SasnetError with the place."""
    if len(text) > WEB.longest_filter:
        raise SasnetError(f"This filter has {len(text):,} characters; use {WEB.longest_filter:,} at most.")
    if not text.strip():
        return np.ones(len(state.images), dtype=np.bool_)
    return _Parser(_tokens(text), state, len(text)).whole()


def quote(name: str) -> str:
    plain = re.fullmatch(r"""[^\s()&|!<>"']+""", name) and name.lower() not in {*_TAKEN, *WORDS, *FUNCTIONS}
    return name if plain else f"'{name}'" if '"' in name else f'"{name}"'


def _tokens(text: str) -> list[Token]:
    tokens, start = [], 0
    while start < len(text.rstrip()):
        match = _TOKEN.match(text, start)
        if match is None:
            raise SasnetError(f"The filter has an unclosed quote at character {start + 1}.")
        kind = match.lastgroup or ""
        tokens.append(Token(match[kind], match.start(kind) + 1, kind in ("double", "single")))
        start = match.end()
    return tokens


class _Parser:
    """Recursive descent; each rule gives which images it lets through."""

    def __init__(self, tokens: list[Token], state: State, length: int) -> None:
        self._tokens, self._state, self._end = tokens, state, length + 1
        self._at = self._depth = 0

    def whole(self) -> Bools:
        rows = self._or()
        if self._at < len(self._tokens):
            raise self._wrong("'and', 'or' or the end")
        return rows

    def _or(self) -> Bools:
        rows = self._and()
        while self._take("or", "|"):
            rows = rows | self._and()
        return rows

    def _and(self) -> Bools:
        rows = self._not()
        while self._take("and", "&"):
            rows = rows & self._not()
        return rows

    def _not(self) -> Bools:
        self._depth += 1
        if self._depth > WEB.deepest_filter:
            raise SasnetError(f"The filter has more than {WEB.deepest_filter} nested brackets.")
        if self._take("not", "!"):
            rows = ~self._not()
        elif self._take("("):
            rows = self._or()
            self._expect(")")
        else:
            rows = self._atom()
        self._depth -= 1
        return rows

    def _parse_call(self, written: str) -> Bools:
        word = written.lower()
        if word not in ("p", *FUNCTIONS):
            raise SasnetError(
                f"The filter has {written!r} before a bracket; use p or one of {', '.join(FUNCTIONS)}."
            )
        name = self._next("a name").text
        self._expect(")")
        return self._parse_comparison(name) if word == "p" else self._function(word, name)

    def _atom(self) -> Bools:
        token = self._next("a tag")
        called = not token.quoted and self._take("(")
        word, state = token.text.lower(), self._state
        if called:
            return self._parse_call(token.text)
        if not token.quoted and word in WORDS and token.text not in state.tags:
            return WORDS[word][1](state)
        return self._holds(self._column(token.text))

    def _function(self, word: str, name: str) -> Bools:
        state = self._state
        if word == "by":
            if name not in state.people:
                raise SasnetError(f"No user {name!r} has set labels; there is {_join_names(state.people)}.")
            return np.asarray((state.author == state.people.index(name)).any(axis=1))
        if word == "file":
            target = name.lower()
            return np.array([target in file.lower() for file, _ in state.images.keys], dtype=np.bool_)
        column = self._column(name)
        if word == "model":
            return np.asarray(state.probability[:, column] >= WEB.present)
        value = {"person": YES, "no": NO, "open": UNKNOWN}[word]
        return np.asarray(state.value[:, column] == value)

    def _holds(self, column: int) -> Bools:
        """Evaluate `State.present` of one tag alone, which is quick for 10⁵ images."""
        value, suggested = self._state.value[:, column], self._state.probability[:, column] >= WEB.present
        return np.asarray((value == YES) | ((value == UNKNOWN) & suggested))

    def _parse_comparison(self, name: str) -> Bools:
        column, sign = self._column(name), self._next("<, <=, > or >=")
        if sign.text not in _COMPARE:
            raise SasnetError(f"The filter needs <, <=, > or >= at character {sign.place}.")
        number = self._next("a number")
        try:
            limit = float(number.text)
        except ValueError:
            raise SasnetError(f"The filter needs a number at character {number.place}.") from None
        with np.errstate(invalid="ignore"):
            return np.asarray(_COMPARE[sign.text](self._state.probability[:, column], limit))

    def _column(self, name: str) -> int:
        if name not in self._state.tags:
            raise SasnetError(f"There is no tag {name[:100]!r}; there is {_join_names(self._state.tags)}.")
        return self._state.tags.index(name)

    def _take(self, *words: str) -> bool:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if token is None or token.quoted or token.text.lower() not in words:
            return False
        self._at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._wrong(f"{sign!r}")

    def _next(self, expectation: str) -> Token:
        if self._at >= len(self._tokens) or (
            not self._tokens[self._at].quoted and self._tokens[self._at].text in "()&|!"
        ):
            raise self._wrong(expectation)
        self._at += 1
        return self._tokens[self._at - 1]

    def _wrong(self, expectation: str) -> SasnetError:
        place = self._tokens[self._at].place if self._at < len(self._tokens) else self._end
        return SasnetError(f"The filter needs {expectation} at character {place}.")


def _join_names(names: list[str]) -> str:
    return ", ".join(names[:30]) + (", …" if len(names) > 30 else "") if names else "none"


def _find_outside(state: State) -> Bools:
    return np.asarray((state.model >= 0) & ~np.isfinite(state.probability).any(axis=1))


def _rows(state: State, rows: list[int]) -> Bools:
    selection = np.zeros(len(state.images), dtype=np.bool_)
    selection[rows] = True
    return selection
