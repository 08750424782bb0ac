"""One specification per kind of measurement: its files, its simulator and the questions asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ..extensions import load, merge_tables
from ..types import Curve, SasnetError
from ..wording import Phrase
from .simulator import HeldOut as HeldOut
from .simulator import Layout as Layout
from .simulator import Mix as Mix
from .simulator import Simulator as Simulator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .heads import Head, Inputs

#: Name of a domain -> "module:its specification"; extensions add theirs.
PAGES = {"sas1d": "", **merge_tables("KINDS")} | {"sas1d": "sasnet_plugin.domains.sas1d:SAS1D"}
#: What a command means where it is told of no domain, and a file is taken for that no other recognises.
DEFAULT = "sas1d"


@dataclass(frozen=True)
class ReadOptions:
    """How files are read."""

    q_unit: str | None = None  #: Of curves, where the file is silent or wrong.
    entry: str | None = None  #: Only this entry of a file that holds several.
    #: Of images, ``name=value``: what header and TOML file do not say, or say wrongly.
    geometry: tuple[str, ...] = ()
    wavelength: float | None = None  #: Å; of curves against an angle, where the file does not say it.
    #: Told of a frame that cannot be used, and the next is read; None raises at the first.
    failed: Callable[[SasnetError], None] | None = None


@dataclass(frozen=True)
class Seen:
    """What a network sees of a measurement."""

    measurement: Any  #: As its features are made of: of an image, what lies in the network's window.
    #: What was done to the data and what to be careful about, one plain sentence each.
    notes: tuple[str, ...] = ()
    #: False where it was measured in a way that the network was not trained with; nothing is in scope then.
    known: bool = True


@dataclass(frozen=True)
class Network:
    """What a domain's network is made of, besides its heads."""

    #: (inputs by name, sizes) to what the heads read, (n, any); imports Keras inside.
    trunk: Callable[[Mapping[str, Any], Mapping[str, Any]], Any]
    sizes: Mapping[str, Any] = field(default_factory=dict)  #: Of the trunk, plain data.
    #: How the frames of a set become one: "mean", "attention", or "sum" (independent evidence adds up) and a
    #: dense block; empty where measurements are no sets.
    pooling: str = ""
    one_side: bool = False  #: The trunk reads a pattern's side without its mirror image.
    reservoir: int = 60_000  #: Training examples kept in memory.
    reuse: float = 2.5  #: How often a training example is drawn on average; with 1 every one is drawn once.


class Finding(Protocol):
    """One answer of one head."""

    def as_dict(self) -> dict[str, Any]:
        """Entries of ``--json``."""

    def rows(self) -> Sequence[Sequence[str]]:
        """A table for a person, its head first; empty where there is none."""
        return ()

    def sentences(self) -> Sequence[str]:
        """What is said in words, the verdict first."""

    def notes(self) -> Sequence[str]:
        """What is said after all findings."""
        return ()

    def silence(self) -> Self:
        """The same without what the network says, of a measurement that it knows nothing of."""
        return self

    def draw(self, axes: Axes) -> None:
        """Draw it; some have no picture."""
        del axes


class Refine(Protocol):
    """Physics fitted from an answer on."""

    def __call__(
        self, measurement: Any, answer: Any, seconds: float, told: Callable[[str], None] | None = None, /
    ) -> Any:
        """The answer with what was fitted within some seconds; `told` hears of each stage in a few words."""


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A kind of measurement, as the functions that its data go through.

    Each imports what it needs inside: a user who classifies a file never loads what simulates or trains.
    None stands for a step that the domain does not have.

    Parameters
    ----------
    name : str
        Also of its model in the zoo.
    title : str
        What is measured, in the plural: "curves".
    read : callable
        (path, `ReadOptions`) to measurements, one after the other.
    features : callable
        (measurements) to the network's `heads.Inputs`; the same in training and in prediction.
    features_version : int
        A network trained with another one is refused.
    heads : tuple of Head
        The questions, at least one.
    network : Network
        Every domain has one; a value that needs none is computed by `complete`.
    simulator : callable or None
        () to its `Simulator`; None where there are only recorded data.
    purpose, limits : str
        Of the model card: what the network says, a sentence; what it is not for, to go on after "Not for".
    recognise : callable or None
        (path) to 0..1, how sure it is that a file holds such measurements; the largest wins. None: only
        ``--domain`` chooses it.
    together : callable or None
        (measurements) to one, of a sample in several settings.
    added : callable or None
        (measurement, next) to one of all their counts, for frames that come one after the other; None where
        each frame is a sample of its own.
    settings : callable or None
        (measurements, settings that the user lists, predictor) to sentences: which setting tells most next.
    check : callable or None
        (measurement, `inputs` of the manifest) to `Seen`, what the network sees of it; None where it sees
        all.
    class_prior : callable or None
        (labels) to the relative frequency of each class in practice; None where all are alike.
    given_prior : callable or None
        (labels, labels that depend on them) to the relative frequency in practice of each with each; None
        where all are alike.
    keys : tuple of str
        Entries of an answer's ``--json`` in their order; empty: file, entry, findings, in_scope, notes.
    symmetries : tuple of callable
        Each (inputs) to those of the mirror image: augmentation in training, an average in prediction.
    variants : tuple of callable
        Each (inputs) to those of a measurement so little different that the answer is the same, such as of a
        sample a few per cent larger: outputs are averaged over all in prediction, with equal weights.
    complete : callable or None
        (measurement, `predict.Answer`) to the answer with what is computed from the measurement itself.
        ``sasnet evaluate`` does not call it.
    curve : callable or None
        (measurement) to the `Curve` that it is, which 'sasnet fit' fits, or None where it is more than that.
    refine : callable or None
        `Refine`: physics fitted from the answer on, and simulated again.
    why_not_fitted : callable or None
        (measurement, answer) to why `refine` can explain nothing of it, a sentence; empty where it may.
    sections : callable or None
        (measurement, answer) to sections of the report page.
    finish : callable or None
        (trained, held-out examples, calibration) to `train.package.Finished`: what is added to the model
        when it is packaged.
    evaluate : callable or None
        (model, folder of test shards, per_model=, seed=, progress=, workers=) to `evaluated.Evaluated`; None:
        by its heads.
    """

    name: str
    title: str
    read: Callable[[str, ReadOptions], Iterable[Any]]
    features: Callable[[Sequence[Any]], Inputs]
    features_version: int = 1
    heads: tuple[Head, ...]
    network: Network
    simulator: Callable[[], Simulator] | None = None
    purpose: str = ""
    limits: str = ""
    recognise: Callable[[Path], float] | None = None
    together: Callable[[Sequence[Any]], Any] | None = None
    added: Callable[[Any, Any], Any] | None = None
    settings: Callable[[Sequence[Any], Sequence[str], Any], Sequence[str]] | None = None
    check: Callable[[Any, Mapping[str, Any]], Seen] | None = None
    class_prior: Callable[[Sequence[str]], NDArray[np.float64]] | None = None
    given_prior: Callable[[Sequence[str], Sequence[str]], NDArray[np.float64]] | None = None
    keys: tuple[str, ...] = ()
    symmetries: tuple[Callable[[Inputs], Inputs], ...] = ()
    variants: tuple[Callable[[Inputs], Inputs], ...] = ()
    complete: Callable[[Any, Any], Any] | None = None
    curve: Callable[[Any], Curve | None] | None = None
    refine: Refine | None = None
    why_not_fitted: Callable[[Any, Any], str] | None = None
    sections: Callable[[Any, Any], Sequence[Any]] | None = None
    finish: Callable[[Any, Any, Any], Any] | None = None
    evaluate: Callable[..., Any] | None = None

    def open_simulator(self) -> Simulator:
        """Its simulator.

        Raises
        ------
        SasnetError
            There are only recorded data.
        """
        if self.simulator is None:
            raise SasnetError(f"{self.name}: {self.title} cannot be simulated.")
        return self.simulator()


def specification(name: str) -> Domain:
    """The specification of a domain by its name.

    Raises
    ------
    SasnetError
        There is none of this name.
    """
    if name not in PAGES:
        raise SasnetError(f"{name}: no such kind of measurement; choose one of {', '.join(PAGES)}.")
    domain = load(PAGES[name])
    assert isinstance(domain, Domain)
    return domain


def names_and_titles() -> str:
    """All domains in words, for the help of a command: "sas1d (curves), …"."""
    return ", ".join(f"{name} ({specification(name).title})" for name in PAGES)


def has_tags(domain: Domain) -> bool:
    """Whether it answers with tags and no classes, so that it can learn a user's."""
    from .heads import Classes, Tags

    kinds = {type(head) for head in domain.heads}
    return Tags in kinds and Classes not in kinds


def recognise_domain(path: Path, *, tags: bool = False) -> str:
    """Name of the domain of a file: the one that is the surest of it, or `DEFAULT` where none is.

    Parameters
    ----------
    tags : bool
        Those that answer with tags are asked first, the others where none of these knows the file.

    Raises
    ------
    SasnetError
        Several are equally sure.
    """
    # A pipe or a device would be waited for; reading says what it is.
    if path.exists() and not path.is_file():
        return DEFAULT
    specifications = {name: specification(name) for name in PAGES}
    sure = {name: float(kind.recognise(path)) for name, kind in specifications.items() if kind.recognise}
    if tags:
        tagged = {name: score for name, score in sure.items() if has_tags(specifications[name])}
        sure = tagged if any(score > 0 for score in tagged.values()) else sure
    most = max(sure.values(), default=0.0)
    best = [name for name, score in sure.items() if score == most]
    if most <= 0:
        return DEFAULT
    if len(best) > 1:
        choose = Phrase("choose one with --domain", "give its domain", "choose its kind")
        raise SasnetError(f"{path}: can be read as any of {', '.join(best)}; {choose}.")
    return best[0]
