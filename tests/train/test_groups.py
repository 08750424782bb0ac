"""Groups are the models that are taken for one another."""

from __future__ import annotations

import numpy as np

from sasnet_plugin.train.groups import cut, link, mutual_confusion, name_of, simplest_first

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
    groups = dict(cut(link(confusion), FORMS, 3))
    members = {frozenset(m) for m in groups.values()}
    assert members == {
        frozenset({"sphere", "fuzzy_sphere"}),
        frozenset({"cylinder", "ellipsoid"}),
        frozenset({"lorentz"}),
    }
    # Names for people, the simplest member first.
    assert groups["lorentz"] == ("lorentz",)
    assert groups["spheres and shells"] == ("sphere", "fuzzy_sphere")
    assert groups["cylinders and ellipsoids"] == ("cylinder", "ellipsoid")


def test_groups_of_one_family_are_told_apart_by_their_simplest_member() -> None:
    forms = ("sphere", "fuzzy_sphere", "vesicle", "onion")
    confusion = np.zeros((4, 4))
    confusion[0, 1] = confusion[1, 0] = confusion[2, 3] = confusion[3, 2] = 0.9
    assert dict(cut(link(confusion), forms, 2)) == {
        "spheres and shells, as sphere": ("sphere", "fuzzy_sphere"),
        "spheres and shells, as vesicle": ("vesicle", "onion"),
    }
    members = ("onion", "lamellar", "vesicle", "sphere", "lamellar_hg")
    assert name_of(simplest_first(members)) == "spheres, shells and lamellae"


def test_every_model_is_in_one_group_at_any_cut() -> None:
    confusion = mutual_confusion(*_confused())
    for n in range(1, 6):
        groups = cut(link(confusion), FORMS, n)
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
    assert members == {frozenset(m) for _, m in cut(linkage, FORMS, 3)}
