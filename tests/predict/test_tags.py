"""Tags: a hierarchy that holds in every answer, one tag that excludes the others, thresholds by F1."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.domains.heads import Tags
from sasnet_plugin.images.diffraction.specification import DIFFRACTION, LABELS
from sasnet_plugin.predict.decoding import best_threshold, calibrate, decode

HEAD = next(head for head in DIFFRACTION.heads if isinstance(head, Tags))


def found(**logits: float) -> tuple[dict[str, float], set[str]]:
    """Probabilities and the tags called present, by thresholds of 0.5 (0.3 of Bent)."""
    row = np.array([[logits.get(name.split("/")[0], -9.0) for name in LABELS]])
    said = {"slope": [1.0] * 11, "offset": [0.0] * 11, "threshold": [0.5] * 5 + [0.3] + [0.5] * 5}
    ((finding,),) = decode((HEAD,), {"tags": row}, {"tags": said})
    listed = finding.as_dict()["tags"]
    assert [one["name"] for one in listed] == list(LABELS)
    return {one["name"]: one["probability"] for one in listed}, {
        one["name"] for one in listed if one["present"]
    }


def test_a_tag_is_never_likelier_than_its_parent_nor_present_without_it() -> None:
    probability, present = found(Streak=5, Prolate=1)
    assert probability["Streak"] == probability["Prolate"] < 0.8
    assert present == {"Prolate", "Streak"}
    assert found(Streak=5, Prolate=-1)[1] == set()
    assert found(Bent=-0.5, Prolate=2)[1] == {"Prolate", "Bent"}  # by its own threshold


def test_empty_excludes_all_others() -> None:
    probability, present = found(Empty=3, Round=2, Spherical=2)
    assert present == {"Empty"}
    assert probability["Round"] < 1 - probability["Empty"] + 1e-5 < 0.1
    assert found(Empty=-3, Round=2, Spherical=2)[1] == {"Round", "Spherical/Oblate"}


def test_thresholds_are_those_of_the_best_f1_and_probabilities_what_is_found() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(6000, 11)) * 2
    shift = np.linspace(-3, 1, 11)  # from rare to frequent
    truth = (rng.random(logits.shape) < 1 / (1 + np.exp(-(logits + shift)))).astype(float)
    truth[:100, 0] = np.nan
    said = calibrate(HEAD, {"tags": logits}, {"tags": truth}, {"tags": HEAD})
    np.testing.assert_allclose(said["offset"], shift, atol=0.25)
    p = 1 / (1 + np.exp(-(logits[:, 0] + shift[0])))
    levels = np.linspace(0.05, 0.95, 91)
    known = np.isfinite(truth[:, 0])

    def f1(level: float) -> float:
        here = p[known] >= level
        return 2 * np.sum(here & (truth[known, 0] == 1)) / (here.sum() + truth[known, 0].sum())

    assert f1(best_threshold(p, truth[:, 0])) > max(map(f1, levels)) - 0.02
    assert best_threshold(p, np.zeros(6000)) == 0.5
