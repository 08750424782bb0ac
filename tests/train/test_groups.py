"""Groups are the models that are taken for one another."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.train.groups import confusion_similarity, cut, link

FORMS = ("sphere", "fuzzy_sphere", "cylinder", "ellipsoid", "lorentz")


def _confused() -> tuple[np.ndarray, np.ndarray]:
    mean = np.array(
        [
            [0.5, 0.45, 0.0, 0.05, 0.0],
            [0.45, 0.5, 0.0, 0.05, 0.0],
            [0.0, 0.0, 0.6, 0.4, 0.0],
            [0.05, 0.05, 0.4, 0.5, 0.0],
            [0.0, 0.0, 0.0, 0.0, 1.0],
        ]
    )
    truth = np.repeat(np.arange(5), 10)
    return mean[truth], truth


def test_confused_models_share_a_group() -> None:
    similarity = confusion_similarity(*_confused())
    groups = dict(cut(link(similarity), FORMS, similarity, 3))
    members = {frozenset(m) for m in groups.values()}
    assert members == {
        frozenset({"sphere", "fuzzy_sphere"}),
        frozenset({"cylinder", "ellipsoid"}),
        frozenset({"lorentz"}),
    }
    assert groups["lorentz"] == ("lorentz",)


def test_every_model_is_in_one_group_at_any_cut() -> None:
    similarity = confusion_similarity(*_confused())
    for n in range(1, 6):
        groups = cut(link(similarity), FORMS, similarity, n)
        assert len(groups) == n
        assert sorted(name for _, members in groups for name in members) == sorted(FORMS)


def test_similarity_is_one_for_the_same_and_zero_for_disjoint_predictions() -> None:
    probability = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    similarity = confusion_similarity(probability, np.arange(3))
    np.testing.assert_allclose(similarity, [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=1e-12)
