"""One specification per kind of measurement: its files, its simulator and the questions asked of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..types import SasnetError

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    from .heads import Head, Targets

#: "module:function", so that nothing heavy is imported before it is needed.
Ref = str

#: Name of a domain -> "module:page".
PAGES = {
    "sas1d": "sasnet_plugin.domains.sas1d:SAS1D",
    "gisas_hex": "sasnet_plugin.domains.gisas_hex:GISAS_HEX",
    "gisas_growth": "sasnet_plugin.domains.gisas_growth:GISAS_GROWTH",
}


@dataclass(frozen=True)
class ReadOptions:
    """How files are read.

    Parameters
    ----------
    q_unit : str or None
        Of curves, where the file is silent or wrong.
    entry : str or None
        Only this entry of a file that holds several.
    geometry : tuple of str
        Of images, ``name=value``: what header and TOML file do not say, or say wrongly.
    failed : callable or None
        Told of a frame that cannot be used, and the next is read; None raises at the first.
    """

    q_unit: str | None = None
    entry: str | None = None
    geometry: tuple[str, ...] = ()
    failed: Callable[[SasnetError], None] | None = None


@dataclass(frozen=True)
class Network:
    """What a domain's network is made of, besides its heads.

    Parameters
    ----------
    trunk : str
        "module:function", (inputs by name, sizes) to what the heads read, (n, any).
    sizes : mapping
        Of the trunk, plain data.
    pooling : str
        How the frames of a set become one: "mean" or "attention"; empty where measurements are no sets.
    reservoir : int
        Training examples kept in memory.
    reuse : float
        How often a training example is drawn on average.
    """

    trunk: Ref = ""
    sizes: Mapping[str, Any] = field(default_factory=dict)
    pooling: str = ""
    reservoir: int = 60_000
    reuse: float = 2.5


class Simulator(Protocol):
    """What the measurements of a domain are drawn from."""

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw the parameters of one sample and its beam."""

    def clean(self, params: Any) -> Mapping[str, Any]:
        """A row of the dataset: arrays by name, simulated without noise or instrument."""

    def measure(
        self, rows: Sequence[Mapping[str, Any]], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[Any, Targets]:
        """Measure rows anew: what `Domain.features` reads, and what is true, by head.

        Parameters
        ----------
        rows : sequence of mapping
            Of `clean`.
        rng : numpy.random.Generator
        exposure : float, optional
            Expected counts; default: drawn.
        """


class Finding(Protocol):
    """One answer of one head."""

    def as_dict(self) -> dict[str, Any]:
        """Entries of ``--json``."""

    def rows(self) -> Sequence[Sequence[str]]:
        """A table for a person, its head first; empty where there is none."""

    def draw(self, axes: Axes) -> None:
        """Draw it."""


@dataclass(frozen=True)
class Domain:
    """A kind of measurement, as the functions that its data go through, each named "module:function".

    Named rather than imported: a user who classifies a file never loads what simulates or trains. A step that
    the domain does not have is empty.

    Parameters
    ----------
    name : str
        Also of its model in the zoo.
    title : str
        What is measured, in the plural: "curves".
    recognise : str
        (path) to 0..1, how sure it is that a file holds such measurements; the largest wins.
    read : str
        (path, q_unit=, entry=) to measurements, one after the other; also settings= where there are any.
    features : str
        (measurements) to the network's `heads.Inputs`; the same in training and in prediction.
    features_version : int
        A network trained with another one is refused.
    simulator : str
        A `Simulator`; empty where there are only recorded data.
    heads : tuple of heads.Head
        What is asked.
    network : Network
    symmetries : tuple of str
        Each (inputs) to those of the mirror image: augmentation in training, an average in prediction.
    refine : str
        (measurement, answer, options) to an answer: physics fitted from the answer on, and simulated again.
    sections : str
        (measurement, answer) to sections of the report page.
    settings : str
        Old references from here on, each goes when its last user does. Texts ``name=value`` of
        ``--geometry`` to settings for reading; empty where files say it all.
    preprocess : str
        Measurements to the network's input; the same for training and prediction.
    preprocess_version : str
        "module:number"; a network trained with another one is refused.
    manifest : str
        (text, its path) to a checked manifest of the zoo.
    outputs : str
        Names of the network's outputs, a NamedTuple.
    decode : str
        From them to calibrated answers.
    judge : str
        (top=, models=, exclude=) to a function from measurements to an answer or an exception for each.
    verify : str
        (measurement, answer) to an answer that was simulated again; empty where ``sasnet fit`` does that.
    metrics : str
        Figures of merit.
    evaluate : str
        (model, folder of test shards, options) to figures and a table, `report.figures.Evaluated`.
    quantities : str
        Numbers of an answer, each with ``name`` and ``unit``, that can be followed over a series of frames.
    as_dict, show, plot : str
        An answer as plain data for ``--json``; (console, measurement, answer) as text; (file, pairs of
        measurement and answer) as a figure.
    report : str
        (measurement, answer, folder) writes a page; empty where ``sasnet fit`` does that.
    """

    name: str
    title: str = ""
    recognise: Ref = ""
    read: Ref = ""
    features: Ref = ""
    features_version: int = 1
    simulator: Ref = ""
    heads: tuple[Head, ...] = ()
    network: Network = field(default_factory=Network)
    symmetries: tuple[Ref, ...] = ()
    refine: Ref = ""
    sections: Ref = ""
    settings: str = ""
    preprocess: str = ""
    preprocess_version: str = ""
    manifest: str = ""
    outputs: str = ""
    decode: str = ""
    judge: str = ""
    verify: str = ""
    metrics: str = ""
    evaluate: str = ""
    quantities: str = ""
    as_dict: str = ""
    show: str = ""
    plot: str = ""
    report: str = ""


def page(name: str) -> Domain:
    """The page of a domain by its name.

    Raises
    ------
    SasnetError
        There is none of this name.
    """
    if name not in PAGES:
        raise SasnetError(f"{name}: no such kind of measurement; choose one of {', '.join(PAGES)}.")
    found = resolve(PAGES[name])
    assert isinstance(found, Domain)
    return found


def recognised(path: Path) -> str:
    """Name of the domain of a file: the first that recognises it, or curves."""
    for name, reference in PAGES.items():
        found: Domain = resolve(reference)
        if found.recognise and resolve(found.recognise)(path):
            return name
    return next(iter(PAGES))


def resolve(reference: str) -> Any:
    """Import what "module:name" names.

    Raises
    ------
    ImportError, AttributeError
        There is no such module or name.
    """
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
