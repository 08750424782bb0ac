"""Learn the ways to the molecular weight from simulated proteins, and write ``mass_table.json``.

    python -m sasnet_plugin.protein.learn --seed 5 --count 320 --rows rows.jsonl

No measured curve takes part. The table is the same for the same seed and code.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from ..arrays import Floats
from ..files import put_whole
from .descriptors import NAMES, describe
from .pair_posterior import SETTINGS, draw_walk, group_points, sample_posterior
from .simulated_proteins import draw_protein, largest_distance, radius_of_gyration, scatter

_DENSE = np.linspace(0.0005, 0.46, 500)
#: kDa, of simulated proteins: peptides to large complexes.
_MASSES = (1.0, 900.0)
#: Share of samples with aggregates, and the share of I(0) that these have, by equal factors.
_AGGREGATED, _SHARE = 0.25, (0.02, 0.5)
#: Strength of the prior that a descriptor does not matter, in units of simulated proteins.
_RIDGE = 3.0
#: The same for the scatter, which a few hundred proteins show less well than the mean.
_SCALE_RIDGE = 40.0


def measure(curve: Floats, rg: float, rng: Generator) -> tuple[Floats, Floats, Floats]:
    """q, I and σ of a measurement of a curve given at `_DENSE`: noise and a constant from the subtraction."""
    q_min = min(rng.uniform(0.005, 0.012), rng.uniform(0.2, 1.0) / rg)
    q = np.arange(q_min, rng.uniform(0.22, 0.45), 7e-4)
    intensity = np.exp(np.interp(q, _DENSE, np.log(curve)))
    noise = 10 ** rng.uniform(-3, -2) * np.sqrt(intensity + 0.02) * (0.02 / q) ** 0.25
    constant = 2e-3 * rng.standard_normal()
    return q, intensity + constant + noise * rng.standard_normal(q.size), noise


def add_aggregates(curve: Floats, d_max: float, rng: Generator) -> Floats:
    """A curve at `_DENSE` with aggregates, random walks of particles of this length (Å)."""
    if rng.random() > _AGGREGATED:
        return curve
    share = np.exp(rng.uniform(*np.log(_SHARE)))
    places = draw_walk(rng, SETTINGS.walk) * d_max
    pairs = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(len(places), 1)]
    return np.asarray(curve * (1 + share * np.sinc(np.multiply.outer(_DENSE, pairs) / np.pi).mean(axis=1)))


def simulate_row(seed: int, number: int) -> dict[str, Any]:
    """Truth and descriptors of one simulated protein."""
    rng = np.random.default_rng([seed, number])
    beads = draw_protein(rng, _MASSES)
    rg, d_max = radius_of_gyration(beads), largest_distance(beads)
    curve = add_aggregates(scatter(beads, _DENSE), d_max, rng)
    groups = group_points(*measure(curve, rg, rng), rg, SETTINGS)
    columns = describe(sample_posterior(groups, rg, rng)).columns
    return {
        "log_mass": np.log(beads.mass), "log_d_max": np.log(d_max),
        "mean": columns.mean(axis=0), "covariance": np.cov(columns.T),
    }  # fmt: skip


def fit_table(log_mass: Floats, log_d_max: Floats, means: Floats, covariances: Floats) -> dict[str, Any]:
    """Fit the ways to ln M: offsets, weights, covariance, and how its scale depends on the shape."""
    name = {text: number for number, text in enumerate(NAMES)}
    centre = np.median(means, axis=0)
    x = means - centre
    spread = x.std(axis=0)
    unit = np.eye(len(NAMES))
    size = unit[name["log_rg"]]
    #: What each way holds fixed, and which descriptors correct it.
    ways = (
        (3 * size - 2 * unit[name["log_a_long"]], ("log_rg",)),
        (3 * size - unit[name["log_q_long"]], ("log_rg",)),
        (3 * size - 2 * unit[name["log_a_long"]], NAMES),
    )
    offsets, weights = [], []
    for fixed, corrected in ways:
        columns = [name[text] for text in corrected]
        target = log_mass - x @ fixed
        importance = np.ones_like(target)
        for _ in range(3):
            design = np.column_stack([np.ones(len(x)), x[:, columns] / spread[columns]])
            ridge = np.diag([0.0] + [_RIDGE] * len(columns))
            theta = np.linalg.solve(
                design.T @ (importance[:, None] * design) + ridge, design.T @ (importance * target)
            )
            way = fixed.copy()
            way[columns] += theta[1:] / spread[columns]
            residual = target - design @ theta
            # Curves with more noise, and a few odd shapes, say less.
            noise = np.einsum("i,nij,j->n", way, covariances, way)
            scatter_of_shapes = np.median(np.abs(residual)) * 1.4826
            importance = 1 / (1 + noise / scatter_of_shapes**2 + (residual / (3 * scatter_of_shapes)) ** 2)
        offsets.append(theta[0])
        weights.append(way)
    matrix = np.array(weights)
    residuals = log_mass[:, None] - (np.array(offsets) + x @ matrix.T)
    noise = np.einsum("ai,nij,bj->nab", matrix, covariances, matrix)
    quiet = noise[:, 2, 2] < np.quantile(noise[:, 2, 2], 0.8)
    # ln of the squared residual has mean ln σ² − 1.27 and variance π²/2 whatever σ.
    features = [name["log_a_long"], name["log_kratky_height"], name["log_d_over_rg"], name["log_q_long"]]
    z = np.column_stack([np.ones(quiet.sum()), x[quiet][:, features] / spread[features]])
    squares = np.log(np.maximum(residuals[quiet, 2] ** 2 - noise[quiet, 2, 2], 1e-4)) + 1.27
    theta = np.linalg.solve(z.T @ z + np.diag([0.0] + [_SCALE_RIDGE] * len(features)), z.T @ squares)
    scale_weights = np.zeros(len(NAMES))
    scale_weights[features] = 0.5 * theta[1:] / spread[features]
    logs = x @ scale_weights
    scale_offset = -float(np.median(logs))
    scales = np.exp(scale_offset + logs)
    scale_range = np.quantile(scales, [0.05, 0.95])
    scales = np.clip(scales, *scale_range)[quiet]
    scaled = residuals[quiet] / scales[:, None]
    # Tails of odd shapes widen the covariance through their rank, not through their square.
    limit = 3.0 * 1.4826 * np.median(np.abs(scaled), axis=0)
    scaled = np.clip(scaled, -limit, limit)
    covariance = scaled.T @ scaled / len(scaled) - np.median(
        noise[quiet] / scales[:, None, None] ** 2, axis=0
    )
    values, vectors = np.linalg.eigh(covariance)
    covariance = (vectors * np.maximum(values, 1e-4)) @ vectors.T
    # The largest distance of the residues, over that of p(r), which holds the hydration shell.
    d_ratio = log_d_max - (means[:, name["log_d_over_rg"]] + means[:, name["log_rg"]])
    d_names = [name[text] for text in ("log_rg", "log_d_over_rg", "inverse_rg", "log_kratky_height")]
    d_design = np.column_stack([np.ones(len(x)), x[:, d_names] / spread[d_names]])
    d_importance = np.ones_like(d_ratio)
    for _ in range(5):
        normal = d_design.T @ (d_importance[:, None] * d_design) + np.diag([0.0] + [_RIDGE] * len(d_names))
        d_theta = np.linalg.solve(normal, d_design.T @ (d_importance * d_ratio))
        d_residual = d_ratio - d_design @ d_theta
        d_scatter = 1.4826 * np.median(np.abs(d_residual))
        d_importance = 1 / (1 + (d_residual / (2 * d_scatter)) ** 2)
    d_weights = np.zeros(len(NAMES))
    d_weights[d_names] = d_theta[1:] / spread[d_names]
    return {
        "names": list(NAMES), "centre": centre, "offsets": np.array(offsets), "weights": matrix,
        "correlation": covariance, "scale_offset": scale_offset, "scale_weights": scale_weights,
        "scale_range": scale_range, "minimum": means.min(axis=0), "maximum": means.max(axis=0),
        "d_max": [float(d_theta[0]), float(d_scatter)], "d_weights": d_weights,
    }  # fmt: skip


def write_table(table: dict[str, Any], path: Path, **origin: int) -> None:
    """Write the table with six digits."""

    def rounded(value: Any) -> Any:
        if isinstance(value, np.ndarray | list):
            return [rounded(part) for part in value]
        return value if isinstance(value, str) else float(f"{value:.6g}")

    lines = [f'  "{name}": {json.dumps(rounded(value))}' for name, value in (table | origin).items()]
    put_whole(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode(), "the table")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--count", type=int, default=320)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("mass_table.json"))
    parser.add_argument(
        "--rows", type=Path, required=True, help="Rows of proteins, JSON lines; a run goes on."
    )
    given = parser.parse_args()
    lines = given.rows.read_text(encoding="utf-8").splitlines() if given.rows.exists() else []
    rows = [json.loads(line) for line in lines][: given.count]
    for number in range(len(rows), given.count):
        rows.append(
            {key: np.asarray(value).tolist() for key, value in simulate_row(given.seed, number).items()}
        )
        with given.rows.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[-1]) + "\n")
    columns = [
        np.array([row[key] for row in rows]) for key in ("log_mass", "log_d_max", "mean", "covariance")
    ]
    write_table(fit_table(*columns), given.out, seed=given.seed, count=given.count)


if __name__ == "__main__":
    main()
