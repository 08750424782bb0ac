"""The nouns that travel down the chain, frozen, with their units in the field docs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .digits import align_columns, significant
from .names import describe_install as describe_install
from .names import make_shown_name as make_shown_name
from .names import printable as printable
from .names import product_name as product_name
from .names import sum_parts as sum_parts
from .units import QUnit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray
    from pandas import DataFrame

    from .arrays import Floats
    from .model_free import Guinier, Kratky, ModelFree, PairDistances, Peak, Porod, Refused
    from .model_free.region_results import Regions

    BoolArray = NDArray[np.bool_]


class SasnetError(Exception):
    """Anything that a user can cause and mend; its text is one clear sentence.

    The sentence names the file, says what is wrong and what to do about it; it is fit for a terminal.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class DataError(SasnetError):
    """A file or an array that cannot be read as a small-angle-scattering curve or image."""


class ModelZooError(SasnetError):
    """A trained model that is missing, damaged or does not match its manifest."""


class SimulationError(SasnetError):
    """A model, a prior or a shard that cannot be simulated or resumed."""


class TechnicalError(SasnetError):
    """A piece of work that failed for a reason outside of data and model: it may succeed if done again.

    Parameters
    ----------
    name : str
        What was to be done.
    reason : str
        Without a full stop.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}."


@dataclass(frozen=True)
class Sector:
    """Part of a detector that a curve was averaged over; the opposite part may be with it.

    Parameters
    ----------
    azimuth : float
        Degrees of its middle, anticlockwise from qx.
    half_width : float
        Degrees from there to its edge.
    """

    azimuth: float
    half_width: float

    def __str__(self) -> str:
        return f"{self.azimuth:g}° ± {self.half_width:g}°"


class Shown:
    """What a notebook shows of a curve, a suggestion or a fit."""

    def __str__(self: Any) -> str:
        from . import lines_of

        return "\n".join(lines_of(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def _repr_html_(self: Any) -> str:
        from . import html_of

        return html_of(self)

    def plot(self: Any, ax: Axes | None = None) -> Axes:
        """Draw the data and what was found; into new axes, which a notebook shows, where none are given.

        A suggestion is drawn as its nearest simulated curve, which is not fitted; the curves of a sample are
        moved apart. ``axes.figure.savefig("fitted.png")`` writes what was drawn.
        """
        from . import plot_of

        return plot_of(self, ax)

    def to_dataframe(self: Any) -> DataFrame:
        """A row for each point, suggested model, or parameter of each fit; SasnetError without pandas."""
        from . import frame_of

        return frame_of(self)


@dataclass(frozen=True, repr=False)
class Curve(Shown):
    """One measured (or simulated) small-angle-scattering curve.

    Parameters
    ----------
    q : (n,) float array
        Momentum transfer, Å⁻¹, positive and ascending.
    intensity : (n,) float array
        I(q), cm⁻¹ or arbitrary; may be negative after a subtraction.
    dintensity : (n,) float array or None
        One standard deviation of I(q), in the units of the intensity; None where the file has none.
    dq : (n,) float array or None
        Pinhole resolution, one standard deviation, Å⁻¹; None where not given.
    dxl, dxw : (n,) float array or None
        Slit half length and half width, Å⁻¹ (sasdata's ``dxl``, ``dxw``); None where not given.
    file, entry : str
        Where the curve came from, empty for arrays; the entry's title within the file.
    notes : tuple of str
        What was done to the data on reading, one plain sentence each.
    q_unit : QUnit
        In which unit q was read, and whether the file says so.
    shadow : Curve or None
        Points below the first of these, left out on reading because they lie in the beamstop's shadow.
    entries : int
        How many the file holds.
    intensity_unit : str
        "cm⁻¹", into which other inverse lengths are converted on reading; else the file's own word, as
        "counts"; empty where the file names none.
    replaced : int
        Uncertainties that were not usable and were replaced from those of neighbouring points.
    errors_noted : bool
        One of the notes says why there are no usable uncertainties.
    q_asked : bool
        Whether a user has said where q begins: then no first point is doubted.
    sector : Sector or None
        What it was averaged over, where that is not all around the beam.
    spin : str
        Polarised neutrons: "+" or "-", with an analyser "++", "+-", "-+" or "--"; else empty.
    understated : float
        The scatter of neighbouring points over the stated uncertainties, where these were so far too small
        that the scatter took their place; else 0.
    """

    q: Floats
    intensity: Floats
    dintensity: Floats | None = None
    dq: Floats | None = None
    dxl: Floats | None = None
    dxw: Floats | None = None
    file: str = ""
    entry: str = ""
    notes: tuple[str, ...] = ()
    q_unit: QUnit = QUnit()
    shadow: Curve | None = None
    entries: int = 1
    q_asked: bool = False
    intensity_unit: str = ""
    replaced: int = 0
    errors_noted: bool = False
    sector: Sector | None = None
    spin: str = ""
    understated: float = 0.0

    def __post_init__(self) -> None:
        q = _column("q", self.q)
        object.__setattr__(self, "q", q)
        for name in ("intensity", "dintensity", "dq", "dxl", "dxw"):
            value = getattr(self, name)
            if value is None and name != "intensity":
                continue
            column = _column(name, value)
            if column.shape != q.shape:
                raise DataError(
                    f"{self.file or 'the curve'}: {name} has {column.size} values but q has {q.size};"
                    " give one value per q."
                )
            object.__setattr__(self, name, column)
        self._check_values()

    def _check_values(self) -> None:
        """Raise a `DataError` where q is not positive or a value is no number."""
        usable = {"q": np.isfinite(self.q) & (self.q > 0), "intensity": np.isfinite(self.intensity)}
        if self.dintensity is not None:
            usable["dintensity"] = np.isfinite(self.dintensity)
        for name, good in usable.items():
            if not np.all(good):
                numbers = "positive numbers" if name == "q" else "finite numbers"
                raise DataError(
                    f"{self.file or 'the curve'}: {name} must hold only {numbers}; remove"
                    f" {np.count_nonzero(~good)} of the {good.size} points."
                )

    @property
    def has_slit(self) -> bool:
        """Whether a slit smeared it."""
        return self.dxl is not None or self.dxw is not None

    @property
    def intensity_label(self) -> str:
        """The title of an axis of I(q), with the unit that the file names."""
        return f"I / {self.intensity_unit}" if self.intensity_unit else "I, unit not given in the file"

    def __len__(self) -> int:
        return int(self.q.size)

    def __str__(self) -> str:
        name = printable(make_shown_name(self.file, self.entry)) if self.file else "curve"
        if not len(self):
            return f"{name}: no points"
        unit = "" if self.q_unit.stated else ", unit assumed"
        error = "with" if self.dintensity is not None else "without"
        ends = f"{significant(self.q[0], 3)} to {significant(self.q[-1], 3)} Å⁻¹{unit}"
        return f"{name}: {len(self)} points, q {ends}, {error} uncertainties"

    def within(self, low: float = -np.inf, high: float = np.inf) -> Curve:
        """The points with low <= q <= high, Å⁻¹; with a low end also those left out as a shadow.

        Raises
        ------
        DataError
            No point lies there.
        """
        from . import cut_to_q_range

        return cut_to_q_range(self, low, high)

    def guinier(self) -> Guinier | Refused:
        """Radius of gyration and I(0) without a model, or, false, why there is no Guinier region."""
        return self.model_free().guinier

    def porod(self) -> Porod | Refused:
        """Exponent, Porod's constant and flat background at the highest q, or, false, why there are none."""
        return self.model_free().porod

    def peaks(self) -> tuple[Peak, ...]:
        """Maxima of the intensity by rising q, with 2π/q."""
        return self.model_free().peaks

    def kratky(self) -> Kratky | Refused:
        """The dimensionless Kratky plot, or, false, why there is none."""
        return self.model_free().kratky

    def pair_distances(self) -> PairDistances | Refused:
        """p(r) with the largest distance, or, false, why there is none; takes some tenths of a second."""
        from .model_free import pair_distances

        return pair_distances(self)

    def regions(self) -> Regions:
        """Guinier knees, power laws, peaks, plateaus and a background with their q ranges, values, errors."""
        from .model_free import regions

        return regions(self)

    def model_free(self) -> ModelFree:
        """All that the curve says without a model."""
        from .model_free import model_free

        return model_free(self)


def _column(name: str, value: ArrayLike) -> Floats:
    if isinstance(value, np.ndarray) and value.dtype == np.float64 and value.ndim == 1 and _is_fixed(value):
        return value
    try:
        column = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is not an array of numbers; give a one-dimensional array.") from error
    if column.ndim != 1:
        raise DataError(f"{name} has {column.ndim} dimensions; give a one-dimensional array.")
    column.setflags(write=False)
    return column


def _is_fixed(array: Floats) -> bool:
    """Whether nothing else changes an array, as of another curve."""
    return array.flags.owndata and not array.flags.writeable


class Geometry(Protocol):
    """Where the pixels of an image lie, in the coordinates of one technique."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns that it has coordinates for."""

    def check(self, name: str) -> None:
        """See that the coordinates of the image of this name are usable, or raise a `DataError`."""


@dataclass(frozen=True)
class GrazingIncidence:
    """Exit angles over the horizon of a flat sample that the beam grazes (GISAXS, GISANS).

    Parameters
    ----------
    phi : (columns,) float array
        In-plane exit angle of the pixels' centres, degrees, ascending.
    alpha_f : (rows,) float array
        Exit angle above the sample's horizon, degrees, ascending; row 0 is the lowest.
    wavelength : float
        Å.
    alpha_i : float
        Angle of incidence, degrees.
    """

    phi: Floats
    alpha_f: Floats
    wavelength: float
    alpha_i: float

    def __post_init__(self) -> None:
        for name in ("phi", "alpha_f"):
            object.__setattr__(self, name, _column(name, getattr(self, name)))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.alpha_f.size, self.phi.size

    def check(self, name: str) -> None:
        """See that the angles ascend.

        Raises
        ------
        DataError
            They do not.
        """
        for axis, values in (("phi", self.phi), ("alpha_f", self.alpha_f)):
            if not np.all(np.isfinite(values)) or not np.all(np.diff(values) > 0):
                raise DataError(f"{name}: {axis} does not ascend; sort it, with the counts.")


@dataclass(frozen=True)
class Image:
    """One measured (or simulated) scattering image.

    Parameters
    ----------
    counts : (rows, columns) float array
        Counts, or an intensity proportional to them; finite wherever the mask is True.
    mask : (rows, columns) bool array
        True where the pixel counts.
    geometry : Geometry
        Where the pixels lie and how the sample was illuminated: `GrazingIncidence`, or an object of another
        technique with `shape` (rows, columns) and ``check(name)``, which raises DataError.
    file, entry : str
        Where the image came from, empty for arrays; the frame's title within the file.
    notes : tuple of str
        What was done to the data on reading, one plain sentence each.
    """

    counts: Floats
    mask: BoolArray
    geometry: Any
    file: str = ""
    entry: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        name = self.file or "the image"
        counts = np.array(self.counts, dtype=np.float64)
        mask = np.array(self.mask, dtype=np.bool_)
        shape = self.geometry.shape
        if counts.shape != shape or mask.shape != shape:
            raise DataError(
                f"{name}: counts {counts.shape} and mask {mask.shape} do not match the geometry of"
                f" {shape[0]} rows and {shape[1]} columns; give arrays of (rows, columns)."
            )
        self.geometry.check(name)
        if not np.all(np.isfinite(counts[mask])):
            raise DataError(
                f"{name}: some counts with mask True, which are used, are not numbers; set their mask to"
                " False."
            )
        for field_name, array in (("counts", counts), ("mask", mask)):
            array.setflags(write=False)
            object.__setattr__(self, field_name, array)


@dataclass(frozen=True)
class ModelGuess:
    """One form model with its most likely structure factor.

    Parameters
    ----------
    name, structure_factor : str
        sasmodels' names of the form model and of its most likely structure factor, None for a dilute sample.
    probability, structure_factor_probability : float
        0..1; of the form model with any structure factor, and of that structure factor given the form model.
    group : str
        Name of the group of models that it cannot be distinguished from.
    uniform : float or None
        Probability of the form model if every one were as common as every other; None where that was assumed.
    """

    name: str
    structure_factor: str | None
    probability: float
    group: str
    structure_factor_probability: float = 1.0
    uniform: float | None = None


@dataclass(frozen=True)
class GroupGuess:
    """A group of models that data of this kind rarely tell apart, with its summed probability."""

    name: str
    members: tuple[str, ...]
    probability: float


@dataclass(frozen=True, repr=False)
class Suggestion(Shown):
    """What explains one curve: models and groups by falling probability.

    Parameters
    ----------
    file, entry : str
        Where the curve came from.
    models, groups : tuple of ModelGuess, tuple of GroupGuess
        The likeliest form models, and groups of them.
    in_scope : float
        0..1; how much the curve looks like any known model, rather than a mixture, a powder pattern or junk.
    notes : tuple of str
        Plain sentences: what was done to the data and what to be careful about.
    rg_network, curve
        The network's estimate of the radius of gyration, Å, and what was measured; None where unknown.
    second_component : float or None
        0..1; how surely the network sees a mixture of two models, or of two sizes of one.
    """

    file: str
    entry: str
    models: tuple[ModelGuess, ...]
    groups: tuple[GroupGuess, ...]
    in_scope: float
    notes: tuple[str, ...] = field(default_factory=tuple)
    rg_network: float | None = None
    curve: Curve | None = field(default=None, compare=False, repr=False)
    second_component: float | None = None

    def __repr__(self) -> str:
        name = printable(make_shown_name(self.file, self.entry)) if self.file else "curve"
        head = ("model", "structure factor", "probability", "group")
        rows = [
            (one.name, one.structure_factor or "–", f"{100 * one.probability:.3g} %", one.group)
            for one in self.models
        ]
        title = f"Suggestion for {name} ({100 * self.in_scope:.3g} % likely to be a library model):"
        return "\n".join([title, *align_columns([head, *rows])])

    @cached_property
    def model_free(self) -> ModelFree | None:
        """What the curve says without a model, worked out when it is first asked for."""
        return None if self.curve is None else self.curve.model_free()

    @property
    def rg(self) -> float | None:
        """Radius of gyration, Å: of Guinier's law where there is a Guinier region, else the network's."""
        guinier = None if self.model_free is None else self.model_free.guinier
        return getattr(guinier, "rg", self.rg_network)
