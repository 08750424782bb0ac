"""Groups are the models that are taken for one another."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.train.groups import cut, link, mutual_confusion

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
    confusion = mutual_confusion(*_confused())
    groups = dict(cut(link(confusion), FORMS, confusion, 3))
    members = {frozenset(m) for m in groups.values()}
    assert members == {
        frozenset({"sphere", "fuzzy_sphere"}),
        frozenset({"cylinder", "ellipsoid"}),
        frozenset({"lorentz"}),
    }
    assert groups["lorentz"] == ("lorentz",)


def test_every_model_is_in_one_group_at_any_cut() -> None:
    confusion = mutual_confusion(*_confused())
    for n in range(1, 6):
        groups = cut(link(confusion), FORMS, confusion, n)
        assert len(groups) == n
        assert sorted(name for _, members in groups for name in members) == sorted(FORMS)


def test_confusion_is_what_either_model_gives_to_the_other() -> None:
    probability = np.array([[0.7, 0.3, 0.0], [0.1, 0.9, 0.0], [0.0, 0.0, 1.0]])
    confusion = mutual_confusion(probability, np.arange(3))
    np.testing.assert_allclose(confusion, [[0, 0.4, 0], [0.4, 0, 0], [0, 0, 0]], atol=1e-12)


def test_scipy_takes_the_linkage_and_cuts_it_alike() -> None:
    from scipy.cluster.hierarchy import fcluster, is_valid_linkage

    confusion = mutual_confusion(*_confused())
    linkage = link(confusion)
    assert is_valid_linkage(linkage)
    assert np.all(np.diff(linkage[:, 2]) > 0)
    label = fcluster(linkage, 3, "maxclust")
    members = {frozenset(np.array(FORMS)[label == value].tolist()) for value in np.unique(label)}
    assert members == {frozenset(m) for _, m in cut(linkage, FORMS, confusion, 3)}
