"""Interaction in three statements: seen, of which type, and whether the window could show it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.domains.heads import Classes, Parameter, Quantities, Tags
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.predict.classes import ClassesFinding
from sasnet_plugin.predict.findings import Answer, QuantitiesFinding, Value
from sasnet_plugin.predict.tags import InteractionFinding, TagsFinding, complete
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

FORMS = Classes("form", "model", labels=("sphere", "lamellar"))
FACTORS = Classes(
    "structure_factor", "structure factor", labels=("", "hardsphere", "hayter_msa"), given="form"
)
#: Of spheres 0.1 have none; lamellae have none at all.
GIVEN = np.array([[0.1, 0.3, 0.6], [1.0, 0.0, 0.0]])
SIZE = Quantities("size", (Parameter("rg", "Å", (1.0, 1e4)),), interval="")
Q = np.geomspace(0.01, 0.3, 50)


def _answer(spheres: float, rg: float | None, **others: object) -> Answer:
    value = None if rg is None else Value(rg, 0.1, rg, rg, "Å")
    classes = ClassesFinding(FORMS, np.array([spheres, 1 - spheres]), ((FACTORS, GIVEN),))
    return Answer(
        "a.dat",
        "",
        1.0,
        (classes, QuantitiesFinding(SIZE, {"rg": value}), *others.values()),  # type: ignore[arg-type]
    )


def _found(answer: Answer, q: np.ndarray = Q) -> InteractionFinding:
    found = complete(Curve(q, np.ones(q.size)), answer).finding(InteractionFinding)
    assert found is not None
    return found


def test_detection_is_of_all_types_and_the_type_is_given_detection() -> None:
    found = _found(_answer(0.8, 30.0))
    assert found.interacting == pytest.approx(0.8 * 0.9)
    assert (found.kind, found.kind_probability) == ("hayter_msa", pytest.approx(0.6 / 0.9))
    assert found.window_shows is True
    assert "hayter_msa (67 %)" in found.sentences()[0]
    said = found.as_dict()["interaction"]
    assert said["structure_factor"] == "hayter_msa"
    seldom = _found(_answer(0.1, 30.0))
    assert "No interparticle interaction" in seldom.sentences()[0]
    assert _found(_answer(0.0, 30.0)).as_dict()["interaction"]["structure_factor"] is None


def test_a_window_that_begins_beyond_cannot_show_it() -> None:
    """R = √(5/3) Rg: with Rg 200 Å the effect lies below 0.8 π/258 Å = 0.0097 Å⁻¹."""
    found = _found(_answer(0.8, 200.0))
    assert found.window_shows is False
    assert found.q_needed == pytest.approx(0.8 * np.pi / (np.sqrt(5 / 3) * 200.0))
    assert "cannot show" in found.sentences()[0]
    assert _found(_answer(0.8, 200.0), 0.5 * Q).window_shows is True
    assert _found(_answer(0.8, None)).window_shows is None


def test_heads_of_their_own_come_before_what_is_derived() -> None:
    head = Tags("interaction", ("interacting", "window_shows"))
    tags = TagsFinding(head, {"interacting": 0.2, "window_shows": 0.1})
    found = _found(_answer(0.8, 30.0, tags=tags))
    assert (found.interacting, found.window_shows) == (0.2, False)
    radius = Quantities("effective_radius", (Parameter("radius_effective", "Å", (1.0, 1e4)),), interval="")
    effective = QuantitiesFinding(radius, {"radius_effective": Value(40.0, 1.0, 38.0, 42.0, "Å")})
    answer = complete(Curve(Q, np.ones(50)), _answer(0.8, 200.0, tags=tags, effective=effective))
    both = answer.finding(InteractionFinding)
    assert both is not None
    assert (both.radius, both.window_shows) == (40.0, True)
    assert answer.finding(TagsFinding) is None
    silent = replace(_answer(0.8, 30.0).findings[0], silent=True)
    assert _found(Answer("a.dat", "", 0.1, (silent,))).sentences() == ()


def test_the_packaged_network_says_all_three() -> None:
    """Spheres at 30 % are seen to interact; a curve of the same from 0.08 Å⁻¹ on cannot show it."""
    q = np.geomspace(0.005, 0.3, 150)
    intensity = call("sphere", q, {"radius": 40.0}).intensity
    intensity *= call("hardsphere", q, {"radius_effective": 40.0, "volfraction": 0.3}).intensity
    intensity += 1e-4 * intensity.max()
    answers = open_classifier().predictor.answers(
        [Curve(q[k], intensity[k], 0.02 * intensity[k], dq=0.02 * q[k]) for k in (q > 0, q > 0.08)]
    )
    seen, beyond = (a.finding(InteractionFinding) for a in answers)
    assert seen is not None
    assert beyond is not None
    assert seen.interacting > 0.5
    assert seen.window_shows is True
    assert beyond.window_shows in (False, None)
    assert set(answers[0].as_dict()["interaction"]) >= {"interacting", "structure_factor", "window_shows"}


def test_where_two_answers_of_the_network_differ_it_is_open() -> None:
    tags = TagsFinding(Tags("interaction", ("interacting", "window_shows")), {"interacting": 0.3})
    (said,) = _found(_answer(0.9, 30.0, own=tags)).sentences()
    assert said == (
        "Interactions are possible but not certain. The network gives interactions 30 %, but models with a"
        " structure factor 81 %."
    )
    agreed = replace(tags, probability={"interacting": 0.7})
    assert "The particles interact" in _found(_answer(0.9, 30.0, own=agreed)).sentences()[0]


@pytest.mark.parametrize(
    ("present", "sentence"),
    [
        ((), "No second component was detected (19 %)."),
        (("second_component",), "A second component, or a second size, may be there (19 %)."),
    ],
)
def test_a_second_component_is_a_sentence_and_no_table(present: tuple[str, ...], sentence: str) -> None:
    head = Tags("components", ("second_component",))
    answer = _answer(0.8, 30.0, own=TagsFinding(head, {"second_component": 0.19}, present))
    found = complete(Curve(Q, np.ones(Q.size)), answer).finding(TagsFinding, "components")
    assert found is not None
    assert list(found.sentences()) == [sentence]
    assert found.rows() == ()
    assert found.as_dict()["components"][0]["present"] is bool(present)


def test_what_carries_no_structure_factor_does_not_interact() -> None:
    """A network's own detection says 0.9; but the curve is of lamellae for 0.95, and these have no S(q)."""
    head = Tags("interaction", ("interacting", "window_shows"))
    tags = TagsFinding(head, {"interacting": 0.9, "window_shows": 1.0})
    assert _found(_answer(0.05, 30.0, tags=tags)).interacting == pytest.approx(0.05)
    assert _found(_answer(0.95, 30.0, tags=tags)).interacting == pytest.approx(0.9)


@pytest.mark.parametrize("distance", [180.0, 300.0])
def test_the_peak_of_a_microemulsion_is_no_structure_factor(distance: float) -> None:
    """M. Teubner and R. Strey, J. Chem. Phys. 87 (1987) 3195."""
    q, k, length = np.geomspace(0.004, 0.3, 150), 2 * np.pi / distance, 0.5 * distance
    a, b = (k**2 + length**-2) ** 2, 2 * (length**-2 - k**2)
    clean = 30 * a / (a + b * q**2 + q**4) + 0.02
    intensity = clean * (1 + 0.02 * np.random.default_rng(3).standard_normal(q.size))
    curve = Curve(q, intensity, 0.02 * clean)
    (answer,) = open_classifier().predictor.answers([curve])
    found = answer.finding(InteractionFinding)
    assert found is not None
    assert found.interacting < 0.05
