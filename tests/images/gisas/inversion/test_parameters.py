"""What a guess says of the geometry, on the fit's scale and within the prior."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images.gisas.inversion import INDEX, PARAMETERS, clip_parameters, geometry_of, start


def test_a_guess_is_believed_as_far_as_it_says() -> None:
    guess = start({"lattice": (333.0, 2.0), "sigma_phi": (0.0, 0.001)})
    assert (guess.at[INDEX["lattice"]], guess.error[INDEX["lattice"]]) == (333.0, 2.0)
    broad = PARAMETERS[INDEX["radius"]].broad()
    assert (guess.at[INDEX["radius"]], guess.error[INDEX["radius"]]) == broad
    assert 0 < guess.error[INDEX["sigma_phi"]] < 1e-5
    assert geometry_of(guess.at, 1.34, 0.16).lattice == 333.0


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_values_survive_the_fit_s_scale(parameter) -> None:
    low, high = parameter.prior.limits()
    value = 0.3 * low + 0.7 * high
    assert parameter.value(parameter.inner(value)) == pytest.approx(value)
    error = 0.01 * (high - low)
    back = parameter.error(parameter.inner(value), parameter.inner_error(value, error))
    assert back == pytest.approx(error, rel=0.02)


def test_a_fit_stays_near_its_prior() -> None:
    limits = np.array([p.limits() for p in PARAMETERS])
    far = clip_parameters(limits[:, 1] + 1e6)
    np.testing.assert_array_equal(far, limits[:, 1])
