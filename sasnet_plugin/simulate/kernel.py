"""sasmodels kernels: compiled once a process, called on any q."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import SasnetError, SimulationError, TechnicalError
from .compile_cache import prepare


@dataclass(frozen=True)
class Result:
    """What one call of a kernel gives."""

    intensity: NDArray[np.float64]  #: (n,), I(q) at scale 1 and background 0, cm⁻¹.
    #: Effective radius for a structure factor (mode 1), Å; 0 where the model has none.
    radius_effective: float


def load_model(name: str) -> Any:
    """Load the compiled model, double precision on the CPU: sasmodels' name, a product such as
    ``sphere@hardsphere``, or a plugin's path. Raises SimulationError for unknown or wrong ones,
    TechnicalError if it cannot be compiled.
    """
    return _load(name)


def build(info: Any) -> Any:
    """Build the model of sasmodels' page. Raises TechnicalError if it cannot be compiled."""
    prepare()
    from sasmodels import core

    return core.build_model(info, dtype="double", platform="dll")


@cache
def _load(name: str) -> Any:
    folder = prepare()
    from sasmodels import core

    from .quick_models.charged import add_memory

    logging.getLogger("sasmodels").setLevel(logging.ERROR)
    try:
        return build(add_memory(core.load_model_info(name), folder))
    except SasnetError:
        raise
    except (OSError, MemoryError) as error:
        raise TechnicalError(name, f"sasmodels cannot load this model ({error})") from error
    except Exception as error:
        raise SimulationError(
            f"{name}: sasmodels cannot load this model ({error}); check its name or the plugin file."
        ) from error


def call(name: str, q: NDArray[np.float64], parameters: dict[str, Any]) -> Result:
    """Return I(q), (n,), of a form or structure factor, named as for `load_model`, with sasmodels'
    parameters, polydispersity included; q in Å⁻¹, scale 1 and background 0 by default. Raises SimulationError
    for a product or a sum, which has no F(q).
    """
    from sasmodels.direct_model import call_Fq

    model = load_model(name)
    kernel = _kernel(name, q.tobytes())
    mode = 1 if model.info.radius_effective_modes else 0
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            _, squared, radius, volume, _ = call_Fq(kernel, {**parameters, "radius_effective_mode": mode})
        except NotImplementedError:
            raise SimulationError(
                f"{name}: a product or a sum has no F(q); use sasmodels.direct_model.call_kernel."
            ) from None
    return Result(np.asarray(squared, dtype=np.float64) / volume, float(radius) if mode else 0.0)


@lru_cache(maxsize=256)
def _kernel(name: str, q: bytes) -> Any:
    return load_model(name).make_kernel([np.frombuffer(q)])
