"""Samples of p(ξ): coverage of their band, the prior without data, the evidence."""

from __future__ import annotations

import numpy as np
import pytest

from inversion.orientedpatterns import form_of
from sasnet_plugin.images.gisas import simulation
from sasnet_plugin.images.gisas.inversion import State, sample
from sasnet_plugin.images.gisas.simulation import sample_orientation


def test_the_band_of_the_samples_covers(now: State) -> None:
    """Truths of the prior lie in their 90 % band at about 90 % of the angles."""
    rng = np.random.default_rng(8)
    covered = []
    for family in ("deltas", "peaks", "mixture", "peaks"):
        p = sample_orientation(rng, family=family)[1]
        form = form_of(now, p, 3e4, rng)[2]
        samples = sample(form.log_likelihood, rng, accepted=10)
        low, high = np.quantile(samples.p, (0.05, 0.95), axis=0)
        covered.append(np.mean((p >= low - 1e-9) & (p <= high + 1e-9)))
    assert 0.75 < np.mean(covered) <= 1.0


def test_without_data_the_samples_are_the_prior() -> None:
    rng = np.random.default_rng(9)
    samples = sample(lambda p: np.zeros(len(p)), rng, number=2000)
    drawn = np.stack([sample_orientation(rng)[1] for _ in range(2000)])
    for moment in (lambda p: p.max(axis=1), lambda p: (p**2).sum(axis=1), lambda p: (p > 1e-9).sum(axis=1)):
        assert moment(samples.p).mean() == pytest.approx(moment(drawn).mean(), rel=0.12)
    assert samples.evidence == pytest.approx(0)


def test_the_evidence_is_the_prior_s_mean_likelihood() -> None:
    rng = np.random.default_rng(10)

    def likely(p: np.ndarray) -> np.ndarray:
        return -0.5 * ((p[:, :30].sum(axis=1) - 0.5) / 0.03) ** 2

    samples = sample(likely, rng, number=2000, accepted=6)
    drawn = simulation.distributions(rng.random((40_000, simulation.DIMENSIONS)))
    weight = np.exp(likely(drawn))
    assert samples.evidence == pytest.approx(np.log(weight.mean()), abs=0.15)
    # And so are means over the posterior.
    wanted = weight @ (drawn**2).sum(axis=1) / weight.sum()
    assert (samples.p**2).sum(axis=1).mean() == pytest.approx(wanted, rel=0.2)
