"""Measurements that could be made: q range, resolution, solvent, concentration, and what counting costs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Floats
from ..data.toml_files import is_finite_number
from ..fitting.result.components import is_scale
from ..materials import incoherent_scattering, scattering_length_density
from ..simulate.measure import SYSTEMATIC
from ..types import Curve, SasnetError
from . import sentences

#: Points over which the exposure of a measured curve is averaged.
_WINDOW = 9
#: Mixtures of H2O and D2O that are offered.
WATERS = ("H2O", "20%D2O", "40%D2O", "60%D2O", "80%D2O", "D2O")
#: Solvents that differ by less, 1e-6/Å², are one.
SAME_SOLVENT = 0.3
#: What the density of a part may differ from that of its material, 1e-6/Å².
SAME_DENSITY = 0.1
#: Relative deviation of uncertainties from those of a radial average, above which they are not of one.
_RING_SPREAD = 0.3
#: What a density of water may be off by, as a volume fraction of D2O.
_SAME_SHARE = 0.02


@dataclass(frozen=True)
class Measurement:
    """One that could be made.

    Parameters
    ----------
    name : str
        For people.
    grid : str
        The same for measurements with the same q and resolution.
    curve : Curve
        Its q (m,) and resolution; the intensity means nothing.
    exposure : (m,) float array
        Counts per unit of I in one unit of time.
    level : float
        Flat background that is counted too and subtracted later, in the unit of I.
    solvent : float or None
        Scattering length density of the solvent, 1e-6/Å²; None: as before.
    densities : mapping of str to float
        Scattering length densities of parts of the sample that exchange hydrogen with it, 1e-6/Å².
    concentration : float
        Over that of the first curve.
    """

    name: str
    grid: str
    curve: Curve
    exposure: Floats
    level: float = 0.0
    solvent: float | None = None
    densities: Mapping[str, float] = field(default_factory=dict)
    concentration: float = 1.0

    @property
    def key(self) -> tuple[Any, ...]:
        """The same for measurements that give the same curve."""
        return self.grid, self.solvent, self.concentration, *sorted(self.densities.items())

    def change(self, values: dict[str, Any]) -> dict[str, Any]:
        """Keywords of sasmodels as this measurement changes them, without a background."""
        changed = values | {"background": 0.0}
        for name in values:
            if self.solvent is not None and "sld_solvent" in name:
                changed[name] = self.solvent
            if name in self.densities:
                changed[name] = self.densities[name]
            if self.concentration != 1.0 and self._is_amount(name, values):
                changed[name] = values[name] * self.concentration
        return changed

    @staticmethod
    def _is_amount(name: str, values: Mapping[str, Any]) -> bool:
        return name == "volfraction" if "volfraction" in values else is_scale(name)

    def error(self, intensity: Floats, time: float) -> Floats:
        """Standard deviations (m,) that counting for so many units of time gives."""
        counted = np.maximum(np.abs(intensity) + self.level, 1e-12) / (self.exposure * time)
        return np.asarray(np.hypot(np.sqrt(counted), SYSTEMATIC * intensity))


def exposure_of(curve: Curve, dintensity: Floats, level: float) -> Floats:
    """Counts per unit of I (n,) of a measured curve, from its uncertainties: their square is I over it."""
    # Where the systematic part dominates, counting adds little and the exposure is at least this.
    counting = np.maximum(dintensity**2 - (SYSTEMATIC * curve.intensity) ** 2, 0.1 * dintensity**2)
    exposure = (np.maximum(curve.intensity, 0.0) + max(level, 0.0)) / counting
    positive = exposure > 0
    if not positive.any():
        return np.asarray(1.0 / dintensity**2)
    exposure = np.interp(np.log(curve.q), np.log(curve.q[positive]), exposure[positive])
    half = _WINDOW // 2
    padded = np.pad(exposure, half, mode="edge")
    return np.asarray([np.median(padded[i : i + _WINDOW]) for i in range(exposure.size)])


def find_flat_level(curve: Curve, dintensity: Floats) -> float:
    """Flat scattering that was counted and subtracted, in the unit of I, from the uncertainties; else 0."""
    # In a radial average, squared uncertainty times the ring's area (q dq) is I and this over the time.
    # Points that count so well that a systematic part may show are left out.
    counted = dintensity > 4 * SYSTEMATIC * np.abs(curve.intensity)
    measured = (dintensity**2 * curve.q * np.gradient(curve.q))[counted]
    if measured.size < _WINDOW:
        return 0.0
    columns = np.stack([curve.intensity[counted], np.ones(measured.size)], axis=1) / measured[:, None]
    (per_time, flat), *_ = np.linalg.lstsq(columns, np.ones(measured.size))
    is_average = per_time > 0 and np.std(columns @ [per_time, flat]) < _RING_SPREAD
    return max(flat / per_time, 0.0) if is_average else 0.0


def move_detector(before: Measurement, factor: float) -> Measurement:
    """The same instrument with its detector further away (factor < 1) or closer."""
    # Of a pinhole instrument whose collimation is as long as its detector distance L the intensity at the
    # sample and the solid angle of a pixel each fall as 1/L² (Pedersen, Posselt & Mortensen, J. Appl. Cryst.
    # 23 (1990) 321), and q as 1/L.
    curve = before.curve
    q = curve.q * factor
    other = Curve(q, np.ones(q.size), dq=None if curve.dq is None else curve.dq * factor)
    word = "lower" if factor < 1 else "higher"
    name = sentences.OTHER_Q(word=word, low=f"{q[0]:.2g}", high=f"{q[-1]:.2g}")
    gain = factor**4 if factor < 1 else factor**2  # closer, the collimation may have to stay
    return Measurement(name, name, other, before.exposure * gain, before.level)


def list_solvents(
    before: Measurement, solvents: Sequence[str], present: float, exchange: Mapping[str, str]
) -> list[Measurement]:
    """The same setting in each solvent, a name such as ``40%D2O``, that differs from the `present` density.

    `present` is in 1e-6/Å². `exchange` has, by parameters, the materials of parts of the sample that exchange
    hydrogen with water, labile hydrogen as ``H[1]``.
    """
    offered = []
    for solvent in solvents:
        density = scattering_length_density(solvent)
        if abs(density - present) > SAME_SOLVENT:
            densities = {name: exchanged_density(part, density) for name, part in exchange.items()}
            level = before.level + incoherent_scattering(solvent) - water_level(present)
            offered.append(
                replace(
                    before, name=sentences.IN_SOLVENT(solvent=solvent), densities=densities,
                    level=max(level, 0.0), solvent=density,
                )
            )  # fmt: skip
    return offered


def exchanged_density(material: str, solvent: float) -> float:
    """Density, 1e-6/Å², of a material in water of one; labile ``H[1]`` is D in the share of D2O."""
    share = min(max(water_share(solvent), 0.0), 1.0)
    formula, _, mass_density = material.partition("@")
    natural = mass_density if mass_density.endswith("n") else f"{mass_density}n"
    in_light, in_heavy = (
        scattering_length_density(f"{formula.replace('H[1]', isotope)}@{natural}") for isotope in ("H", "D")
    )
    return in_light + share * (in_heavy - in_light)


def water_level(density: float) -> float:
    """Incoherent scattering, 1/cm, of water of a scattering length density, 1e-6/Å²; 0 if no water has it."""
    share = water_share(density)
    if not -_SAME_SHARE <= share <= 1 + _SAME_SHARE:
        return 0.0
    light, heavy = (incoherent_scattering(name) for name in ("H2O", "D2O"))
    return light + min(max(share, 0.0), 1.0) * (heavy - light)


def water_share(density: float) -> float:
    """Volume fraction of D2O in water of a scattering length density, 1e-6/Å²; beyond 0..1 for others."""
    light, heavy = water_ends()
    return (density - light) / (heavy - light)


def water_ends() -> tuple[float, float]:
    """Scattering length densities of H2O and of D2O, 1e-6/Å²."""
    return scattering_length_density("H2O"), scattering_length_density("D2O")


def read_instrument(path: str | Path) -> list[Measurement]:
    """Settings of an instrument from a TOML file, or from an example of the package by its name.

    Raises SasnetError if the file cannot be read, or a setting lacks an entry.
    """
    text = _instrument_text(path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SasnetError(
            f"{path}: not a TOML file ({error}); the page on sasnet next in the documentation has an example."
        ) from None
    settings = table.get("setting")
    if not isinstance(settings, list) or not settings:
        raise SasnetError(
            f"{path}: has no [[setting]]; the page on sasnet next in the documentation has an example."
        )
    found = [_setting(path, i, entry) for i, entry in enumerate(settings, start=1)]
    _check_names(path, [setting.name for setting in found])
    return found


def _check_names(path: str | Path, names: Sequence[str]) -> None:
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise SasnetError(f"{path}: two settings are called {repeated[0]}; give each its own name.")


def examples() -> list[str]:
    """Names of the instruments that come with the package."""
    folder = resources.files(__package__).joinpath("instruments")
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def _instrument_text(path: str | Path) -> str:
    if str(path) in examples():
        return resources.files(__package__).joinpath(f"instruments/{path}.toml").read_text(encoding="utf-8")
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text file"
        raise SasnetError(
            f"{path}: the instrument cannot be read ({reason}); give a TOML file or one of"
            f" {', '.join(examples())}."
        ) from None


_NEEDED = ("name", "q_min", "q_max", "points", "rate")
_SPACINGS = ("linear", "log")
_KNOWN = (*_NEEDED, "dq", "dq_relative", "spacing")


def _setting(path: str | Path, number: int, entry: Any) -> Measurement:
    here = f"{path}: setting {number}"
    _check_entries(here, entry)
    low, high, points = float(entry["q_min"]), float(entry["q_max"]), int(entry["points"])
    spread = [float(entry.get(name, 0.0)) for name in ("dq", "dq_relative")]
    if not (0 < low < high and 5 <= points <= 10_000 and entry["rate"] > 0 and min(spread) >= 0):
        raise SasnetError(
            f"{here} needs 0 < q_min < q_max, 5 to 10,000 points, a rate above 0 and no negative dq."
        )
    q = np.geomspace(low, high, points) if entry.get("spacing") == "log" else np.linspace(low, high, points)
    dq = np.hypot(spread[0], spread[1] * q)
    ring = q * np.gradient(q)
    curve = Curve(q, np.ones(points), dq=dq if dq.any() else None)
    exposure = float(entry["rate"]) * ring / ring.sum()
    return Measurement(str(entry["name"]), f"{path}:{number}", curve, np.asarray(exposure))


def _check_entries(here: str, entry: Any) -> None:
    if not isinstance(entry, Mapping):
        raise SasnetError(f"{here} is no table; begin each one with [[setting]].")
    missing = [name for name in _NEEDED if name not in entry]
    if missing:
        raise SasnetError(f"{here} has no {missing[0]}; add it.")
    if unknown := entry.keys() - set(_KNOWN):
        raise SasnetError(f"{here} has an unknown entry {min(unknown)}; use {', '.join(_KNOWN)}.")
    wrong = [n for n, value in entry.items() if n not in ("name", "spacing") and not is_finite_number(value)]
    if wrong:
        raise SasnetError(f"{here} has {wrong[0]} = {entry[wrong[0]]!r}; give a number.")
    if entry.get("spacing", "log") not in _SPACINGS:
        raise SasnetError(f"{here} has spacing = {entry['spacing']!r}; write {' or '.join(_SPACINGS)}.")
