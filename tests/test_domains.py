"""A domain's page names functions that exist and fit together."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from sasnet_plugin.domains import Domain, resolve
from sasnet_plugin.domains.gisas_hex import GISAS_HEX
from sasnet_plugin.domains.sas1d import SAS1D
from sasnet_plugin.types import Curve


@pytest.mark.parametrize("page", [SAS1D, GISAS_HEX], ids=lambda page: page.name)
def test_every_name_on_the_page_is_a_function(page: Domain) -> None:
    named = {f.name for f in fields(Domain) if getattr(page, f.name)} - {"name", "build_net"}
    assert named >= {"sample_prior", "simulate"}
    for name in named:  # Keras is imported by the tests of training
        assert callable(resolve(getattr(page, name))), name


def test_every_step_of_curves_is_on_their_page() -> None:
    assert all(getattr(SAS1D, field.name) for field in fields(Domain))


def test_simulate_and_preprocess_fit_together() -> None:
    from sasnet_plugin.simulate.grid import WIDE_Q

    clean = resolve(SAS1D.simulate)("sphere", np.random.default_rng(1))
    q = WIDE_Q[400 : clean.n_valid]
    curve = Curve(q, np.exp(clean.log_intensity[400 : clean.n_valid]))
    features = resolve(SAS1D.preprocess)([curve])
    assert features.shape[0] == 1
    assert np.all(np.isfinite(features))
