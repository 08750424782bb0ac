"""Principal components and a mixture of Gaussians: fitted by scikit-learn, applied to points in a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ....types import SasnetError, describe_install
from ..training.autoencoder import Layer, encode
from .settings import SORTING

#: Cluster of what belongs to none.
NOISE = -1


@dataclass(frozen=True)
class Mixture:
    """Clusters of points."""

    mean: Floats  #: (d,), of the points; taken off before `axes`.
    axes: Floats  #: (components, d), principal components, over the standard deviation of the first.
    weights: Floats  #: (k,)
    means: Floats  #: (k, components)
    covariances: Floats  #: (k, components, components)
    least_density: float  #: Logarithm of the density below which a point is noise.
    #: (numbers, 2), numbers of clusters that were tried, and the BIC of each; empty where the number was
    #: given.
    bic: Floats
    stability: float  #: Mean adjusted Rand index of the clusters with those of resampled points.
    #: (weights, offsets), of an autoencoder, which points go through first; empty where they do not.
    encoder: tuple[Layer, ...] = ()

    def reduce(self, points: NDArray[np.floating]) -> Floats:
        """Project points to principal components (n, components); SasnetError for others."""
        expected_size = len(self.encoder[0][0]) if self.encoder else len(self.mean)
        if points.shape[1] != expected_size:
            raise SasnetError(
                f"The clusters belong to another network ({expected_size} instead of {points.shape[1]}"
                " numbers for each image); sort all images again without --old."
            )
        return np.asarray((encode(points, self.encoder) - self.mean) @ self.axes.T)

    def clusters(self, points: NDArray[np.floating]) -> tuple[NDArray[np.int64], Floats]:
        """Cluster of each point, `NOISE` for outliers, and the probability of the likeliest; (n,) each."""
        joint = self._joint(self.reduce(points))
        total = np.logaddexp.reduce(joint, axis=1)
        best = joint.argmax(axis=1)
        probability = np.exp(joint[np.arange(len(best)), best] - total)
        return np.where(total < self.least_density, NOISE, best), probability

    def _joint(self, z: Floats) -> Floats:
        """Logarithm of weight and density of each cluster, (n, k)."""
        from scipy.linalg import solve_triangular

        log_densities = np.empty((len(z), len(self.weights)))
        for k, (weight, mean, covariance) in enumerate(
            zip(self.weights, self.means, self.covariances, strict=True)
        ):
            root = np.linalg.cholesky(covariance)
            apart = solve_triangular(root, (z - mean).T, lower=True)
            volume = np.log(np.diag(root)).sum() + 0.5 * len(mean) * np.log(2 * np.pi)
            log_densities[:, k] = np.log(max(weight, 1e-300)) - volume - 0.5 * (apart**2).sum(axis=0)
        return log_densities

    def as_arrays(self) -> dict[str, Any]:
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "encoder"}
        for number, (weights, offsets) in enumerate(self.encoder):
            arrays |= {f"encoder{number}_weights": weights, f"encoder{number}_offsets": offsets}
        return arrays

    @classmethod
    def from_arrays(cls, stored: Mapping[str, Any]) -> Mixture:
        arrays = {name: values for name, values in stored.items() if not name.startswith("encoder")}
        number = (len(stored) - len(arrays)) // 2
        layers = [(stored[f"encoder{k}_weights"], stored[f"encoder{k}_offsets"]) for k in range(number)]
        return cls(**arrays, encoder=tuple(layers))


def _criteria(z: NDArray[np.float64], seed: int) -> list[tuple[int, float]]:
    """Bayesian information criterion of each number of clusters."""
    most = min(SORTING.most_clusters, len(z) // 8)
    return [(k, float(_gaussians(z, k, seed, 1).bic(z))) for k in range(1, max(most, 1) + 1)]


def fit(
    points: NDArray[np.floating],
    rng: np.random.Generator,
    clusters: int | None = None,
    encoder: tuple[Layer, ...] = (),
) -> Mixture:
    """Fit a mixture to points (n, d), passed through `encoder` (of `autoencoder`) first. By default the
    number of clusters has the least Bayesian information criterion (G. Schwarz, Ann. Statist. 6 (1978) 461).
    Raises SasnetError without scikit-learn or with too few points.
    """
    try:
        import sklearn.decomposition  # noqa: F401
    except ImportError:
        raise SasnetError(
            f"Sorting needs scikit-learn, which is not installed; run {describe_install('diffraction')}"
        ) from None
    least = 4 * max(clusters or 2, 2)
    if len(points) < least:
        raise SasnetError(
            f"Only {len(points)} images have enough signal to be sorted; give at least {least}, or"
            f" fewer --clusters."
        )
    seed = int(rng.integers(2**31))
    reduction, z = _principal(encode(points, encoder), seed)
    axes = reduction.components_[: z.shape[1]]
    scale = float(z[:, 0].std()) or 1.0
    z = z / scale
    trials: list[Any] = []
    if not clusters:
        trials = _criteria(z, seed)
        clusters = min(trials, key=lambda pair: pair[1])[0]
    best = _gaussians(z, clusters, seed, SORTING.starts)
    return Mixture(
        reduction.mean_,
        axes / scale,
        best.weights_,
        best.means_,
        best.covariances_,
        float(np.quantile(best.score_samples(z), SORTING.noise)),
        np.array(trials).reshape(-1, 2),
        _stability(z, best, clusters, rng, seed),
        encoder,
    )


def _principal(points: NDArray[np.floating], seed: int) -> tuple[Any, NDArray[np.float64]]:
    """scikit-learn's PCA of points, and these in as many components as hold enough of their variance."""
    from sklearn.decomposition import PCA

    number = min(SORTING.components, len(points) // 4, points.shape[1])
    solver = "randomized" if number < points.shape[1] else "full"
    reduction = PCA(number, svd_solver=solver, random_state=seed)
    z = reduction.fit_transform(np.asarray(points, dtype=np.float64))
    # All where they hold less.
    enough = int(np.searchsorted(np.cumsum(reduction.explained_variance_ratio_), SORTING.variance)) + 1
    return reduction, z[:, :enough]


def _gaussians(z: Floats, clusters: int, seed: int, starts: int) -> Any:
    import warnings

    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        clusters, reg_covar=SORTING.regular, n_init=starts, random_state=seed, max_iter=200
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that have not converged to the last digit
        return model.fit(z)


def _stability(z: Floats, best: Any, clusters: int, rng: np.random.Generator, seed: int) -> float:
    """Mean adjusted Rand index of fits to resampled points with the best one."""
    from sklearn.metrics import adjusted_rand_score

    if clusters < 2:
        return 1.0
    labels, again = best.predict(z), []
    for number in range(SORTING.bootstraps):
        refit = _gaussians(z[rng.integers(len(z), size=len(z))], clusters, seed + number + 1, 1)
        again.append(adjusted_rand_score(labels, refit.predict(z)))
    return float(np.mean(again))
