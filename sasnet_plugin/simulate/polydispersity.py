"""Which sizes of a model are polydisperse, and how, as the realistic protocol has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import lengths
from .priors import model_info, parameter_names

POLYDISPERSE = ((0, 0.4), (1, 0.5), (2, 0.1))
"""(number of polydisperse parameters, probability)."""
DISTRIBUTIONS = (("gaussian", 0.4, 3.0), ("lognormal", 0.3, 8.0), ("schulz", 0.3, 8.0))
"""(sasmodels' name, probability, number of sigmas: sasmodels' default is 3 and 8)."""
WIDTH = (0.03, 0.3)


def sample_polydispersity(
    name: str, pars: Mapping[str, float], rng: np.random.Generator, *, pd_n: int = 35
) -> dict[str, Any]:
    """Draw which sizes are polydisperse, and how, as the realistic protocol has it.

    None 0.4, one size 0.5, two 0.1 (as many as the model has); relative width uniform 0.03..0.3;
    Gaussian 0.4, lognormal 0.3, Schulz 0.3.

    Parameters
    ----------
    name : str
        Form model or path of a plugin model file.
    pars : mapping
        Parameters from :func:`sample_prior`; a layered model takes only the layers it has.
    rng : numpy.random.Generator
        Source of randomness.
    pd_n : int
        Points of each distribution.

    Returns
    -------
    dict
        ``<p>_pd, <p>_pd_type, <p>_pd_n, <p>_pd_nsigma`` for each polydisperse parameter; empty for none.
    """
    info = model_info(name)
    sizes = [
        parameter_name
        for parameter_name, parameter in parameter_names(info, pars)
        if parameter.polydisperse
        and parameter.type == "volume"
        and lengths.unit_of(info, parameter.id) == "Ang"
        and pars[parameter_name] > 0
    ]
    counts, chances = zip(*POLYDISPERSE, strict=True)
    count = min(int(rng.choice(counts, p=chances)), len(sizes))
    extra: dict[str, Any] = {}
    for index in sorted(rng.choice(len(sizes), size=count, replace=False)) if count else ():
        kind, _, nsigma = DISTRIBUTIONS[rng.choice(len(DISTRIBUTIONS), p=[d[1] for d in DISTRIBUTIONS])]
        size = sizes[index]
        extra[f"{size}_pd"] = float(rng.uniform(*WIDTH))
        extra[f"{size}_pd_type"] = kind
        extra[f"{size}_pd_n"] = pd_n
        extra[f"{size}_pd_nsigma"] = nsigma
    return extra
