"""Bodies with many fringes, found at low q first."""

import numpy as np
import pytest

from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate, growing
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

Q = np.geomspace(5e-4, 0.5, 150)


@pytest.mark.parametrize(
    ("radius", "thickness", "core", "shell"), [(211.0, 63.0, 3.6, -0.2), (129.0, 59.0, -0.4, 2.2)]
)
def test_a_clean_curve_of_many_fringes_is_explained_at_once(
    bank: Bank, radius: float, thickness: float, core: float, shell: float
) -> None:
    """From the bank's curves that are nearest at all q no way leads there."""
    body = {"radius": radius, "thickness": thickness, "sld_core": core, "sld_shell": shell}
    clean = 0.001 + call("core_shell_sphere", Q, body | {"sld_solvent": 3.0}).intensity
    sigma = 0.004 * clean
    curve = Curve(Q, clean + sigma * np.random.default_rng(5).standard_normal(Q.size), sigma)
    found = fit_candidate(Task(curve, sigma, "core_shell_sphere", None), bank)
    assert found.reduced_chisq < 1.5
    assert found.parameters["radius"].value == pytest.approx(radius, rel=1e-3)
    assert found.parameters["thickness"].value == pytest.approx(thickness, rel=1e-3)


def test_what_is_looked_at_first_holds_the_fall_from_the_top_and_grows() -> None:
    peak = np.exp(-(((Q - 0.1) / 0.01) ** 2)) + 1e-4
    parts = growing(Curve(Q, peak, 0.01 * peak))
    assert parts[0].q[-1] > 0.1
    assert [len(part) for part in parts] == sorted({len(part) for part in parts})
    assert growing(Curve(Q, np.ones_like(Q), 0.01 * np.ones_like(Q))) == []
