"""Measured examples, drawn anew each time: what training reads and what the frozen test set is made of."""

from __future__ import annotations

from itertools import islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bodies.drawn import Drawn
from .bodies.out_of_distribution import KINDS
from .instrument import Settings, sample_setting
from .labelled import Examples, body_examples, concatenate, draw_known_examples, other_examples
from .library import MAX_SHIFT, Library

#: Share of the training curves that are out of scope, and of each kind of them.
OTHER_SHARE = 0.15
_KIND_WEIGHTS = (0.38, 0.21, 0.1, 0.11, 0.2)
#: Share of mixtures among the curves of models and mixtures: what a network has learnt to expect.
MIXTURE_SHARE = OTHER_SHARE * _KIND_WEIGHTS[0] / (OTHER_SHARE * _KIND_WEIGHTS[0] + 1 - OTHER_SHARE)
#: Share of the training curves that are of bodies that no model is (`bodies`). With 0.18 of them for 500
#: batches names that are accepted of bodies took first places of others: 0.33 first of shifted SANS curves
#: where it had been 0.39.
BODY_SHARE = 0.12
#: Share of the training settings with no more faults than the frozen protocol has: who has only ever seen
#: wrong uncertainties does not believe right ones.
HONEST_SHARE = 0.4
_SETTINGS_TRIED = 12


class Stream:
    """An endless stream of training examples, `rows` per setting of the instrument, all models about equally.

    Curves that a constant or power law explains are dropped; models that lose more are drawn more. `pool` as
    in `instrument.Settings`; `honest` is `HONEST_SHARE`, `bodies` `BODY_SHARE`.
    """

    def __init__(
        self,
        library: Library,
        rng: np.random.Generator,
        *,
        rows: int = 64,
        pool: int = 256,
        honest: float = HONEST_SHARE,
        bodies: float = 0.0,
    ) -> None:
        self.library = library
        self.bodies = bodies
        self.rng = rng
        self.rows = rows
        self.honest = honest
        self._settings = Settings(rng, pool)
        self._bodies = Drawn(rng)
        self._tried = np.full(len(library), 4.0)
        self._kept = np.full(len(library), 3.0)

    def chunk(self) -> Examples:
        """Rows of one setting; fewer than ``rows`` come out."""
        setting = self._settings.draw()
        wide = bool(self.rng.random() >= self.honest)
        rate = np.maximum(self._kept / self._tried, 0.08)
        chance = (1 / rate) / np.sum(1 / rate)
        n_bodies = int(round(self.rows * self.bodies))
        known_count = int(round((self.rows - n_bodies) * (1 - OTHER_SHARE)))
        forms = self.rng.choice(len(self.library), size=known_count, p=chance)
        rows, examples = draw_known_examples(
            self.library, forms, setting, self.rng, max_shift=MAX_SHIFT, wide=wide
        )
        np.add.at(self._tried, forms, 1.0)
        np.add.at(self._kept, forms[rows], 1.0)
        kinds = self.rng.choice(len(KINDS), size=self.rows - n_bodies - known_count, p=_KIND_WEIGHTS)
        parts = [examples, other_examples(self.library, kinds, setting, self.rng, wide=wide)]
        if n_bodies:
            bodies = self._bodies.draw(n_bodies)
            parts.append(body_examples(self.library, bodies, setting, self.rng, wide=wide))
        return concatenate(parts)


def draw_model_examples(library: Library, form: int, rng: np.random.Generator, count: int) -> list[Examples]:
    """Curves of one model under the frozen protocol to the letter, a setting of its own for every curve."""
    # Each clean curve is measured once, in settings drawn until one shows it; again where a model has too
    # few.
    forms, available = np.array([form]), library.sizes()[library.forms[form]]

    def draw_row(row: NDArray[np.intp]) -> list[Examples]:
        settings = (sample_setting(rng) for _ in range(_SETTINGS_TRIED))
        batches = (draw_known_examples(library, forms, s, rng, max_shift=0, rows=row)[1] for s in settings)
        return list(islice(filter(len, batches), 1))

    rows = np.arange(4 * max(count, available))[:, None] % available
    return list(islice((examples for row in rows for examples in draw_row(row)), count))


def protocol_set(
    library: Library, rng: np.random.Generator, *, per_model: int, progress: Any = None
) -> Examples:
    """Make a test or validation set under the frozen protocol (see `draw_model_examples`),
    `per_model` examples each,
    from curves training never saw.
    """
    parts = []
    for form in range(len(library)):
        parts += draw_model_examples(library, form, rng, per_model)
        if progress is not None:
            progress(form + 1)
    return concatenate(parts)


def draw_kind_examples(library: Library, kind: int, rng: np.random.Generator, count: int) -> list[Examples]:
    """Out-of-scope curves of one kind under the frozen protocol, each with a setting of its own."""
    trials = (other_examples(library, kinds, sample_setting(rng), rng) for kinds in repeat(np.array([kind])))
    return list(islice(filter(len, trials), count))


def other_set(library: Library, rng: np.random.Generator, *, per_kind: int) -> Examples:
    """Out-of-scope curves of every kind."""
    return concatenate(
        [
            examples
            for kind in range(len(KINDS))
            for examples in draw_kind_examples(library, kind, rng, per_kind)
        ]
    )


def draw_mixed_set(
    library: Library,
    rng: np.random.Generator,
    *,
    per_model: int,
    other_share: float,
    wide_share: float = 0.0,
    bodies: float = 0.0,
    progress: Any = None,
) -> Examples:
    """Make frozen-protocol curves of each model, and `other_share` of their number of each other kind (at
    least 20). `wide_share` more are measured as in training, of which `bodies` are bodies that no model is.
    """
    examples = protocol_set(library, rng, per_model=per_model, progress=progress)
    parts = [examples, other_set(library, rng, per_kind=max(20, int(len(examples) * other_share)))]
    if wide_share:
        parts.append(wide_set(library, rng, count=int(len(examples) * wide_share), bodies=bodies))
    return concatenate(parts)


def wide_set(library: Library, rng: np.random.Generator, *, count: int, bodies: float = 0.0) -> Examples:
    """`count` curves as most of training: broad settings, systematic errors, wrong uncertainties; a share of
    bodies.
    """
    stream = Stream(library, rng, pool=1024, honest=0.0, bodies=bodies)
    parts: list[Examples] = []
    while sum(len(part) for part in parts) < count:
        parts.append(stream.chunk())
    examples = concatenate(parts)
    return examples.take(rng.permutation(len(examples))[:count])
