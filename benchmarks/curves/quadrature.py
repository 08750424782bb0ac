"""Measure where sasmodels' orientation averages fail, against finer quadrature: the table in docs/prior.md.

For each model parameters are drawn from the prior, rescaled to a largest length of 1000 Å, and the model is
compared with itself on a finer quadrature at q times largest length from 10 upwards, five neighbouring q at a
time. Printed: the greatest product below the first that differs by more than 2 % (lowest draw and median),
and the greatest product that was tested. Run as::

    python -m benchmarks curves/quadrature --models cylinder prism    # seconds
    python -m benchmarks curves/quadrature                            # minutes
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.simulate import priors
from sasnet_plugin.simulate.quick_models import quadrature

from ..asked import parser_of

PRODUCTS = (10, 15, 22, 33, 50, 75, 110, 160, 240, 360, 540, 800, 1200, 1800, 2700, 4000, 6000, 9000)
STAGES = ((75, 200), (240, 300), (540, 600), (1200, 1000), (2700, 2000), (9000, 6500))  # product, points
SPHERE_POINTS = 60000
CLUSTER = np.linspace(0.92, 1.08, 5)
SIZE = 1000.0


def reference_order(name: str, product: float) -> int:
    """Points that resolve the oscillation at this product with several points a period."""
    if name == "superball":
        return 44  # four nested integrals
    if priors.model_info(name).source:
        return next(points for largest, points in STAGES if product <= largest)
    return SPHERE_POINTS


def _curve(model: Any, q: np.ndarray, pars: dict[str, float]) -> np.ndarray:
    from sasmodels.direct_model import call_kernel

    return call_kernel(model.make_kernel([q]), {**pars, "background": 0.0})


def failing_product(
    name: str, pars: dict[str, float], folder: Path, models: dict[int, Any], patience: float
) -> tuple[float, float]:
    """Return (greatest product below the first failure, infinity without one; greatest product tested)."""
    from sasmodels.core import build_model

    if priors.rescalable(name):
        pars = priors.rescale(name, pars, SIZE / (priors.max_length(name, pars) or SIZE))
    size = priors.max_length(name, pars) or SIZE
    if 0 not in models:
        models[0] = build_model(priors.model_info(name), dtype="double", platform="dll")
    tested = 0.0
    spent = 0.0
    n_before = 0
    for product in PRODUCTS:
        q = product * CLUSTER / size
        n = reference_order(name, product)
        if n_before and spent * (n / n_before) ** 2 > patience:
            break
        if n not in models:
            models[n] = quadrature.fine_model(name, n, folder)
        own = _curve(models[0], q, pars)
        start = time.process_time()
        fine = _curve(models[n], q, pars)
        spent, n_before = time.process_time() - start, n
        tested = product
        if not quadrature.deviation(own, fine) < quadrature.TOLERANCE:
            index = PRODUCTS.index(product)
            return (PRODUCTS[index - 1] if index else 0.0), tested
    return np.inf, tested


def main() -> None:
    parser = parser_of(__doc__, write=False, draws=6, seed=0)
    parser.add_argument("--models", nargs="+", help="default: every model with a quadrature")
    parser.add_argument("--patience", type=float, default=2.5, help="CPU-seconds for five q of the reference")
    args = parser.parse_args()
    names = args.models or [name for name in priors.form_models() if quadrature.has_quadrature(name)]
    print("| model | q·size trusted, lowest | median | tested to |\n|---|---|---|---|")
    for name in names:
        rng = np.random.default_rng(args.seed)
        models: dict[int, Any] = {}
        with tempfile.TemporaryDirectory() as folder:
            found = [
                failing_product(name, priors.sample_prior(name, rng), Path(folder), models, args.patience)
                for _ in range(args.draws)
            ]
        failing, tested = np.transpose(found)
        row = (failing.min(), np.median(failing), tested.max())
        print(
            f"| {name} | " + " | ".join("none" if np.isinf(v) else f"{v:g}" for v in row) + " |", flush=True
        )
