"""What the networks of `seeding` learn from: simulated measurements of one model, its parameters as numbers.

Only what a curve can tell is a number to learn: shapes, sizes and the ratio of contrasts. Scale and
background are solved for, contrasts of bodies with one material go with the scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.data.preprocess import features_of_rows
from sasnet_plugin.simulate.clean import Clean, simulate_clean
from sasnet_plugin.simulate.grid import N_WIDE, PER_DECADE
from sasnet_plugin.simulate.instrument import Setting, sample_setting
from sasnet_plugin.simulate.library import shifted
from sasnet_plugin.simulate.measure import measure
from sasnet_plugin.simulate.priors import rescalable, rescale

#: What each model is described by, all in their logarithm but these two: ``contrast``, the angle whose
#: tangent is the core's contrast over the shell's, and ``strength``, ln of Porod's scale over the peak's.
NUMBERS: dict[str, tuple[str, ...]] = {
    "sphere": ("radius",),
    "core_shell_sphere": ("radius", "thickness", "contrast"),
    "fuzzy_sphere": ("radius", "fuzziness"),
    "vesicle": ("radius", "thickness"),
    "cylinder": ("radius", "length"),
    "ellipsoid": ("radius_polar", "radius_equatorial"),
    "lamellar": ("thickness",),
    "flexible_cylinder": ("length", "kuhn_length", "radius"),
    "mono_gauss_coil": ("rg",),
    "polymer_excl_volume": ("rg", "porod_exp"),
    "broad_peak": ("porod_exp", "strength", "correlation_length", "peak_pos", "width_exp", "shape_exp"),
    "teubner_strey": ("d", "xi"),
    "fractal": ("radius", "fractal_dim", "cor_length"),
}
_SOLVENT, _CONTRAST = 1.0, 3.0
#: Largest shift of sizes either way, in cells of the wide grid: 40 %.
_SHIFT = 120


def encoded(model: str, values: Mapping[str, float]) -> NDArray[np.float64]:
    """A model's parameters as numbers, (p,)."""
    found = []
    for name in NUMBERS[model]:
        if name == "contrast":
            core, shell = (values[f"sld_{part}"] - values["sld_solvent"] for part in ("core", "shell"))
            found.append(np.arctan(core / shell) if shell else np.pi / 2)
        elif name == "strength":
            found.append(np.log(values["porod_scale"] / values["peak_scale"]))
        else:
            found.append(np.log(values[name]))
    return np.array(found)


def decoded(model: str, numbers: NDArray[Any]) -> dict[str, float]:
    """Parameters of a start; what is not in it has sasmodels' default."""
    found: dict[str, float] = {}
    # exp of a wild guess: finite all the same.
    for name, value in zip(NUMBERS[model], np.clip(numbers, -60.0, 60.0), strict=True):
        if name == "contrast":
            found["sld_solvent"] = _SOLVENT
            found["sld_core"] = _SOLVENT + _CONTRAST * float(np.sin(value))
            found["sld_shell"] = _SOLVENT + _CONTRAST * float(np.cos(value))
        elif name == "strength":
            found |= {"porod_scale": float(np.exp(value)), "peak_scale": 1.0}
        else:
            found[name] = float(np.exp(value))
    return found


@dataclass(frozen=True)
class Examples:
    """Measurements of one model."""

    features: NDArray[np.float32]  #: (n, N_GRID, N_CHANNELS), as the classifier's.
    numbers: NDArray[np.float64]  #: (n, p)


def settings(count: int, rng: np.random.Generator) -> list[Setting]:
    """Instruments of the realistic protocol; models share them, as they take longer than measurements."""
    return [sample_setting(rng) for _ in range(count)]


def examples(
    model: str,
    pool: list[Setting],
    rng: np.random.Generator,
    *,
    clean: int,
    count: int,
    rows: int = 48,
) -> Examples:
    """`count` measurements of `clean` monodisperse curves of the prior, each with sizes of its own."""
    curves = [simulate_clean(model, rng, monodisperse=True) for _ in range(clean)]
    features, numbers, total = [], [], 0
    while total < count:
        setting = pool[int(rng.integers(len(pool)))]
        drawn = [_shifted(model, curves[int(rng.integers(clean))], rng) for _ in range(rows)]
        low, top = int(setting.matrix.indices.min()), int(setting.matrix.indices.max()) + 1
        drawn = [(log_i, row) for log_i, known, row in drawn if known >= top]
        if not drawn:
            continue
        grid = np.zeros((len(drawn), N_WIDE))
        grid[:, low:top] = np.exp(np.stack([log_i[low:top] for log_i, _ in drawn]))
        found = measure(grid, setting, rng)
        kept = np.flatnonzero(~found.uninformative)
        if not kept.size:
            continue
        features.append(
            features_of_rows(
                setting.q, found.intensity[kept], found.dintensity[kept], setting.dq, setting.dxl
            )
        )
        numbers.append(np.stack([drawn[i][1] for i in kept]))
        total += kept.size
    return Examples(np.concatenate(features)[:count], np.concatenate(numbers)[:count])


def _shifted(
    model: str, clean: Clean, rng: np.random.Generator
) -> tuple[NDArray[np.float64], int, NDArray[np.float64]]:
    """ln I with all lengths changed by a common factor, how far it is known, and its numbers."""
    reach = _SHIFT if rescalable(model) else 0
    shift = int(rng.integers(-reach, reach, endpoint=True))
    sizes = rescale(model, clean.parameters, 10 ** (-shift / PER_DECADE)) if shift else clean.parameters
    log_i = shifted(clean.log_intensity[: clean.n_valid], clean.n_valid, shift)
    return log_i, min(N_WIDE, clean.n_valid + shift), encoded(model, sizes)
