"""From curves to suggestions, around a network that knows nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tinyzoo import FORMS, network, sphere_curve, write_zoo

from sasnet_plugin import Curve, suggest
from sasnet_plugin.data.clean import cut_to_q_range
from sasnet_plugin.domains.heads import Scope
from sasnet_plugin.domains.sas1d import HEADS
from sasnet_plugin.predict import classes, open_classifier
from sasnet_plugin.predict.predictor import suggestion_of
from sasnet_plugin.types import DataError, GroupGuess, ModelGuess, ModelZooError, SasnetError

pytestmark = pytest.mark.usefixtures("zoo")


#: What is said of curves that no known model explains.
OUT_OF_SCOPE = next(head.outside for head in HEADS if isinstance(head, Scope))


def make(radius: float = 60.0, **changes: object) -> Curve:
    q, intensity, sigma = sphere_curve(radius)
    return Curve(**({"q": q, "intensity": intensity, "dintensity": sigma, "file": "a.dat"} | changes))  # type: ignore[arg-type]


def test_one_curve_gives_one_suggestion_with_falling_probabilities() -> None:
    found = suggest(make(entry="run 5"), top=4)
    assert (found.file, found.entry) == ("a.dat", "run 5")
    assert len(found.models) == 4
    falling = [m.probability for m in found.models]
    assert falling == sorted(falling, reverse=True)
    assert [g.probability for g in found.groups] == sorted(
        (g.probability for g in found.groups), reverse=True
    )
    assert sum(g.probability for g in found.groups) == pytest.approx(1)
    assert all(m.name in next(g for g in found.groups if g.name == m.group).members for m in found.models)


def test_many_curves_get_the_answers_of_each_alone() -> None:
    curves = [make(radius) for radius in np.geomspace(20, 200, 300)]
    together = suggest(curves, top=6)
    for index in (0, 150, 299):
        alone = suggest(curves[index], top=6)
        assert [m.name for m in alone.models] == [m.name for m in together[index].models]
        assert [m.probability for m in alone.models] == pytest.approx(
            [m.probability for m in together[index].models], abs=1e-6
        )
    assert suggest([]) == []


def test_the_scale_of_the_intensity_does_not_matter() -> None:
    curve = make()
    scaled = make(intensity=curve.intensity * 1e5, dintensity=curve.dintensity * 1e5)
    assert [m.probability for m in suggest(curve).models] == pytest.approx(
        [m.probability for m in suggest(scaled).models], abs=1e-5
    )


def test_restriction_renormalises_and_says_so() -> None:
    full = {m.name: m.probability for m in suggest(make(), top=len(FORMS)).models}
    found = suggest(make(), models=["sphere", "cylinder", "lamellar"], exclude=["lamellar"])
    expected = full["sphere"] / (full["sphere"] + full["cylinder"])
    assert {m.name: m.probability for m in found.models}["sphere"] == pytest.approx(expected)
    assert len(found.models) == 2
    assert {member for g in found.groups for member in g.members} == {"sphere", "cylinder"}
    assert any("renormalised over the 2 models" in note for note in found.notes)


def test_unknown_model_names_the_nearest() -> None:
    with pytest.raises(SasnetError, match="cylindr: the network knows no such model; did you mean cylinder"):
        suggest(make(), models=["cylindr"])


def test_nothing_left() -> None:
    with pytest.raises(SasnetError, match="All models are excluded"):
        suggest(make(), exclude=FORMS)


def test_a_single_name_is_not_a_list_of_letters() -> None:
    with pytest.raises(TypeError, match="lists of names"):
        suggest(make(), models="sphere")


def test_out_of_scope_is_said_below_the_threshold_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert OUT_OF_SCOPE not in suggest(make()).notes
    monkeypatch.setenv(
        "SASNET_MODEL_ZOO", str(write_zoo(tmp_path / "b", onnx_bytes=network(scope_bias=-3.0)))
    )
    found = suggest(make())
    assert found.in_scope < 0.3
    assert OUT_OF_SCOPE in found.notes


def test_data_notes() -> None:
    q, intensity, sigma = sphere_curve(60.0)
    plain = suggest(make(notes=("Three rows were dropped.",)))
    assert "Three rows were dropped." in plain.notes
    assert not any("trained q range" in note or "Only" in note or "estimated" in note for note in plain.notes)
    assert any("estimated" in note for note in suggest(make(dintensity=None)).notes)
    beyond = Curve(np.append(q, [1.5, 2.0]), np.append(intensity, [1e-4] * 2), np.append(sigma, [1e-5] * 2))
    assert any(
        note.startswith("2 of 122 points are outside the trained q range") for note in suggest(beyond).notes
    )
    short = Curve(q[::10], intensity[::10], sigma[::10])
    assert any(note.startswith("Only 12 points were used") for note in suggest(short).notes)


def test_estimated_uncertainties_are_mentioned_once() -> None:
    found = suggest(make(dintensity=None, errors_noted=True, notes=("dI was absent and is estimated.",)))
    assert sum("estimated" in note for note in found.notes) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"q": sphere_curve(60.0)[0][::-1]},
        {"q": -sphere_curve(60.0)[0]},
        {"intensity": np.full(120, np.nan)},
        {"dintensity": np.full(120, -1.0)},
    ],
)
def test_arrays_that_are_no_curve(change: dict[str, np.ndarray]) -> None:
    with pytest.raises(DataError, match=r"a\.dat: .*(q must be positive|dintensity must be|must hold only)"):
        suggest(make(**change))


def test_one_bad_curve_does_not_cost_the_others_their_answer() -> None:
    far = make(q=np.geomspace(2.0, 5.0, 120))
    outcomes = open_classifier().predictor.outcomes([make(), far, make(80.0)])
    assert isinstance(outcomes[1], DataError)
    assert suggestion_of(outcomes[0]) == suggest(make())  # type: ignore[arg-type]
    assert suggestion_of(outcomes[2]).models[0].probability > 0  # type: ignore[arg-type]


def test_network_with_other_outputs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path / "c", onnx_bytes=b"no network")))
    with pytest.raises(ModelZooError, match=r"model\.onnx: ONNX Runtime .* cannot open this network"):
        suggest(make())


def test_within_keeps_columns_together_and_says_so() -> None:
    curve = make(dq=0.1 * sphere_curve(60.0)[0])
    part = cut_to_q_range(curve, 0.01, 0.1)
    assert part.q[0] >= 0.01
    assert part.q[-1] <= 0.1
    assert np.allclose(part.dq, 0.1 * part.q)  # type: ignore[arg-type]
    assert part.notes[-1].startswith(f"{len(part)} of 120 points")
    every = cut_to_q_range(curve, 0.0, np.inf)
    assert (len(every), every.notes) == (120, curve.notes)
    with pytest.raises(DataError, match=r"a\.dat: no point lies between"):
        cut_to_q_range(curve, 1.0, 2.0)


def test_percent_never_claims_certainty() -> None:
    assert [classes.percent(p) for p in (0.0, 0.004, 0.5, 0.944, 0.99, 0.9999, 1.0)] == [
        "<1 %", "<1 %", "50 %", "94 %", "99 %", ">99 %", ">99 %",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("forms", "groups", "sentence"),
    [
        (
            [0.5, 0.44],
            [0.94],
            "“spherical” (models with similar curves) 94 %, which one of sphere, fuzzy_sphere is undecided.",
        ),
        ([0.91, 0.03], [0.94], "“spherical” (models with similar curves) 94 %, most likely sphere (91 %)."),
        (
            [0.4, 0.3],
            [0.5, 0.3],
            "No group of models with similar curves is clearly preferred: spherical 50 %, rods 30 %.",
        ),
    ],
)
def test_group_sentence(forms: list[float], groups: list[float], sentence: str) -> None:
    models = [
        ModelGuess(n, None, p, "spherical") for n, p in zip(("sphere", "fuzzy_sphere"), forms, strict=True)
    ]
    members = {"spherical": ("sphere", "fuzzy_sphere"), "rods": ("cylinder",)}
    guesses = [GroupGuess(n, members[n], p) for n, p in zip(members, groups, strict=False)]
    assert classes.group_sentence(models, guesses) == sentence
