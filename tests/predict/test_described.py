"""A kind of sample is said where several models of it share the probability, and nowhere else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.domains.heads import Classes, Scope
from sasnet_plugin.model_free.results import ModelFree, Peak, Refused, Slope
from sasnet_plugin.predict.classes import ClassesFinding
from sasnet_plugin.predict.described import KINDS, KindFinding, add_kind, kind_of
from sasnet_plugin.predict.findings import Answer

LABELS = ("sphere", "ellipsoid", "cylinder", "guinier", "lamellar_stack_caille", "multilayer_vesicle", "rpa")


def _shares(**shares: float) -> np.ndarray:
    return np.array([shares.get(name, 0.0) for name in LABELS])


def _answer(p: np.ndarray, *, known: bool = True) -> Answer:
    finding = ClassesFinding(Classes("form", "model", LABELS), p, uniform=p)
    return Answer("", "", 1.0 if known else 0.0, (finding,), scope=Scope(), known=known)


def test_models_of_one_kind_are_that_kind_together() -> None:
    p = _shares(sphere=0.4, ellipsoid=0.3, cylinder=0.2, rpa=0.1)
    assert kind_of(LABELS, p, None) == ("compact particles", pytest.approx(0.9))
    layers = _shares(lamellar_stack_caille=0.5, multilayer_vesicle=0.45, rpa=0.05)
    assert kind_of(LABELS, layers, None)[0] == "stacked layers"


def test_one_decisive_model_needs_no_kind_and_mixed_models_have_none() -> None:
    assert kind_of(LABELS, _shares(sphere=0.85, ellipsoid=0.15), None)[0] == ""
    assert kind_of(LABELS, _shares(sphere=0.5, lamellar_stack_caille=0.5), None)[0] == ""


def test_a_guinier_law_says_nothing_of_the_shape() -> None:
    assert kind_of(LABELS, _shares(guinier=0.6, sphere=0.4), None)[0] == ""


def test_what_the_prior_makes_of_a_curve_is_not_said() -> None:
    common, even = _shares(sphere=0.5, ellipsoid=0.4, rpa=0.1), _shares(sphere=0.2, ellipsoid=0.2, rpa=0.6)
    assert kind_of(LABELS, common, even) == ("", 0.0)


def _size(*peaks: float, low: float | None = None, rg: float | None = None) -> Any:
    """What the curve says without a model, in the place of a `SizeFinding`."""
    none = Refused("")
    found = tuple(Peak(q, 0.0, 2 * np.pi / q, 0.0, 0.1 * q, 1.0, False) for q in peaks)
    slope = none if low is None else Slope(low, 0.1, 0.005, 0.02, 20)
    return SimpleNamespace(model_free=ModelFree(none, slope, none, none, none, found, none), rg=rg)


def test_the_sentence_has_the_size_of_a_body() -> None:
    found = add_kind(_answer(_shares(sphere=0.5, ellipsoid=0.5)), _size(rg=18.24)).finding(KindFinding)
    assert found is not None
    assert list(found.sentences()) == [
        "Kind of sample, independent of the model: compact particles, Rg 18 Å (>99 %)."
    ]
    assert found.as_dict() == {"sample": {"kind": "compact particles", "probability": 1.0}}


def test_outside_all_models_bodies_are_said_and_layers_only_with_their_orders() -> None:
    body, layers = (
        _shares(sphere=0.5, ellipsoid=0.5),
        _shares(lamellar_stack_caille=0.5, multilayer_vesicle=0.5),
    )

    def kind(p: np.ndarray, *peaks: float) -> str:
        found = add_kind(_answer(p, known=False), _size(*peaks)).finding(KindFinding)
        assert found is not None
        return found.kind

    assert kind(body) == "compact particles"
    assert kind(layers) == kind(layers, 0.1) == kind(layers, 0.1, 0.141, 0.173) == ""
    assert kind(layers, 0.1, 0.201, 0.299) == "stacked layers"


def test_layers_below_an_upturn_are_said_with_it() -> None:
    p = _shares(lamellar_stack_caille=0.5, multilayer_vesicle=0.5)
    found = add_kind(_answer(p, known=False), _size(0.1, 0.2, low=-2.63)).finding(KindFinding)
    assert found is not None
    assert list(found.sentences()) == [
        "Kind of sample, independent of the model: stacked layers with an upturn, q^-2.6 (>99 %)."
    ]
    without = add_kind(_answer(p, known=False), _size(0.1, 0.2, low=-1.0)).finding(KindFinding)
    assert without is not None
    assert list(without.sentences()) == ["Kind of sample, independent of the model: stacked layers (>99 %)."]


def test_every_model_of_a_kind_is_one_that_the_network_knows() -> None:
    from sasnet_plugin.zoo import open_model

    assert set().union(*KINDS.values()) <= set(open_model("sas1d").manifest.labels)


def test_what_no_network_has_assessed_has_no_probability() -> None:
    """A kind of image whose model has no output for anything else."""
    p = _shares(sphere=1.0)
    finding = ClassesFinding(Classes("form", "model", LABELS), p, uniform=p)
    assessed = Answer("", "", 1.0, (finding,))
    bare = Answer("", "", 1.0, (finding,), has_scope=False)
    assert any("knows: >99 %" in sentence for sentence in assessed.sentences())
    assert not any("%." in sentence and "knows" in sentence for sentence in bare.sentences())
    assert (assessed.as_dict()["in_scope"], bare.as_dict()["in_scope"]) == (1.0, None)
    ruled_out = Answer("", "", 0.0, (finding,), known=False, has_scope=False)
    assert ruled_out.as_dict()["in_scope"] == 0.0
