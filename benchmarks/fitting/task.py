"""The task of `fitting`: measured curves of known truth."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin.types import Curve, SasnetError, product_name

from .truth import calculated, of_product

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sasnet_plugin.simulate.clean import Clean
    from sasnet_plugin.simulate.instrument import Setting
    from sasnet_plugin.simulate.measure import Measured

#: A fit succeeds with a reduced χ² of so many times the truth's.
SUCCESS = 1.1
#: Training's curve is taken where sasmodels' own differs by less, mean square, in units of the truth's χ².
AGREES = 0.03
#: CPU-seconds for all candidates: `sasnet_plugin.fit`'s default, 60 s of two processes.
LIMIT = 120.0


@dataclass(frozen=True)
class Problem:
    """A measured curve and what made it."""

    index: int
    curve: Curve
    dintensity: np.ndarray  #: (n,)
    form: str
    factor: str | None
    parameters: dict[str, Any]  #: Of the truth.
    truth: float  #: Reduced χ² of the truth, over all points.

    @property
    def name(self) -> str:
        return product_name(self.form, self.factor)


def problem(index: int, seed: int, *, exact: bool = True) -> Problem:
    """Draw problem number `index`; forms take turns. `exact`: as for `measurement`."""
    from sasnet_plugin.simulate.priors import form_models

    forms = form_models()
    return measurement(forms[index % len(forms)], index, np.random.default_rng([seed, index]), exact=exact)


def measurement(
    form: str, index: int, rng: np.random.Generator, *, plain: bool = False, exact: bool = False,
    draw_setting: Callable[[np.random.Generator], Setting] | None = None, truncated: bool = True,
) -> Problem:  # fmt: skip
    """One measured curve of a form; `draw_setting` replaces the protocol's instruments, `truncated` is the
    earlier prior, which `fitting` keeps so that its figures can be compared.
    """
    from sasnet_plugin.simulate.examples import SPARED
    from sasnet_plugin.simulate.grid import N_WIDE
    from sasnet_plugin.simulate.instrument import sample_setting
    from sasnet_plugin.simulate.measure import measure

    draw_setting = draw_setting or sample_setting
    for _ in range(200):
        clean, factor, interacting, log_i = _sample(form, rng, plain=plain, truncated=truncated)
        for _ in range(12):
            setting = draw_setting(rng)
            if plain and setting.dq is None and setting.dxl is None:
                continue
            used = setting.matrix.indices
            low, top = int(used.min()), int(used.max()) + 1
            if clean.n_valid < top or not np.all(np.isfinite(log_i[low:top])):
                continue
            grid = np.zeros(N_WIDE)
            grid[low:top] = np.exp(log_i[low:top])
            before = copy.deepcopy(rng)
            found = measure(grid[None], setting, rng)
            if found.uninformative[0] and form not in SPARED:
                continue
            drawn = _drawn(index, form, factor, clean.parameters | interacting, setting, found)
            if not exact:
                return drawn
            same = _exact(drawn, setting, found, before)
            if same is not None:
                return same
    raise SasnetError(f"{form}: no measurement shows it; widen the protocol.")


def _sample(
    form: str, rng: np.random.Generator, *, plain: bool, truncated: bool
) -> tuple[Clean, str | None, dict[str, float], NDArray[np.float64]]:
    """A clean curve, the name of its structure factor if any, that one's parameters, and ln I(q) of both."""
    from sasnet_plugin.simulate.clean import simulate_clean
    from sasnet_plugin.simulate.grid import WIDE_Q
    from sasnet_plugin.simulate.kernel import call
    from sasnet_plugin.simulate.library import DILUTE_SHARE
    from sasnet_plugin.simulate.priors import list_structure_factors, sample_prior

    clean = simulate_clean(form, rng, monodisperse=plain, truncated=truncated)
    log_i = clean.log_intensity.astype(float)
    allowed = () if plain else list_structure_factors(form)
    if not allowed or rng.random() < DILUTE_SHARE or not clean.radius_effective > 0:
        return clean, None, {}, log_i
    factor = str(rng.choice(allowed))
    interacting = sample_prior(factor, rng, truncated=truncated)
    interacting |= {"radius_effective": clean.radius_effective}
    with np.errstate(all="ignore"):
        log_i = log_i + np.log(call(factor, WIDE_Q, interacting).intensity)
    return clean, factor, of_product(form, clean.parameters, interacting), log_i


def _exact(drawn: Problem, setting: Setting, found: Measured, rng: np.random.Generator) -> Problem | None:
    """The same measured, with the same draws, of sasmodels' curve where that differs; None: it has none."""
    from sasnet_plugin.simulate.measure import measure_smeared

    expected = found.expected[0]
    curve, background = calculated(
        drawn.curve, drawn.dintensity, (drawn.form, drawn.factor), drawn.parameters, setting, expected
    )
    if not np.all(np.isfinite(curve)):
        return None
    if np.mean(((curve + background - expected) / drawn.dintensity) ** 2) < AGREES * drawn.truth:
        return drawn
    again = measure_smeared(curve[None], setting, rng)
    return _drawn(drawn.index, drawn.form, drawn.factor, drawn.parameters, setting, again)


def _drawn(
    index: int, form: str, factor: str | None, parameters: dict[str, Any], setting: Setting, found: Measured
) -> Problem:
    from sasnet_plugin.fitting.api import uncertainties

    columns = {k: v for k, v in {"dq": setting.dq, "dxl": setting.dxl}.items() if v is not None}
    error = found.dintensity[0] if found.given[0] else None
    curve = Curve(setting.q, found.intensity[0], error, file=f"problem-{index:03d}", **columns)
    dintensity, _ = uncertainties(curve)
    residual = (curve.intensity - found.expected[0]) / dintensity
    return Problem(
        index, curve, dintensity, form, factor, parameters, float(residual @ residual) / len(curve)
    )
