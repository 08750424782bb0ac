"""A domain's page names functions that exist and fit together."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from sasnet_plugin.domains import Domain, resolve
from sasnet_plugin.domains.sas1d import SAS1D
from sasnet_plugin.types import Curve


def test_every_name_on_the_page_is_a_function() -> None:
    for field in fields(Domain):
        if field.name not in ("name", "build_net"):  # Keras is imported by the tests of training
            assert callable(resolve(getattr(SAS1D, field.name))), field.name


def test_simulate_and_preprocess_fit_together() -> None:
    from sasnet_plugin.simulate.grid import WIDE_Q

    clean = resolve(SAS1D.simulate)("sphere", np.random.default_rng(1))
    q = WIDE_Q[400 : clean.n_valid]
    curve = Curve(q, np.exp(clean.log_intensity[400 : clean.n_valid]))
    features = resolve(SAS1D.preprocess)([curve])
    assert features.shape[0] == 1
    assert np.all(np.isfinite(features))
