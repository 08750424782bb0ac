"""One fitted model: names, what was fitted, its verification in words, and summaries of chains."""

from __future__ import annotations

import numpy as np
import pytest
from made_results import weighing

from sasnet_plugin.fitting.optimize.refine_best import KEPT, posterior_of, split_r
from sasnet_plugin.fitting.result.model_fit import Parameter, Replicates, Verification, drop_unused


@pytest.mark.parametrize(("mode", "shown"), [(0.0, True), (1.0, False), (None, True)])
def test_an_effective_radius_that_the_particle_decides_is_not_shown(
    mode: float | None, *, shown: bool
) -> None:
    def fixed(value: float) -> Parameter:
        return Parameter(value, None, "Ang", True, value, value)

    parameters = {"radius": fixed(50.0), "radius_effective": fixed(40.0)}
    if mode is not None:
        parameters["radius_effective_mode"] = fixed(mode)
    assert ("radius_effective" in drop_unused(parameters)) == shown
    assert "radius" in drop_unused(parameters)


def test_intervals_of_a_normal_distribution() -> None:
    rng = np.random.default_rng(1)
    chains = rng.normal([5.0, -2.0], [0.5, 3.0], size=(4000, 10, 2))
    found = posterior_of(("radius", "sld"), chains, rng)
    assert found.interval68["radius"] == pytest.approx((4.5, 5.5), abs=0.02)
    assert found.interval95["radius"] == pytest.approx((5 - 0.98, 5 + 0.98), abs=0.02)
    assert found.interval95["sld"] == pytest.approx((-2 - 5.88, -2 + 5.88), abs=0.1)
    assert found.converged
    assert found.draws == 40_000
    assert found.samples.shape == (KEPT, 2)
    assert found.samples.std(axis=0) == pytest.approx([0.5, 3.0], rel=0.1)


def test_the_tails_of_a_skew_distribution_are_equal() -> None:
    rng = np.random.default_rng(2)
    found = posterior_of(("x",), rng.exponential(1.0, size=(2000, 20, 1)), rng)
    # -ln(0.975) and -ln(0.025)
    assert found.interval95["x"] == pytest.approx((0.0253, 3.689), rel=0.05)


def test_chains_that_disagree_drift_or_stand_still_have_not_converged() -> None:
    rng = np.random.default_rng(3)
    same = rng.standard_normal((200, 8, 1))
    assert split_r(same) == pytest.approx(1.0, abs=0.02)
    apart = same + 3.0 * np.arange(8)[:, None]
    drifting = same + np.linspace(0, 6, 200)[:, None, None]
    for chains in (apart, drifting, np.ones((200, 8, 1)), same[:3]):
        assert not posterior_of(("x",), chains, rng).converged


def test_r_of_two_chains_by_hand() -> None:
    # Split: (0, 2), (0, 2), (4, 6), (4, 6): W = 2, means 1, 1, 5, 5 of variance 16/3, n = 2.
    chains = np.array([[0.0, 4.0], [2.0, 6.0], [0.0, 4.0], [2.0, 6.0]])[..., None]
    assert split_r(chains) == pytest.approx(np.sqrt(1 / 2 + (16 / 3) / 2))


N = 90


def test_names_are_sasmodels_and_a_plugin_is_shown_without_its_folder() -> None:
    assert weighing("sphere", 1.0, "hardsphere").name == "sphere@hardsphere"
    plugin = weighing("/home/me/plugins/my_model.py", 1.0, "hardsphere")
    assert plugin.name == "/home/me/plugins/my_model.py@hardsphere"
    assert (plugin.short_model, plugin.short_name) == ("my_model", "my_model@hardsphere")
    assert plugin.free == ("radius",)


def test_a_verification_says_where_chisq_lies_and_what_the_network_takes_replicates_for() -> None:
    alone = Verification(0.4, -0.5, (0.01, 0.02), True, ())
    assert alone.describe() == "60 % of the simulated measurements of this fit have a larger χ²."
    assert "Hardly any simulated" in Verification(0.9999, -4.0, (0.01, 0.02), False, ()).describe()
    assert Verification(0.9999, -4.0, (0.01, 0.02), False, ()).structured
    replicates = Replicates(64, "spheres", 60, False, 0.1, 0.9, 0.0, 0.9, 0.9, 0.5)
    both = Verification(0.4, -0.5, (0.01, 0.02), True, (), replicates=replicates)
    assert both.describe().endswith(
        "χ². The classifier places 60 of 64 simulated curves but not the measured one in the group of"
        " this model, “spheres” (similar curves)."
    )
    # Programs read this key since the first version.
    assert both.as_dict()["twins"]["taken"] == 60
    assert alone.as_dict()["twins"] is None
