"""The prior: which parameters a model is simulated with.

sasmodels' own ``random()`` where it is good, mended, kept to sizes that a measurement between 1e-4 and 1 Å⁻¹
can see, and given contrasts of either sign; our own (:mod:`sasnet_plugin.simulate.own_priors`) where it is
missing or broken. docs/prior.md publishes it. The one place where numpy's global random state is touched.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import SimulationError
from . import lengths, sasmodels_draws
from .contrast import draw_slds
from .own_priors import OWN_PRIORS, SOLVED

if TYPE_CHECKING:
    from sasmodels.modelinfo import ModelInfo, Parameter

SIZE_LIMITS = (8.0, 30000.0)
"""Least and greatest largest length of a sample under the truncated prior, Å."""
LEAST_LENGTH = 1.0
"""No body of the truncated prior has a dimension below this, Å: atoms are larger."""
_FREE_OF_LEAST = frozenset({"fuzziness", "sigma", "sigma_d", "interface"})  # widths, which may vanish
_NOT_DRAWN = frozenset({"scale", "background"})  # drawn with the measurement
_TRIES = 2000


@lru_cache(maxsize=256)
def model_info(name: str) -> ModelInfo:
    """Return sasmodels' description of a model or plugin file. Raises SimulationError if unknown."""
    os.environ.setdefault("SAS_OPENCL", "none")
    from sasmodels.core import load_model_info

    if name.endswith(".py") and not os.path.isfile(name):
        raise SimulationError(f"{name}: there is no such plugin model file; check the path.")
    try:
        return load_model_info(name)
    except (Exception, SystemExit) as error:  # a plugin runs the user's code: anything may come
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SimulationError(
            f"{name}: sasmodels cannot load this model ({reason}); give a sasmodels name or a plugin file."
        ) from error


@lru_cache(maxsize=1)
def form_models() -> tuple[str, ...]:
    """Return every model of the installed sasmodels that is not a structure factor, sorted (78 in 1.1.0)."""
    from sasmodels.core import list_models

    return tuple(n for n in sorted(list_models()) if not model_info(n).structure_factor)


def structure_factors() -> tuple[str, ...]:
    """Return the four structure factors that P@S is simulated with."""
    # Written down, as to ask sasmodels all its models would be loaded. two_yukawa is left out: with four free
    # parameters it imitates each of the others.
    return ("hardsphere", "hayter_msa", "squarewell", "stickyhardsphere")


@lru_cache(maxsize=256)
def list_structure_factors(name: str) -> tuple[str, ...]:
    """Return the structure factors that sasmodels combines with the form model; () where it does not."""
    # A form must define an effective radius (``radius_effective_modes``, SasView's condition) and sasmodels'
    # ``make_product_info`` must accept the pair.
    from sasmodels.product import make_product_info

    form = model_info(name)
    if form.structure_factor or form.radius_effective_modes is None:
        return ()
    allowed = []
    for factor in structure_factors():
        try:
            make_product_info(form, model_info(factor))
        except TypeError:
            continue
        allowed.append(factor)
    return tuple(allowed)


def parameter_names(info: ModelInfo, pars: Mapping[str, float]) -> Iterator[tuple[str, Parameter]]:
    """Yield (name, table entry) of every parameter that shapes I(q), layers counted as `pars` says."""
    for parameter in info.parameters.kernel_parameters:
        if parameter.type in ("orientation", "magnetic"):
            continue
        if parameter.length == 1:
            yield parameter.id, parameter
            continue
        control = parameter.length_control
        count = int(pars[control] + 0.5) if control in pars else parameter.length
        for k in range(1, count + 1):
            yield f"{parameter.id}{k}", parameter


def sample_prior(name: str, rng: np.random.Generator, *, truncated: bool = False) -> dict[str, float]:
    """Draw one set of monodisperse parameters.

    Parameters
    ----------
    name : str
        Form model, structure factor, or path of a plugin model file.
    rng : numpy.random.Generator
        Source of randomness; the same state gives the same parameters.
    truncated : bool
        The earlier, truncated prior: our own alone where we have one, and only sizes within `SIZE_LIMITS`.

    Returns
    -------
    dict
        Every parameter that shapes I(q) by its sasmodels name (no scale, background, polydispersity,
        orientation or magnetism), in sasmodels' units: lengths in Å, sld in 1e-6/Å².

    Raises
    ------
    SimulationError
        If the model cannot be loaded or no acceptable parameters are found.
    """
    info = model_info(name)
    checked = info.id in SOLVED or (info.random is None and info.id not in OWN_PRIORS)
    for _ in range(_TRIES):
        pars = _draw(info, rng, truncated)
        if truncated and not _sizes_seen(info, pars):
            continue
        if not checked or _solvable(name, pars):
            return pars
    raise SimulationError(f"{name}: no valid parameters in {_TRIES} draws; define random() in the model.")


def _draw(info: ModelInfo, rng: np.random.Generator, truncated: bool) -> dict[str, float]:
    has_own_prior = info.id in OWN_PRIORS
    if has_own_prior and not truncated and not info.structure_factor and rng.random() < sasmodels_draws.SHARE:
        parameters = _mend(info, sasmodels_draws.generic(info, lambda f: _call_seeded(f, rng)))
    elif has_own_prior:
        parameters = OWN_PRIORS[info.id](rng)
    elif info.random is not None:
        parameters = _mend(info, _call_seeded(info.random, rng))
    else:
        parameters = _default_prior(info, rng)
    if not truncated:
        parameters = sasmodels_draws.prefactor(
            info.id, {**parameters, **sasmodels_draws.frozen(info.id, rng)}, rng
        )
    pars: dict[str, float] = {}
    controls = {n: float(v) for n, v in parameters.items()}
    for parameter in info.parameters.kernel_parameters:
        if parameter.is_control and parameter.id not in controls:
            controls[parameter.id] = float(parameter.default)
    slds: dict[str, tuple[float, float]] = {}
    for parameter_name, parameter in parameter_names(info, controls):
        pars[parameter_name] = controls.get(parameter_name, float(parameter.default))
        if parameter.type == "sld":
            slds[parameter_name] = parameter.limits
    pars.update(draw_slds(slds, rng))
    return pars


def _call_seeded(draw: Callable[[], Any], rng: np.random.Generator) -> dict[str, Any]:
    """Call what draws from numpy's global state, seeded from `rng`, and put the state back."""
    # sasmodels knows no other generator than the global one.
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(rng.integers(2**32, size=8, dtype=np.uint32))  # noqa: NPY002
    try:
        # A comma at the end of a line of random(), as some plugins have it, makes a tuple of a number.
        return {k: v[0] if isinstance(v, tuple) and len(v) == 1 else v for k, v in draw().items()}
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _mend(info: ModelInfo, parameters: Mapping[str, float]) -> dict[str, float]:
    """Drop what is drawn elsewhere; give a misspelt name to the parameter it is nearest to."""
    names = [name for name, _ in parameter_names(info, parameters)]
    missing = [name for name in names if name not in parameters]
    pars = {}
    for name, value in parameters.items():
        if name in _NOT_DRAWN or "_pd" in name:
            continue
        if name not in names:
            near = difflib.get_close_matches(name, missing, n=1, cutoff=0.85)
            if not near:
                continue
            name = near[0]
        pars[name] = float(value)
    return pars


def _default_prior(info: ModelInfo, rng: np.random.Generator) -> dict[str, float]:
    """Derive a prior from the parameter table, for a user's plugin without random()."""
    # Lengths log-uniform from a tenth to ten times the default, choices uniform, other parameters uniform
    # between half and twice the default; all within the table's limits.
    pars: dict[str, float] = {}
    for parameter in info.parameters.kernel_parameters:
        if parameter.is_control:
            low, high = parameter.limits
            pars[parameter.id] = float(rng.integers(max(1, int(low)), min(5, int(high)) + 1))
    for name, parameter in parameter_names(info, pars):
        if name in pars or parameter.type == "sld":
            continue
        low, high = parameter.limits
        default = float(parameter.default)
        if parameter.choices:
            pars[name] = float(rng.integers(len(parameter.choices)))
            continue
        if "Ang" in parameter.units and default > 0:
            value = float(np.exp(rng.uniform(*np.log(np.clip([default / 10, default * 10], low, high)))))
        elif default != 0:
            value = default * rng.uniform(0.5, 2)
        else:
            value = rng.uniform(max(low, -1), min(high, 1))
        pars[name] = float(np.clip(value, low, high))
    return pars


def _sizes_seen(info: ModelInfo, pars: Mapping[str, float]) -> bool:
    """Say whether the largest length is in `SIZE_LIMITS` and no dimension is below `LEAST_LENGTH`."""
    size = lengths.max_length(info, pars)
    if size is not None and not SIZE_LIMITS[0] <= size <= SIZE_LIMITS[1]:
        return False
    for name, parameter in parameter_names(info, pars):
        if parameter.id in _FREE_OF_LEAST or parameter.default == 0:
            continue
        if lengths.unit_of(info, parameter.id) == "Ang" and pars[name] < LEAST_LENGTH:
            return False
    return True


@lru_cache(maxsize=64)
def _kernel(name: str) -> Any:
    from .kernel import build

    # From 1e-3: below it rpa and structure factors lose their digits to cancellation, see q_quiet.
    # Each q has a close neighbour: some solutions of hayter_msa jump from one q to the next.
    q = np.geomspace(1e-3, 1.0, 60)
    q = np.concatenate([q, q * (1 + 1e-7)])
    return build(model_info(name)).make_kernel([q])


def _solvable(name: str, pars: Mapping[str, float]) -> bool:
    """Say whether the curve is finite, not negative, not all zero and continuous between 1e-3 and 1 Å⁻¹."""
    from sasmodels.direct_model import call_kernel

    try:
        with np.errstate(all="ignore"):
            intensity = call_kernel(_kernel(name), {**pars, "background": 0.0})
    except Exception:  # of a user's model, whatever it raises
        return False
    if not np.all(np.isfinite(intensity)) or np.any(intensity < 0) or not np.any(intensity > 0):
        return False
    reference, neighbour = intensity.reshape(2, -1)
    return bool(np.all(np.abs(reference - neighbour) <= 1e-3 * reference))


def rescalable(name: str) -> bool:
    """Say whether all lengths of the model can be multiplied exactly: see :func:`rescale`."""
    return lengths.rescalable(model_info(name))


def rescale(name: str, pars: Mapping[str, float], factor: float) -> dict[str, float]:
    """Multiply every length by `factor`: I(q; rescaled) is proportional to I(q * factor; pars). Raises
    ValueError if not `rescalable`.
    """
    return lengths.rescale(model_info(name), pars, factor)


def max_length(name: str, pars: Mapping[str, float]) -> float | None:
    """Return the largest real-space length (a diameter where there is a body), Å; None for none."""
    return lengths.max_length(model_info(name), pars)
