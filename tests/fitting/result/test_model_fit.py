"""One fitted model: its names, what was fitted, and its verification in words and numbers."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter, Replicates, Verification

N = 90


def _fit(model: str, weight: float, factor: str | None = None) -> ModelFit:
    parameters = {
        "radius": Parameter(56.61, 1.24, "Ang", False, 1.0, 1e3),
        "sld": Parameter(4.0, None, "1e-6/Ang^2", True, 4.0, 4.0),
    }
    theory = np.full(N, 2.0)
    return ModelFit(model, factor, parameters, {}, 90.0, 1.0, 95.0, 0.5, 0.1, theory, weight=weight)


def test_names_are_sasmodels_and_a_plugin_is_shown_without_its_folder() -> None:
    assert _fit("sphere", 1.0, "hardsphere").name == "sphere@hardsphere"
    plugin = _fit("/home/me/plugins/my_model.py", 1.0, "hardsphere")
    assert plugin.name == "/home/me/plugins/my_model.py@hardsphere"
    assert (plugin.short_model, plugin.short_name) == ("my_model", "my_model@hardsphere")
    assert plugin.free == ("radius",)


def test_a_verification_says_where_chisq_lies_and_what_the_network_takes_replicates_for() -> None:
    alone = Verification(0.4, -0.5, (0.01, 0.02), True, ())
    assert alone.in_words() == "χ² is larger than that of 40 % of its simulated measurements."
    assert "nearly all" in Verification(0.9999, -4.0, (0.01, 0.02), False, ()).in_words()
    assert Verification(0.9999, -4.0, (0.01, 0.02), False, ()).structured
    replicates = Replicates(64, "spheres", 60, False, 0.1, 0.9, 0.0, 0.9, 0.9, 0.5)
    both = Verification(0.4, -0.5, (0.01, 0.02), True, (), replicates=replicates)
    assert "takes 60 of 64 of them, but not the measurement, for “spheres”" in both.in_words()
    # Programs read this key since the first version.
    assert both.as_dict()["twins"]["taken"] == 60
    assert alone.as_dict()["twins"] is None
