"""Parameters in people's words."""

from __future__ import annotations

import re

from made_results import fitted, p

from sasnet_plugin.fitting.verdict.names import (
    DISTRIBUTIONS,
    KINDS,
    SHAPES,
    WORDS,
    add_model_name,
    capital,
    kind,
    shape,
    some,
    spell_name,
    unit_of,
)
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.priors import form_models, model_info, structure_factors

# --- Parameters in people's words.


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


# --- Every model that the network knows has words of its own and a shape that makes sense.


def test_words_and_shapes_are_of_models_that_exist_and_no_model_has_two_shapes() -> None:
    known = set(open_classifier().manifest.labels)
    assert set(KINDS) <= known
    shaped = [model for models in SHAPES.values() for model in models]
    assert set(shaped) <= known
    assert len(shaped) == len(set(shaped))
    # No name of sasmodels is left as it is in a sentence.
    assert [model for model in known if "_" in kind(fitted(model))] == []


def test_structure_factors_and_sums_are_said_in_words() -> None:
    assert (
        kind(fitted("core_shell_sphere", factor="hardsphere"))
        == "core-shell spheres with hard-sphere repulsion"
    )
    assert kind(fitted("sphere+power_law")) == "spheres and a power law"
    mixed = kind(fitted("sphere@hardsphere+mono_gauss_coil"))
    assert mixed == "spheres with hard-sphere repulsion and polymer coils"
    assert kind(fitted("sphere+sphere")) == "two populations of spheres"
    assert kind(fitted("/home/me/my_model.py")) == "my_model"


def test_discs_are_what_is_flat_and_cylinders_what_is_long() -> None:
    # sasdata's cyl_testdata2: radius 36 Å and length 780 Å were called discs.
    long = {"radius": p(36.0, 2.0), "length": p(780.0, 1.0)}
    flat = {"radius": p(200.0, 3.0), "length": p(20.0, 0.5)}
    assert kind(fitted("core_shell_bicelle", **long)) == "cylinders with a rim and two faces"
    assert kind(fitted("core_shell_bicelle", **flat)) == "discs with a rim and two faces"
    assert add_model_name(fitted("cylinder", **long)) == "cylinders"
    assert add_model_name(fitted("cylinder", **flat)) == "discs (cylinder)"
    assert add_model_name(fitted("cylinder", radius=p(200.0, 3.0), length=p(20.0, 90.0))) == "cylinders"


def test_the_name_stands_beside_where_the_words_are_not_it() -> None:
    assert add_model_name(fitted("sphere")) == "spheres"
    assert add_model_name(fitted("core_shell_sphere")) == "core-shell spheres (core_shell_sphere)"
    assert add_model_name(fitted("lamellar")) == "lamellae (lamellar)"
    assert add_model_name(fitted("dab")) == "two randomly distributed phases (dab)"
    assert add_model_name(fitted("sphere", factor="hardsphere")).endswith("(sphere@hardsphere)")


def test_shapes_hold_what_looks_alike_and_keep_apart_what_does_not() -> None:
    assert shape("vesicle") == shape("core_shell_sphere") == "sphere"
    assert shape("lamellar") != shape("sphere") != shape("cylinder") != shape("mono_gauss_coil")
    assert shape("guinier") == "guinier"
    assert set(DISTRIBUTIONS) == {"schulz", "lognormal", "gaussian"}


def test_lists_are_short() -> None:
    assert (some(["a"]), some(["a", "b"]), some(["a", "b", "c", "d"])) == ("a", "a and b", "a, b and 2 more")
    assert capital("dAB") == "DAB"
