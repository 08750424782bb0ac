"""Clean curves in memory, and how they are combined: sizes shifted, structure factors multiplied on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import SimulationError
from .dataset import open_shard, shard_paths
from .grid import N_WIDE, PER_DECADE
from .polydispersity import size_distribution, spread
from .priors import list_structure_factors, rescalable, structure_factors

#: Sizes are shifted by at most this many grid points either way in training: a factor of 2.8.
MAX_SHIFT = 360
#: realistic protocol: "none 0.75, else one of … where the model allows it".
DILUTE_SHARE = 0.75
#: The same in training: twice as many types of S(q) to learn from as the protocol has.
TRAINING_DILUTE_SHARE = 0.65
#: A charged sphere's S(q) scales with its size only roughly, so a drawn one comes from among the nearest.
_NEAREST = 15
#: Share of the monodisperse curves in store whose sizes are spread, and how many distributions are at hand.
_SPREAD_SHARE = 0.6
_N_SPREADS = 200
#: In half of the training curves the radius of S(q) is not the body's own: hydration, charge and softness
#: move it, and fits leave it free. Standard deviation of ln radius.
_LOOSE_SHARE, _LOOSE_SIGMA = 0.5, 0.2
RADIUS = "radius_effective"


@dataclass(frozen=True)
class ModelCurves:
    """All clean curves of one model."""

    model: str  #: sasmodels' name, or the path of a plugin model file.
    log_intensity: NDArray[np.float32]  #: (n, N_WIDE), ln I, largest value 0; NaN from ``n_valid`` on.
    n_valid: NDArray[np.intp]  #: (n,)
    #: radius_effective, max_length, log_rg: (n,), Å, Å, log10 of Å.
    radius_effective: NDArray[np.float64]
    max_length: NDArray[np.float64]
    log_rg: NDArray[np.float64]
    spread: NDArray[np.bool_]  #: (n,), monodisperse curves whose sizes are to be spread when they are drawn.

    def __len__(self) -> int:
        return len(self.n_valid)


def _read_part(file: Any) -> dict[str, NDArray]:
    part = {n: file[n][()] for n in ("log_intensity", "n_valid", RADIUS, "max_length", "log_rg")}
    part["spread"] = np.full(len(part["n_valid"]), bool(file.attrs["spread"]))
    keys = list(file["parameters"].attrs["names"])
    if RADIUS in keys:  # a structure factor's own parameter
        part[RADIUS] = file["parameters"][:, keys.index(RADIUS)]
    return part


def read_models(folder: Path) -> dict[str, ModelCurves]:
    """Read all finished shards by model. Raises SimulationError without one, or if one is unreadable."""
    parts: dict[str, list[dict[str, NDArray]]] = {}
    for path in shard_paths(folder):
        with open_shard(path) as file:
            parts.setdefault(str(file.attrs["model"]), []).append(_read_part(file))
    models = {}
    for model, found_parts in sorted(parts.items()):
        columns = {n: np.concatenate([part[n] for part in found_parts]) for n in found_parts[0]}
        # A plugin file's model goes by the file's name, as SasView has it.
        models[Path(model).stem] = ModelCurves(model, **columns)
    return models


@dataclass(frozen=True)
class Draw:
    """Clean curves ready to be measured."""

    #: (k, N_WIDE), I(q), largest value about 1; meaningless from ``n_valid`` on, 0 outside what was asked
    #: for.
    intensity: NDArray[np.float64]
    n_valid: NDArray[np.intp]  #: (k,)
    form: NDArray[np.intp]  #: (k,), index of the form model.
    structure_factor: NDArray[np.intp]  #: (k,), 0 for none, else 1 + index into the structure factors.
    #: (k,), log10 of the radius of gyration of the form in Å; NaN where there is none.
    log_rg: NDArray[np.float64]
    #: (k,), log10 of the effective radius in Å, of S(q) where there is one; NaN where the form allows none.
    log_radius: NDArray[np.float64]
    max_length: NDArray[np.float64]  #: (k,), largest length of the form, Å; NaN where it has none.


class Library:
    """Curves of all models of a folder of shards, ready for drawing; `dilute_share` have no structure factor
    in models that allow one.
    """

    def __init__(self, folder: Path, *, dilute_share: float = DILUTE_SHARE) -> None:
        models = read_models(folder)
        factors = structure_factors()
        self.structure_factors = factors
        self.forms = tuple(name for name in models if name not in factors)
        if not self.forms:
            raise SimulationError(f"{folder}: holds no form factor; simulate more.")
        self.dilute_share = dilute_share
        self._models = [models[name] for name in self.forms]
        self._shiftable = np.array([rescalable(curves.model) for curves in self._models])
        self._factors = {name: models[name] for name in factors if name in models}
        # radius_effective of a structure factor is its own parameter; sorted for nearest look-up.
        self._order = {name: np.argsort(s.radius_effective) for name, s in self._factors.items()}
        self.allowed = tuple(
            tuple(f for f in list_structure_factors(curves.model) if f in self._factors)
            for curves in self._models
        )

        rng = np.random.default_rng(0)
        self._spreads = [size_distribution(rng, narrow=True) for _ in range(_N_SPREADS)]

    def __len__(self) -> int:
        return len(self.forms)

    def sizes(self) -> dict[str, int]:
        """Clean curves of each form model."""
        return {name: len(curves) for name, curves in zip(self.forms, self._models, strict=True)}

    def draw(
        self,
        forms: NDArray[np.intp],
        top: int,
        rng: np.random.Generator,
        *,
        low: int = 0,
        max_shift: int = MAX_SHIFT,
        rows: NDArray[np.intp] | None = None,
        loose: bool = False,
    ) -> Draw:
        """Draw one clean curve for each wanted form (k,), known from grid point `low` to `top`; short ones
        are retried, then keep ``n_valid`` below ``top``.
        """
        # `max_shift` limits shifts of size in grid points (0: the prior's), `rows` (k,) choose curves,
        # `loose` lets S(q)'s radius differ from the body's (training).
        k = len(forms)
        intensity = np.zeros((k, N_WIDE))
        n_valid = np.zeros(k, dtype=np.intp)
        factor = np.zeros(k, dtype=np.intp)
        log_rg, log_radius, max_length = (np.full(k, np.nan) for _ in range(3))
        for row, form in enumerate(forms):
            curves = self._models[form]
            reach = max_shift if self._shiftable[form] else 0
            for _ in range(6):
                pick = int(rng.integers(len(curves))) if rows is None else int(rows[row])
                shift = int(rng.integers(-reach, reach, endpoint=True))
                n_valid[row] = min(N_WIDE, int(curves.n_valid[pick]) + shift)
                if n_valid[row] >= top:
                    break
            known_log_i = curves.log_intensity[pick, : curves.n_valid[pick]]
            if curves.spread[pick] and rng.random() < _SPREAD_SHARE:
                known_log_i = spread(known_log_i, *self._spreads[int(rng.integers(_N_SPREADS))])
                n_valid[row] = min(N_WIDE, known_log_i.size + shift)
            smaller = 10 ** (-shift / PER_DECADE)
            log_rg[row] = curves.log_rg[pick] - shift / PER_DECADE
            max_length[row] = curves.max_length[pick] * smaller
            body = float(curves.radius_effective[pick]) * smaller
            factor[row], radius, log_s = self._interaction(self.allowed[form], body, rng, loose=loose)
            log_i = shift_curve(known_log_i, known_log_i.size, shift) + log_s
            if radius > 0:
                log_radius[row] = np.log10(radius)
            intensity[row, low:top] = np.exp(log_i[low:top])
        return Draw(intensity, n_valid, np.asarray(forms), factor, log_rg, log_radius, max_length)

    def _interaction(
        self, allowed: tuple[str, ...], radius: float, rng: np.random.Generator, *, loose: bool
    ) -> tuple[int, float, NDArray[np.float64] | float]:
        """Which structure factor, 0 for none; the effective radius, 0 where there is none; and ln S(q)."""
        if not allowed:
            return 0, 0.0, 0.0
        if rng.random() < self.dilute_share:
            return 0, radius, 0.0
        name = allowed[int(rng.integers(len(allowed)))]
        if loose and rng.random() < _LOOSE_SHARE:
            radius *= float(np.exp(_LOOSE_SIGMA * rng.standard_normal()))
        if not radius > 0:
            return 0, radius, 0.0
        return 1 + self.structure_factors.index(name), radius, self._factor(name, radius, rng)

    def _factor(self, name: str, radius: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """ln S(q) at an effective radius: a drawn S moved along log q to that radius."""
        curves = self._factors[name]
        if name == "hayter_msa":
            order = self._order[name]
            centre = int(np.searchsorted(curves.radius_effective[order], radius))
            low = int(np.clip(centre - _NEAREST, 0, max(len(order) - 2 * _NEAREST, 0)))
            near = order[low : low + 2 * _NEAREST]
            pick = int(near[rng.integers(len(near))])
        else:
            pick = int(rng.integers(len(curves)))
        shift = round(PER_DECADE * np.log10(curves.radius_effective[pick] / radius))
        return shift_curve(curves.log_intensity[pick], int(curves.n_valid[pick]), shift)


def shift_curve(log_i: NDArray[np.float32], n_valid: int, shift: int) -> NDArray[np.float64]:
    """Move a curve along the log-q grid, as all its lengths multiplied by 10^(-shift/800) would."""
    # The low end is continued as the power law it starts with (a plateau stays a plateau), the high end as a
    # constant.
    log_intensity = log_i[:n_valid].astype(np.float64)
    out = np.empty(N_WIDE)
    if shift >= 0:
        values = log_intensity[: max(N_WIDE - shift, 0)]
        low = min(shift, N_WIDE)
        slope = (log_intensity[16] - log_intensity[0]) / 16
        out[:low] = log_intensity[0] - slope * np.arange(shift, shift - low, -1)
        out[low : low + values.size] = values
        out[low + values.size :] = values[-1] if values.size else log_intensity[0]
    else:
        values = log_intensity[-shift:]
        if not values.size:
            values = log_intensity[-1:]
        out[: values.size] = values
        out[values.size :] = values[-1]
    return out
