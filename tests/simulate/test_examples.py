"""Examples with their answers: what training reads."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from sasnet_plugin.data.preprocess import CHANNELS, N_CHANNELS, N_GRID
from sasnet_plugin.simulate.bodies import BODIES
from sasnet_plugin.simulate.examples import (
    INTERACTION_SEEN,
    OTHER_SHARE,
    SOURCES,
    SPARED,
    Examples,
    Stream,
    concatenate,
    draw_known_examples,
    draw_mixed_set,
    other_set,
    protocol_set,
    wide_set,
)
from sasnet_plugin.simulate.grid import N_WIDE, WIDE_Q
from sasnet_plugin.simulate.instrument import INSTRUMENTS, sample_setting
from sasnet_plugin.simulate.library import Draw, Library
from sasnet_plugin.simulate.out_of_distribution import KINDS


@pytest.fixture(scope="module")
def streamed(library: Library) -> Examples:
    """What a stream gives once it knows which models lose rows."""
    stream = Stream(library, np.random.default_rng(1), pool=64)
    for _ in range(30):
        stream.chunk()
    return concatenate([stream.chunk() for _ in range(120)])


def _bytes(examples: Examples) -> list[bytes]:
    return [getattr(examples, field.name).tobytes() for field in fields(Examples)]


def test_other_curves_are_labelled_so(streamed: Examples) -> None:
    strange = streamed.form == -1
    assert np.mean(strange) == pytest.approx(OTHER_SHARE, abs=0.06)
    assert np.array_equal(strange, streamed.in_scope == 0)
    assert np.array_equal(strange, streamed.kind >= 0)
    assert set(streamed.kind[strange]) == set(range(len(KINDS)))
    assert np.all(streamed.structure_factor[strange] == 0)
    assert np.all(np.isnan(streamed.log_rg[strange]))


def test_calibration_is_half_of_the_protocol_and_half_as_training_measures(library: Library) -> None:
    half = draw_mixed_set(library, np.random.default_rng(3), per_model=2, other_share=0.1)
    both = draw_mixed_set(library, np.random.default_rng(3), per_model=2, other_share=0.1, wide_share=1.0)
    known = int(np.sum(half.form >= 0))
    assert len(both) == len(half) + known
    assert _bytes(both.take(slice(len(half)))) == _bytes(half)
    rest = both.take(slice(len(half), None))
    assert 0 < np.sum(rest.form < 0) < known
    assert rest.kind.max() < len(KINDS)
    bodies = {"wide_share": 1.0, "bodies": 0.3}
    with_them = draw_mixed_set(library, np.random.default_rng(3), per_model=2, other_share=0.1, **bodies)
    assert len(with_them) == len(both)
    # Of one setting bodies may all be uninformative: more of them than the set above has.
    many = wide_set(library, np.random.default_rng(3), count=300, bodies=0.3)
    assert np.mean(many.kind >= len(KINDS)) > 0.1


def test_every_model_comes_about_equally_often(streamed: Examples, library: Library) -> None:
    counts = np.bincount(streamed.form[streamed.form >= 0], minlength=len(library))
    assert counts.min() > 0.65 * counts.mean()
    assert counts.max() < 1.5 * counts.mean()


def test_features_are_finite_and_of_the_networks_shape(streamed: Examples) -> None:
    assert streamed.features.shape == (len(streamed), N_GRID, N_CHANNELS)
    assert streamed.features.dtype == np.float32
    assert np.all(np.isfinite(streamed.features))
    assert np.abs(streamed.features).max() < 50
    assert set(streamed.instrument) <= set(range(len(SOURCES)))
    assert np.all((streamed.decades > 0.5) & (streamed.decades < 4.1))


def test_structure_factors_are_among_those_allowed(streamed: Examples, library: Library) -> None:
    for form, factor in zip(streamed.form, streamed.structure_factor, strict=True):
        if factor:
            assert library.structure_factors[factor - 1] in library.allowed[form]
    assert set(streamed.structure_factor) > {0}


def test_a_window_shows_an_interaction_where_it_begins_below_the_spheres_distance(
    library: Library,
) -> None:
    found = protocol_set(library, np.random.default_rng(11), per_model=20)
    allows = np.array([bool(library.allowed[form]) for form in found.form])
    assert np.array_equal(np.isfinite(found.log_radius), allows)
    assert np.array_equal(np.isfinite(found.shows_interaction), allows)
    targets = found.targets()
    interacts = targets["interaction"][:, 0]
    assert np.array_equal(interacts[allows] == 1, found.structure_factor[allows] > 0)
    # A sphere's effective radius is half its largest length: q_min < 0.8 π/R is size·q_max below it.
    spheres = found.form == library.forms.index("sphere")
    q_min_radius = found.size_q[spheres] / 2 * 10.0 ** -found.decades[spheres]
    dilute = found.structure_factor[spheres] == 0
    expected = q_min_radius < INTERACTION_SEEN * np.pi
    assert np.array_equal(expected[dilute], found.shows_interaction[spheres][dilute] == 1)


def test_mixtures_alone_have_a_second_component(streamed: Examples) -> None:
    second = streamed.targets()["components"][:, 0]
    assert np.all(second[streamed.form >= 0] == 0)
    mixed = streamed.kind == KINDS.index("mixture")
    assert np.all(second[mixed] == 1)
    assert np.all(np.isnan(second[(streamed.form < 0) & ~mixed]))


def test_bodies_have_names_that_are_right_and_never_one_model(library: Library) -> None:
    stream = Stream(library, np.random.default_rng(12), bodies=0.4)
    found = concatenate([stream.chunk() for _ in range(30)])
    bodies = found.kind >= len(KINDS)
    assert np.mean(bodies) > 0.25
    assert np.all(found.form[bodies] == -1)
    targets = found.partial_targets()
    right = targets["form"]
    assert np.array_equal(right[~bodies & (found.form >= 0)].argmax(1), found.form[found.form >= 0])
    assert np.all(right[found.form >= 0].sum(axis=1) == 1)
    # None is said to be of a single model; of some it is not known.
    assert np.nanmax(found.in_scope[bodies]) == 0
    assert np.isnan(found.in_scope[bodies]).any()
    proteins = found.kind == len(KINDS) + list(BODIES).index("protein")
    assert np.all(right[proteins][:, library.forms.index("sphere")] <= 1)
    assert np.all(np.isfinite(found.log_rg[proteins]))
    assert np.all(targets["interaction"][bodies, 0] == 0)
    # What is held out for calibration has none, and knows a model's class.
    assert Stream(library, np.random.default_rng(12)).chunk().kind.max() < len(KINDS)


def _beyond_four_sigma(library: Library, honest: float) -> float:
    """Share of second differences of smooth curves beyond four of their stated uncertainties."""
    stream = Stream(library, np.random.default_rng(6), pool=32, honest=honest)
    found = concatenate([stream.chunk() for _ in range(100)])
    smooth = [library.forms.index(name) for name in ("lorentz", "mono_gauss_coil")]
    cells = found.take(np.isin(found.form, smooth)).features[:, 80:200]
    log_i = 3.0 * cells[..., CHANNELS.index("log_intensity")]
    variance = 10.0 ** (2 * cells[..., CHANNELS.index("log_relative_uncertainty")] - 4.0)
    measured = cells[..., CHANNELS.index("measured")] == 1
    off = np.diff(log_i, 2, axis=1) ** 2 / (variance[:, :-2] + 4 * variance[:, 1:-1] + variance[:, 2:])
    return float(np.mean(off[measured[:, :-2] & measured[:, 1:-1] & measured[:, 2:]] > 16))


def test_uncertainties_of_honest_settings_are_those_of_the_scatter(library: Library) -> None:
    # Of a normal distribution 6e-5 lie there; the protocol has outliers and a few misstated uncertainties.
    assert _beyond_four_sigma(library, 1.0) < 0.01
    assert _beyond_four_sigma(library, 0.0) > 0.02


def test_the_same_seed_gives_the_same_bytes(library: Library) -> None:
    streams = (Stream(library, rng, pool=8) for rng in map(np.random.default_rng, (3, 3, 4)))
    first, second, other = (concatenate([s.chunk(), s.chunk()]).take(slice(64)) for s in streams)
    assert len(first) == 64
    assert _bytes(first) == _bytes(second)
    assert _bytes(first) != _bytes(other)


def test_featureless_curves_are_dropped_unless_that_is_their_model(library: Library) -> None:
    class Powers:
        """Every model gives a power law."""

        forms = library.forms

        def draw(self, forms: np.ndarray, top: int, rng: np.random.Generator, **_: object) -> Draw:
            k = len(forms)
            curve = np.tile((WIDE_Q / WIDE_Q[0]) ** -3.0, (k, 1))
            return Draw(curve, np.full(k, N_WIDE), forms, np.zeros(k, int), *np.full((3, k), np.nan))

    rng = np.random.default_rng(5)
    forms = np.arange(len(library)).repeat(10)
    # Resolution proportional to q leaves a power law a power law.
    setting = next(s for s in iter(lambda: sample_setting(rng), None) if s.instrument == "sans_tof")
    _, found = draw_known_examples(Powers(), forms, setting, rng, max_shift=0)  # type: ignore[arg-type]
    assert {library.forms[form] for form in found.form} == SPARED & set(library.forms)


def test_curves_that_are_not_known_over_the_window_are_dropped(library: Library) -> None:
    class Short:
        forms = library.forms

        def draw(self, forms: np.ndarray, top: int, rng: np.random.Generator, **options: object) -> Draw:
            drawn = library.draw(forms, top, rng, max_shift=0)
            drawn.n_valid[forms == 0] = top - 1
            return drawn

    rng = np.random.default_rng(6)
    forms = np.arange(2).repeat(20)
    _, found = draw_known_examples(Short(), forms, sample_setting(rng), rng, max_shift=0)  # type: ignore[arg-type]
    assert len(found) > 0
    assert set(found.form) == {1}


def test_protocol_set_holds_as_many_of_each_model_in_protocol_settings_alone(library: Library) -> None:
    found = protocol_set(library, np.random.default_rng(7), per_model=8)
    assert np.array_equal(np.bincount(found.form), np.full(len(library), 8))
    assert set(found.instrument) <= set(range(len(INSTRUMENTS)))
    assert np.all(found.in_scope == 1)
    again = protocol_set(library, np.random.default_rng(7), per_model=8)
    assert _bytes(found) == _bytes(again)


def test_other_set_holds_every_kind(library: Library) -> None:
    found = other_set(library, np.random.default_rng(8), per_kind=5)
    assert np.array_equal(np.bincount(found.kind), np.full(len(KINDS), 5))
    assert np.all(found.form == -1)
    assert np.all(found.in_scope == 0)


def test_rows_can_be_taken_and_joined(streamed: Examples) -> None:
    order = np.random.default_rng(9).permutation(len(streamed))
    shuffled = streamed.take(order)
    assert np.array_equal(shuffled.form, streamed.form[order])
    halves = concatenate([shuffled.take(slice(0, 10)), shuffled.take(slice(10, None))])
    assert _bytes(halves) == _bytes(shuffled)
