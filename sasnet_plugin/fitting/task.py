"""The nouns of a fit as plain data: what to fit, where to begin, how, and with how much time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..predict.class_prior import COMMON
from ..predict.sample_kinds import SAMPLE_KINDS
from ..types import Curve, SasnetError, product_name
from ..wording import Phrase

if TYPE_CHECKING:
    from ..simulate.bank import Bank

#: A form model and its structure factor, None where there is none.
Pair = tuple[str, str | None]
METHODS = ("lm", "amoeba", "de", "dream")
#: More samples of DREAM do not fit into memory.
MOST_SAMPLES = 10_000_000


@dataclass(frozen=True)
class Budget:
    """What one piece of work may spend, and what it has to beat."""

    #: Evaluations, as `costs` counts them; a fit that needs more ends with the best point it has seen.
    seconds: float = np.inf
    best_chisq: float = np.inf  #: The least reduced χ² of the candidates fitted to this curve so far.
    wall: float = np.inf  #: Seconds on the wall by which it has to be done whatever it has spent.

    def limit_by(self, budget: Budget) -> Budget:
        """The smaller one in each."""
        return Budget(
            min(self.seconds, budget.seconds),
            min(self.best_chisq, budget.best_chisq),
            min(self.wall, budget.wall),
        )


UNLIMITED = Budget()


@dataclass(frozen=True)
class Task:
    """A candidate to fit."""

    curve: Curve
    dintensity: NDArray[np.float64]
    model: str
    structure_factor: str | None
    probability: float = 0.0
    #: Values of parameters that are not fitted: given by the user, or settled by materials.
    fixed: dict[str, float] = field(default_factory=dict)
    #: Ranges that the user gives, (low, high) by name.
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    fitted: tuple[str, ...] = ()  #: Parameters that the user wants fitted: none is left at a default.
    budget: Budget = Budget(8.0)
    starts: tuple[dict[str, Any], ...] = ()  #: Parameters to start from instead of the bank's.
    #: These lie beside the minimum, where a coarse copy of the data would only lead astray.
    beside: bool = False
    #: Beside these other minima were looked for, and a fit explains the curve.
    settled: bool = False
    extra: dict[str, Any] | None = None  #: Parameters of one more start, besides the bank's.
    #: Look for other local minima from random starts about the bank's and `extra`, as long as there is time
    #: and until so many in a row have led no lower; 0: not at all.
    restarts: float = 0.0
    #: How often the same was looked for before: other curves of the bank and other random steps.
    attempt: int = 0
    #: Calculate the model at the measured points alone, as SasView does, whatever its fringes need.
    as_measured: bool = False
    #: It is fitted however few evaluations are left: a simple model of the network's first groups.
    assured: bool = False
    #: The user named the model: it is fitted to the end, however much better others are.
    named: bool = False

    @property
    def name(self) -> str:
        """sasmodels' name of the product or the form model."""
        return product_name(self.model, self.structure_factor)

    @property
    def kept_widths(self) -> set[str]:
        """Size distributions that each fit has, or has as given: the user says so."""
        ranged = {name for name, (low, _) in self.ranges.items() if low > 0}
        return {name for name in {*self.fixed, *self.fitted, *ranged} if name.endswith("_pd")}


@dataclass(frozen=True)
class Start:
    """Values of a named model at which a fit may begin: what was found for the frame before, say."""

    model: str
    structure_factor: str | None
    #: sasmodels' parameters in its units; kinds of size distribution as ``radius_pd_type``.
    parameters: dict[str, Any]
    #: Those of them that this model's fit keeps as they are, from whatever start: contrasts that the data
    #: cannot distinguish from the scale, say, so that the scales of two fits can be compared.
    fixed: dict[str, float] = field(default_factory=dict)
    fitted: tuple[
        str, ...
    ] = ()  #: Those that this model's fit is to have fitted, as a user starts from them.

    def drop_fixed(self, names: Iterable[str]) -> Start:
        """Return the start without fixing these parameters, as a user's materials do."""
        names = set(names)
        return replace(self, fixed={k: v for k, v in self.fixed.items() if k not in names})


@dataclass(frozen=True)
class Method:
    """What follows for the best candidate after all were fitted by Levenberg-Marquardt, as for `api.fit`."""

    name: str = "lm"
    samples: int = 10_000
    burn: int = 100


@dataclass(frozen=True)
class Contrast:
    """What a user says of sample and solvent; see `problem.contrast` for what a model makes of it."""

    #: sample, solvent: scattering length density, 1e-6/Å²; None where not given.
    sample: float | None
    solvent: float | None
    #: sample_name, solvent_name: as the user wrote them.
    sample_name: str = ""
    solvent_name: str = ""
    probe: str = "neutron"  #: neutron or xray.


@dataclass(frozen=True)
class FitOptions:
    """How a curve is fitted, made by `asked.options_of` of what a user asks (`request.FitRequest`)."""

    top: int = 5
    models: tuple[str, ...] | None = None
    structure_factor: str | None = None
    sample_kind: str | None = None  #: Of `SAMPLE_KINDS`; its models are fitted unless a user names models.
    fixed: dict[str, float] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    fitted: tuple[str, ...] = ()  #: Parameters that are fitted in each model that has them.
    temperature: float | None = None  #: Of the sample, K; None where not given.
    contrast: Contrast | None = None  #: Scattering length densities of sample and solvent, not fitted.
    method: Method = Method()
    #: One more start for one of the models, which is fitted even where the network would not have it.
    start: Start | None = None
    time_limit: float = 90.0
    workers: int = 2
    prior: str = COMMON
    exclude: tuple[str, ...] = ()
    #: Other options of the command line by their names, with the dashes: how the file was read and what is
    #: written. They decide nothing in a fit; the command that is named next has them.
    also: dict[str, str] = field(default_factory=dict)

    @property
    def candidates(self) -> tuple[str, ...] | None:
        """The models to choose from: those that a user names, or of the kind of sample; None for all."""
        kind = None if self.sample_kind is None else SAMPLE_KINDS[self.sample_kind]
        return kind.models if self.models is None and kind is not None else self.models

    def allows(self, form: str, second: str | None = None, structure_factor: str | None = None) -> bool:
        """Whether a model is not excluded and, unless models are named, one of the kind of sample."""
        if {form, second, structure_factor} & set(self.exclude):
            return False
        if self.sample_kind is None or self.models is not None:
            return True
        kind = SAMPLE_KINDS[self.sample_kind]
        # A structure factor that a user names is fitted.
        factors = {None, self.structure_factor, *kind.structure_factors}
        return form in kind.models and second in {None, *kind.second} and structure_factor in factors

    def longer(self) -> float:
        """The time limit to go on with where this one was too short, s."""
        return max(300.0, 4 * self.time_limit)


class Named(Protocol):
    """What work is done on; it can be pickled."""

    @property
    def name(self) -> str:
        """For sentences."""


class Plan(Protocol):
    """What each task of one run may spend, where they depend on each other."""

    def budget(self, index: int) -> Budget | None:
        """Of the next task; None as long as those that it depends on are not done."""

    def record_answer(self, index: int, answer: Any, used: float, cut: bool) -> None:
        """Hear what came of a task, what it has spent, and whether the clock on the wall has ended it."""


#: A function of a module, so that it can be sent to another process: (what is asked, bank, budget) -> answer.
Work = Callable[[Any, "Bank", Budget], Any]


class Pool(Protocol):
    """Whatever does the work: processes, or this process, one piece after another."""

    @property
    def count(self) -> int:
        """Pieces done at the same time."""

    def run(
        self, work: Work, tasks: Sequence[Named], seconds: float, plan: Plan | None = None
    ) -> Iterator[tuple[int, Any]]:
        """Do the same work on each of what is asked, the first ones first; yields (index, answer).

        An answer is what `work` returns, or a `SasnetError` that says why there is none. What is not done
        after `seconds` on the wall, or has no budget by the plan, is answered by a `LateError`.
        """


class Counting(Pool, Protocol):
    """A pool for one curve, with a clock of what was spent."""

    def clock(self) -> float:
        """The time that budgets are meant in, s."""


#: What a sentence advises where the time was up.
MORE_TIME = Phrase("give more with --time-limit", "give more with time_limit", "allow more time")


class LateError(SasnetError):
    """A piece of work was not done within the time limit."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: not fitted within the time limit; {MORE_TIME}.")
        self.name = name

    def __reduce__(self) -> tuple[type[LateError], tuple[str]]:
        # As it is, pickle would make the name of the sentence.
        return type(self), (self.name,)


class EndedError(LateError):
    """A piece of work was not done, as the user wants what there is."""


def no_curve(name: str) -> SasnetError:
    """Why there is no fit of a model that has no curve at any start, or at the end of its search."""
    return SasnetError(
        f"{name}: no starting values give a finite curve with a positive scale. The model does not"
        f" describe these data, or too many parameters are fixed."
    )
