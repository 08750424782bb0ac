"""Structure factors that have no solution where the bank's nearest curves begin."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

Q = np.geomspace(5e-4, 0.5, 150)


def test_charged_spheres_are_found_though_the_closure_has_no_solution_where_the_fit_begins(
    bank: Bank,
) -> None:
    from sasmodels.core import load_model
    from sasmodels.data import empty_data1D
    from sasmodels.direct_model import DirectModel

    model = DirectModel(empty_data1D(Q, resolution=0.0), load_model("sphere@hayter_msa"))
    charged = {"radius": 35.486, "volfraction": 0.0113, "charge": 16.75, "concentration_salt": 0.01182}
    charged |= {"sld": 1.0, "sld_solvent": 6.0, "temperature": 298.0, "dielectconst": 78.0}
    # All of the bank's nearest curves have these spheres; sasmodels 1.1.0 has no S(q) for them.
    begun = {"radius": 60.14, "radius_effective": 60.14, "volfraction": 0.25, "charge": 5.0}
    assert np.isnan(model(**begun)).all()
    clean = model(**charged, background=0.0028)
    sigma = 0.004 * clean
    curve = Curve(Q, clean + sigma * np.random.default_rng(3).standard_normal(Q.size), sigma)
    found = fit_candidate(Task(curve, sigma, "sphere", "hayter_msa", budget=Budget(20.0)), bank)
    assert found.parameters["radius"].value == pytest.approx(35.486, rel=0.01)
