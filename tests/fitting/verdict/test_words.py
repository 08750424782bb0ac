"""Parameters in people's words."""

from __future__ import annotations

import re

from sasnet_plugin.fitting.verdict.names import WORDS, shape, spell_name, unit_of
from sasnet_plugin.simulate.priors import form_models, model_info, structure_factors


def test_all_words_are_of_parameters_that_sasmodels_has() -> None:
    every = {
        re.sub(r"\[.*", "", p.name)
        for model in (*form_models(), *structure_factors())
        for p in model_info(model).parameters.kernel_parameters
    }
    stems = every | {re.sub(r"_?\d+$", "", name) for name in every}
    assert set(WORDS) <= stems


def test_numbered_parameters_have_their_number_below() -> None:
    assert spell_name("lorentz_length_1") == "correlation length₁"
    assert spell_name("thickness2") == "shell thickness₂"
    assert spell_name("radius_minor") == "minor radius"
    assert spell_name("axis_ratio") == "axis ratio"


def test_ratios_have_no_unit_whatever_sasmodels_says() -> None:
    assert unit_of("hollow_rectangular_prism", "b2a_ratio", "Ang") == ""
    assert unit_of("lamellar_stack_paracrystal", "sigma_d", "Ang") == ""
    assert unit_of("stacked_disks", "sigma_d", "Ang") == "Ang"


def test_a_body_beside_a_power_law_is_of_its_own_shape() -> None:
    assert shape("core_shell_cylinder+power_law") == shape("cylinder") == "cylinder"
    assert shape("sphere@hardsphere+lorentz") == "sphere"
    assert shape("sphere+cylinder") == "sphere+cylinder"
