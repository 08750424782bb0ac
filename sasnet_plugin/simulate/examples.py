"""Curves measured in one setting, with their labels: known models, other kinds, bodies that no model is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.preprocess import features_of_rows
from .bodies import BODIES, Body, Drawn
from .grid import N_WIDE
from .instrument import INSTRUMENTS, Setting, Settings, sample_setting
from .library import MAX_SHIFT, Library
from .measure import Measured, measure
from .out_of_distribution import KINDS, UNFILTERED, draw_unknown

# --- Curves measured in one setting, with their labels: known models, other kinds, bodies that no
# --- model is.

#: A power law or a straight line is what these models are: the rule against uninformative curves spares them.
SPARED = frozenset({"power_law", "porod", "line"})
#: A body whose curve one model does not explain is called so where the weakest quarter of its points has so
#: many counts: with fewer nothing shows it.
_SHOWN = 1000.0
#: Share of the uninformative training curves that are kept: real files with weak features come too.
WEAK_SHARE = 0.1
#: A window shows an interaction that begins below this times π over the effective radius: the first maximum
#: of S(q) of spheres that touch lies at about π/R.
INTERACTION_SEEN = 0.8
SOURCES = (*INSTRUMENTS, "broad")


@dataclass(frozen=True)
class Examples:
    """Features with their answers."""

    features: NDArray[np.float32]  #: (n, N_GRID, N_CHANNELS)
    form: NDArray[np.intp]  #: (n,), index of the form model; -1 for an out-of-distribution curve.
    structure_factor: NDArray[np.intp]  #: (n,), 0 none, else 1 + index.
    in_scope: NDArray[np.float32]  #: (n,), 1 for a known model, 0 for an out-of-distribution curve.
    log_rg: NDArray[np.float32]  #: (n,), log10 Rg in Å; NaN where there is none.
    #: (n,), log10 of the effective radius in Å; NaN where the form allows no structure factor.
    log_radius: NDArray[np.float32]
    #: (n,), 1 where the window begins below `INTERACTION_SEEN` π/R, 0 where not; NaN where there is no such
    #: R.
    shows_interaction: NDArray[np.float32]
    #: (n,), largest length of the form times the largest q; NaN where it has none.
    size_q: NDArray[np.float32]
    instrument: NDArray[np.intp]  #: (n,), index into ``SOURCES``.
    counts: NDArray[np.float32]  #: (n,), at the weakest quarter of points.
    decades: NDArray[np.float32]  #: (n,), width of the q window, log10.
    #: (n,), of an out-of-distribution curve, index into ``KINDS`` and, beyond these, ``BODIES``; -1 for a
    #: known model.
    kind: NDArray[np.intp]
    #: (n, forms), of a curve that is none of a single model: which are right as a first answer.
    accepted: NDArray[np.bool_]
    second: NDArray[np.float32]  #: (n,), 1 with a second component, 0 without, NaN where it is not known.

    def __len__(self) -> int:
        return len(self.form)

    def targets(self) -> dict[str, NDArray[Any]]:
        """What is true of them, by head of `domains.sas1d`: −1 and NaN where there is no label."""
        is_known = self.form >= 0
        interacts = np.where(np.isnan(self.log_radius), np.nan, self.structure_factor > 0)
        interacts[self.kind >= len(KINDS)] = 0.0  # bodies are dilute
        return {
            "form": self.form.astype(np.int32),
            "structure_factor": np.where(is_known, self.structure_factor, -1).astype(np.int32),
            "scope": self.in_scope,
            "size": self.log_rg[:, None],
            "interaction": np.column_stack([interacts, self.shows_interaction]).astype(np.float32),
            "effective_radius": self.log_radius[:, None],
            "components": self.second[:, None].astype(np.float32),
        }

    def partial_targets(self) -> dict[str, NDArray[Any]]:
        """Return targets with forms as (n, forms): 1 for each right one, all 0 if none is known."""
        right = self.accepted.astype(np.float32)
        known_rows = np.flatnonzero(self.form >= 0)
        right[known_rows, self.form[known_rows]] = 1.0
        return {**self.targets(), "form": right}

    def take(self, rows: Any) -> Examples:
        return Examples(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def concatenate(parts: list[Examples]) -> Examples:
    return Examples(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Examples)})


def draw_known_examples(
    library: Library,
    forms: NDArray[np.intp],
    setting: Setting,
    rng: np.random.Generator,
    *,
    max_shift: int,
    rows: NDArray[np.intp] | None = None,
    wide: bool = False,
) -> tuple[NDArray[np.intp], Examples]:
    """Measure curves of known models in one setting; returns which rows were kept, and these."""
    # Rows are dropped where the clean curve is not known over the window (numerical limits) and where the
    # measured curve is uninformative.
    top = int(setting.matrix.indices.max()) + 1
    low = int(setting.matrix.indices.min())
    curves = library.draw(forms, top, rng, low=low, max_shift=max_shift, rows=rows, loose=wide)
    good_rows = np.flatnonzero(
        (curves.n_valid >= top) & np.all(np.isfinite(curves.intensity[:, low:top]), axis=1)
    )
    result = measure(curves.intensity[good_rows], setting, rng, wide=wide)
    spared = np.array([name in SPARED for name in library.forms])
    keep = ~result.uninformative | spared[curves.form[good_rows]]
    if wide:
        keep |= rng.random(len(keep)) < WEAK_SHARE
    row_indices = good_rows[keep]
    form, factor = curves.form[row_indices], curves.structure_factor[row_indices]
    lengths = curves.log_rg[row_indices], curves.log_radius[row_indices], curves.max_length[row_indices]
    n = len(row_indices)
    truth = _Truth(
        form, factor, np.ones(n), *lengths, np.full(n, -1), _none_of(library, n), np.zeros(n, np.float32)
    )
    return row_indices, _examples(result, keep, setting, truth)


def other_examples(
    library: Library,
    kinds: NDArray[np.intp],
    setting: Setting,
    rng: np.random.Generator,
    *,
    wide: bool = False,
) -> Examples:
    """Measure out-of-scope curves in one setting; uninformative ones are dropped."""
    used = setting.matrix.indices
    window = int(used.min()), int(used.max())
    clean, good, names = draw_unknown(kinds, window, library, rng, wide=wide)
    clean[:, window[1] + 1 :] = 0.0
    result = measure(clean, setting, rng, wide=wide)
    unfiltered = np.array([KINDS[kind] in UNFILTERED for kind in kinds], dtype=bool)
    keep = good & (unfiltered | ~result.uninformative)
    accepted = _none_of(library, len(kinds))
    for row, forms in enumerate(names):
        accepted[row, list(forms)] = True
    second = np.where(kinds == KINDS.index("mixture"), 1.0, np.nan)
    scope = np.zeros(len(kinds))
    return _examples(result, keep, setting, _make_unnamed_truth(scope, kinds, accepted, second, keep))


def body_examples(
    library: Library,
    bodies: Sequence[Body],
    setting: Setting,
    rng: np.random.Generator,
    *,
    wide: bool = False,
) -> Examples:
    """Measure bodies that no model is in one setting; curves of which nothing is known are dropped."""
    used = setting.matrix.indices
    clean = np.zeros((len(bodies), N_WIDE))
    inside = slice(int(used.min()), int(used.max()) + 1)
    for row, body in enumerate(bodies):
        log_i = body.log_intensity[inside]
        clean[row, inside] = np.exp(log_i - log_i.max())
    result = measure(clean, setting, rng, wide=wide)
    q_min, q_max = float(setting.q[0]), float(setting.q[-1])
    accepted = _none_of(library, len(bodies))
    places = {name: index for index, name in enumerate(library.forms)}
    for row, body in enumerate(bodies):
        accepted[row, [places[name] for name in body.names(q_max) if name in places]] = True
    scope, second = np.array([body.labels(q_min, q_max) for body in bodies]).T
    if setting.counts < _SHOWN:
        scope = np.full(len(bodies), np.nan)
    names = list(BODIES)
    kinds = np.array([len(KINDS) + names.index(body.kind) for body in bodies])
    keep = ~result.uninformative & (accepted.any(axis=1) | np.isfinite(scope))
    truth = _make_unnamed_truth(scope, kinds, accepted, second, keep)
    log_rg = np.log10([body.rg for body in bodies])[keep]
    return _examples(result, keep, setting, replace(truth, log_rg=log_rg))


@dataclass(frozen=True)
class _Truth:
    """What is true of the curves that are kept, as `Examples` has it."""

    form: NDArray[np.intp]
    structure_factor: NDArray[np.intp]
    in_scope: NDArray[np.float64]
    log_rg: NDArray[np.float64]
    log_radius: NDArray[np.float64]
    max_length: NDArray[np.float64]
    kind: NDArray[np.intp]
    accepted: NDArray[np.bool_]
    second: NDArray[np.floating]


def _none_of(library: Library, n: int) -> NDArray[np.bool_]:
    return np.zeros((n, len(library.forms)), dtype=bool)


def _make_unnamed_truth(
    scope: NDArray[np.float64],
    kinds: NDArray[np.intp],
    accepted: NDArray[np.bool_],
    second: NDArray[np.floating],
    keep: NDArray[np.bool_],
) -> _Truth:
    """Truth of the kept of curves that are of no single model."""
    n = int(keep.sum())
    nans = np.full(n, np.nan)
    return _Truth(
        np.full(n, -1),
        np.zeros(n, int),
        scope[keep],
        nans,
        nans,
        nans,
        kinds[keep],
        accepted[keep],
        second[keep],
    )


def _examples(result: Measured, keep: NDArray[np.bool_], setting: Setting, truth: _Truth) -> Examples:
    n = len(truth.form)
    return Examples(
        features=features_of_rows(
            setting.q, result.intensity[keep], result.dintensity[keep], setting.dq, setting.dxl
        ),
        form=truth.form.astype(np.intp),
        structure_factor=truth.structure_factor.astype(np.intp),
        in_scope=truth.in_scope.astype(np.float32),
        log_rg=truth.log_rg.astype(np.float32),
        log_radius=truth.log_radius.astype(np.float32),
        shows_interaction=np.where(
            np.isnan(truth.log_radius), np.nan, setting.q[0] < INTERACTION_SEEN * np.pi / 10**truth.log_radius
        ).astype(np.float32),
        size_q=(truth.max_length * setting.q[-1]).astype(np.float32),
        instrument=np.full(n, SOURCES.index(setting.instrument)),
        counts=np.full(n, setting.counts, dtype=np.float32),
        decades=np.full(n, np.log10(setting.q[-1] / setting.q[0]), dtype=np.float32),
        kind=truth.kind.astype(np.intp),
        accepted=truth.accepted,
        second=truth.second.astype(np.float32),
    )


# --- Measured examples, drawn anew each time: what training reads and what the frozen test set is
# --- made of.

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
    """Make a test or validation set under the frozen protocol (see `draw_model_examples`), `per_model`
    examples each, from curves training never saw.
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
    """`count` curves as most of training: broad settings, systematic and wrong errors; some of bodies."""
    stream = Stream(library, rng, pool=1024, honest=0.0, bodies=bodies)
    parts: list[Examples] = []
    while sum(len(part) for part in parts) < count:
        parts.append(stream.chunk())
    examples = concatenate(parts)
    return examples.take(rng.permutation(len(examples))[:count])
