"""Which images in which order: filters as people write them, orders by names, doubt, or likeness.

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
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...types import SasnetError
from ...web.settings import WEB
from .events import NO, UNKNOWN, YES
from .state import State

# --- Filters as people write them, ``ring and not (halo or p(bcc) > 0.8)``: parsed here, nothing is
# --- executed.

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
                f"The filter has {written!r} before a bracket; use p (probability of a tag) or one of"
                f" {', '.join(FUNCTIONS)}."
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


# --- Orders of images, and how each is kept until something that it depends on has changed.

Floats = NDArray[np.floating]
Rows = NDArray[np.intp]
#: Of a logit, as sure as it can be.
_SURE = 8.0


def uncertainty(state: State, rows: Rows) -> Floats:
    """(rows,) 1 − |2p − 1| of the tag nearest to a half of those that nobody has answered; −1: none known."""
    # It puts images in the same order as the binary entropy of p.
    open_tags = (state.value[rows] == UNKNOWN) & np.isfinite(state.probability[rows])
    sure = np.where(open_tags, np.abs(2 * state.probability[rows] - 1), 2.0)
    return np.asarray(1 - sure.min(axis=1, initial=2.0))


def suspicion(state: State, rows: Rows) -> Floats:
    """(rows,) probability by the model that the least credible label of an image is wrong; −1: unknown."""
    # The self-confidence of confident learning (C. Northcutt et al., J. Artif. Intell. Res. 70 (2021) 1373).
    found_suspicion, value = np.full(len(rows), -1.0), state.value[rows]
    labelled_rows = np.flatnonzero((value != UNKNOWN).any(axis=1))
    value, p = value[labelled_rows], state.probability[rows[labelled_rows]]
    wrong = np.where(value == YES, 1 - p, p)
    found_suspicion[labelled_rows] = np.where((value != UNKNOWN) & np.isfinite(p), wrong, -1.0).max(
        axis=1, initial=-1.0
    )
    return found_suspicion


#: Orders by the largest of a number first.
MEASURES: dict[str, Callable[[State, Rows], Floats]] = {"uncertain": uncertainty, "suspect": suspicion}
#: All of them, as the page offers them.
ORDERS = ("name", "uncertain", "diverse", "suspect", "new")


@dataclass
class _Measured:
    """A number of each image, what it was taken of, and all rows in its order."""

    version: int
    number: Floats
    order: Rows


class Orders:
    """Orders of the images of a state; what has changed since the last time is taken in at the next."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._measured: dict[str, _Measured] = {}
        self._logits: tuple[object, Floats | None] = (None, None)
        self._diverse: OrderedDict[object, Rows] = OrderedDict()

    def sort(self, name: str, rows: Rows, pictures: Floats) -> Rows:
        """Order ascending rows by one of `ORDERS`; `pictures` (n, d) as in `points`."""
        if name == "new":
            return rows[::-1]
        if name == "diverse":
            return self._sort_by_diversity(rows, pictures)
        if name == "name":
            return rows[np.argsort(self._state.images.rank[rows])]
        is_wanted = np.zeros(len(self._state.images), dtype=np.bool_)
        is_wanted[rows] = True
        order = self._sort_by_number(name)
        return order[is_wanted[order]]

    def points(self, pictures: Floats) -> Floats:
        """Return (n, d) a model's outputs if it has seen all images, else rough `pictures`."""
        state, is_present = self._state, self._state.images.there
        about = state.shown, len(is_present), int(is_present.sum())
        if self._logits[0] != about:
            is_known = np.isfinite(state.probability)
            columns = is_known.any(axis=0)
            points_found = None
            if columns.any() and (is_known[is_present][:, columns].any(axis=1)).mean() > 0.5:
                p = np.clip(state.probability[:, columns], 1e-4, 1 - 1e-4)
                points_found = np.clip(np.log(p / (1 - p)), -_SURE, _SURE)
            self._logits = about, points_found
        return pictures if self._logits[1] is None else self._logits[1]

    def _sort_by_number(self, name: str) -> Rows:
        """Order rows by one of `MEASURES`, taken anew only for changed images."""
        state, measure, n = self._state, MEASURES[name], len(self._state.images)
        measured = self._measured.get(name) or _Measured(-1, np.zeros(0), np.zeros(0, np.intp))
        if measured.version != state.version or len(measured.number) != n:
            number = np.append(measured.number, np.full(n - len(measured.number), np.nan))
            changed = np.flatnonzero((state.change_version > measured.version) | np.isnan(number))
            number[changed] = measure(state, changed)
            is_same = np.array_equal(number, measured.number)
            order = measured.order if is_same else np.argsort(-number, kind="stable")
            measured = self._measured[name] = _Measured(state.version, number, order)
        return measured.order

    def _sort_by_diversity(self, rows: Rows, pictures: Floats) -> Rows:
        points = self.points(pictures)
        # Thumbnails that come count as changes of the state; labels do not move what a model says.
        version = self._state.version if points is pictures else self._logits[0]
        key = version, rows.tobytes()
        if key not in self._diverse:
            self._diverse[key] = _diverse(points, rows)
        self._diverse.move_to_end(key)
        while len(self._diverse) > WEB.selections:
            self._diverse.popitem(last=False)
        return self._diverse[key]


def _diverse(points: Floats, rows: Rows) -> Rows:
    """Rows, the most diverse first, then the others by their distance from those, then what is not known."""
    points_here = points[rows]
    is_known = np.isfinite(points_here).all(axis=1)
    places, rest = np.flatnonzero(is_known), np.flatnonzero(~is_known)
    if not places.size:
        return rows
    chosen, distance = farthest_first(points_here[places], WEB.diverse)
    is_other = np.ones(len(places), dtype=np.bool_)
    is_other[chosen] = False
    rows_left = np.flatnonzero(is_other)
    rows_left = rows_left[np.argsort(-distance[rows_left], kind="stable")]
    return rows[np.concatenate([places[chosen], places[rows_left], rest])]


#: Of the largest square, what rounding leaves between points that are alike.
_SAME = 1e-6
#: Points whose product BLAS takes in one piece: of more it makes pieces that wait for cores which are busy.
_BLOCK = 512


def farthest_first(points: Floats, number: int) -> tuple[NDArray[np.intp], Floats]:
    """Choose at most `number` centres of points (n, d), starting nearest to the mean, and return their
    indices and each point's squared distance to the nearest.
    """
    # The greedy k-centre of O. Sener and S. Savarese, ICLR 2018. A step is one product of all points with the
    # last centre: |x − c|² = (−2x, |x|², 1)·(c, 1, |c|²), in place, as memory is what it takes its time for.
    points = np.asarray(points - points.mean(axis=0), np.float32)
    squares = np.einsum("nd,nd->n", points, points)
    last, least_square = int(np.argmin(squares)), _SAME * float(squares.max())
    # In blocks, a point a column; those that fill up the last one have no distance, and are never chosen.
    blocks = -(-len(points) // _BLOCK)
    table = np.zeros((points.shape[1] + 2, blocks * _BLOCK), np.float32)
    table[:, : len(points)] = np.concatenate([-2 * points.T, squares[None], np.ones((1, len(points)))])
    table = np.ascontiguousarray(table.reshape(len(table), blocks, _BLOCK).swapaxes(0, 1))
    chosen, new = [last], np.empty((blocks, _BLOCK), np.float32)
    distance = np.full(blocks * _BLOCK, np.inf, np.float32)
    while True:
        centre = np.concatenate([points[last], np.array([1.0, squares[last]], np.float32)])
        np.minimum(distance, np.matmul(centre, table, out=new).ravel(), out=distance)
        distance[last] = 0.0
        last = int(np.argmax(distance))
        if len(chosen) >= number or distance[last] <= least_square:
            return np.array(chosen), distance[: len(points)]
        chosen.append(last)


# --- Which images in which order: by name, the least certain, most diverse or suspect first, alike.


def select_rows(
    state: State,
    orders: Orders,
    pictures: Floats,
    text: str = "",
    order: str = "name",
    like: int | None = None,
) -> Rows:
    """Return rows that pass a filter (see `expression`), in one of `ORDERS`, or those most like row `like`;
    `pictures` as in `Orders.points`. Raises SasnetError for a wrong filter or order.
    """
    rows = np.flatnonzero(matching(text, state) & state.images.there)
    if like is not None:
        if not 0 <= like < len(state.images):
            raise SasnetError(f"There is no image {like}.")
        return _alike(orders.points(pictures), rows, like)
    if order not in ORDERS:
        raise SasnetError(f"There is no order {order[:100]!r}; choose one of {', '.join(ORDERS)}.")
    return orders.sort(order, rows, pictures)


@dataclass(frozen=True)
class Pair:
    """Two tags and the images that bear one, the other or both."""

    first: str
    second: str
    numbers: tuple[int, int, int]  #: With both, with the first alone, with the second alone.
    labelled: tuple[int, int, int]  #: Of these, where people have said so of both tags.
    phi: float  #: Their correlation, −1..1.


def cooccurrence(state: State) -> list[Pair]:
    """Pairs of tags that are there, the strongest correlations first."""
    present = state.present[state.images.there].astype(np.float64)
    value = state.value[state.images.there]
    yes, no = (value == YES).astype(np.float64), (value == NO).astype(np.float64)
    yes_yes, yes_no = yes.T @ yes, yes.T @ no
    n, counts = len(present), present.sum(axis=0)
    pairs_present = present.T @ present
    pairs = []
    for i in np.flatnonzero(counts):
        for j in np.flatnonzero(counts[:i]):
            spread = counts[i] * (n - counts[i]) * counts[j] * (n - counts[j])
            phi = (n * pairs_present[i, j] - counts[i] * counts[j]) / np.sqrt(spread) if spread > 0 else 0.0
            both = pairs_present[i, j]
            numbers = int(both), int(counts[j] - both), int(counts[i] - both)
            labelled = int(yes_yes[i, j]), int(yes_no[j, i]), int(yes_no[i, j])
            pairs.append(Pair(state.tags[j], state.tags[i], numbers, labelled, float(phi)))
    return sorted(pairs, key=lambda pair: -abs(pair.phi))


def _alike(points: Floats, rows: Rows, like: int) -> Rows:
    if not np.isfinite(points[like]).any():
        raise SasnetError("This image has no features yet; wait for its thumbnail, or predict.")
    columns = np.isfinite(points[like])
    distance = ((points[rows][:, columns] - points[like][columns]) ** 2).sum(axis=1)
    near = rows[np.argsort(np.where(np.isfinite(distance), distance, np.inf), kind="stable")]
    return near[: WEB.alike]
