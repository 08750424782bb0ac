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

#: Name of a domain -> "module:its specification". Others may add theirs.
PAGES = {
    "sas1d": "sasnet_plugin.domains.sas1d:SAS1D",
    "gisas_hex": "sasnet_plugin.domains.gisas_hex:GISAS_HEX",
    "gisas_growth": "sasnet_plugin.domains.gisas_growth:GISAS_GROWTH",
    "sans2d": "sasnet_plugin.domains.sans2d:SANS2D",
    "diffraction": "sasnet_plugin.domains.diffraction:DIFFRACTION",
    "xray_tags": "sasnet_plugin.domains.xray_tags:XRAY_TAGS",
}
#: What a command means where it is told of no domain, and a file is taken for that no other recognises.
DEFAULT = next(iter(PAGES))


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
    wavelength : float or None
        Å; of curves against an angle, where the file does not say it.
    failed : callable or None
        Told of a frame that cannot be used, and the next is read; None raises at the first.
    """

    q_unit: str | None = None
    entry: str | None = None
    geometry: tuple[str, ...] = ()
    wavelength: float | None = None
    failed: Callable[[SasnetError], None] | None = None


@dataclass(frozen=True)
class Seen:
    """What a network sees of a measurement.

    Parameters
    ----------
    measurement : Curve, Image, …
        As its features are made of: of an image, what lies in the network's window.
    notes : tuple of str
        What was done to the data and what to be careful about, one plain sentence each.
    known : bool
        False where it was measured in a way that the network was not trained with; nothing is in scope then.
    """

    measurement: Any
    notes: tuple[str, ...] = ()
    known: bool = True


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
        How the frames of a set become one: "mean", "attention", or "sum" (independent evidence adds up) and a
        dense block; empty where measurements are no sets.
    reservoir : int
        Training examples kept in memory.
    reuse : float
        How often a training example is drawn on average; with 1 every one is drawn once.
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
    purpose, limits : str
        Of the model card: what the network says, a sentence; what it is not for, to go on after "Not for".
    recognise : str
        (path) to 0..1, how sure it is that a file holds such measurements; the largest wins.
    read : str
        (path, `ReadOptions`) to measurements, one after the other.
    together : str
        (measurements) to one, of a sample in several settings; empty where there are no settings.
    added : str
        (measurement, next) to one of all their counts, for frames that come one after the other; empty where
        each frame is a sample of its own.
    settings : str
        (measurements, settings that the user lists, predictor) to sentences: which setting tells most next.
    check : str
        (measurement, `inputs` of the manifest) to `Seen`, what the network sees of it; empty
        where it sees all.
    class_prior : str
        (labels) to the relative frequency of each class in practice; empty where all are alike.
    given_prior : str
        (labels, labels that depend on them) to the relative frequency in practice of each with each; empty
        where all are alike.
    features : str
        (measurements) to the network's `heads.Inputs`; the same in training and in prediction.
    features_version : int
        A network trained with another one is refused.
    simulator : str
        A `Simulator`; empty where there are only recorded data.
    heads : tuple of heads.Head
        What is asked.
    network : Network
    keys : tuple of str
        Entries of an answer's ``--json`` in their order; empty: file, entry, findings, in_scope, notes.
    symmetries : tuple of str
        Each (inputs) to those of the mirror image: augmentation in training, an average in prediction.
    variants : tuple of str
        Each (inputs) to those of a measurement so little different that the answer is the same, such as of a
        sample a few per cent larger: outputs are averaged over all in prediction, with equal weights.
    complete : str
        (measurement, answer) to an answer: what the measurement itself says besides, in every answer.
    curve : str
        (measurement) to the `Curve` that it is, which 'sasnet fit' fits, or None where it is more than that.
    refine : str
        (measurement, answer, options) to an answer: physics fitted from the answer on, and simulated again.
    sections : str
        (measurement, answer) to sections of the report page.
    evaluate : str
        (model, folder of test shards, per_model=, seed=, progress=, workers=) to `evaluated.Evaluated`.
    """

    name: str
    title: str = ""
    purpose: str = ""
    limits: str = ""
    recognise: Ref = ""
    read: Ref = ""
    together: Ref = ""
    added: Ref = ""
    settings: Ref = ""
    check: Ref = ""
    class_prior: Ref = ""
    given_prior: Ref = ""
    features: Ref = ""
    features_version: int = 1
    simulator: Ref = ""
    heads: tuple[Head, ...] = ()
    network: Network = field(default_factory=Network)
    keys: tuple[str, ...] = ()
    symmetries: tuple[Ref, ...] = ()
    variants: tuple[Ref, ...] = ()
    complete: Ref = ""
    curve: Ref = ""
    refine: Ref = ""
    sections: Ref = ""
    evaluate: Ref = "sasnet_plugin.report.evaluated:evaluated"


#: What domains of grazing-incidence patterns have in common; each adds its name, heads, simulator and trunk.
PATTERNS = Domain(
    name="",
    read="sasnet_plugin.data.images.load:read",
    check="sasnet_plugin.predict.checks:check_image",
    features="sasnet_plugin.data.images.features:inputs",
    symmetries=("sasnet_plugin.data.images.features:mirrored_inputs",),
    network=Network(
        sizes={
            "trunk": "small",
            "weights": "",
            "stem": 32,
            "blocks": ((2, 16), (4, 16), (5, 32)),
            "dense": 256,
            "dropout": 0.0,
        },
        reservoir=16_000,
        reuse=4.0,
    ),
)


def specification(name: str) -> Domain:
    """The specification of a domain by its name.

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


def names_and_titles() -> str:
    """All domains in words, for the help of a command: "sas1d (curves), …"."""
    return ", ".join(f"{name} ({specification(name).title})" for name in PAGES)


def recognised(path: Path, *, tags: bool = False) -> str:
    """Name of the domain of a file: the one that is the surest of it, or `DEFAULT` where none is.

    Parameters
    ----------
    path : Path
    tags : bool
        Those that answer with tags are asked first, the others where none of these knows the file.

    Raises
    ------
    SasnetError
        Several are equally sure.
    """
    from .heads import Tags

    # A pipe or a device would be waited for; reading says what it is.
    if path.exists() and not path.is_file():
        return DEFAULT
    found = {name: specification(name) for name in PAGES}
    sure = {name: float(resolve(one.recognise)(path)) for name, one in found.items() if one.recognise}
    if tags:
        tagged = {name: sure[name] for name in sure if any(isinstance(h, Tags) for h in found[name].heads)}
        sure = tagged if any(score > 0 for score in tagged.values()) else sure
    most = max(sure.values(), default=0.0)
    best = [name for name, score in sure.items() if score == most]
    if most <= 0:
        return DEFAULT
    if len(best) > 1:
        raise SasnetError(f"{path}: may be any of {', '.join(best)}; say which with --domain.")
    return best[0]


def resolve(reference: str) -> Any:
    """Import what "module:name" names.

    Raises
    ------
    ImportError, AttributeError
        There is no such module or name.
    """
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
