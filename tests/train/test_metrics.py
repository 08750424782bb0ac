"""Figures of merit against values worked out by hand or published."""

import numpy as np
import pytest

from sasnet_plugin.train.metrics import (
    auroc,
    compute_balanced_accuracy,
    compute_calibration_error,
    confusion_matrix,
    find_confused_pairs,
    group_accuracy,
    group_index,
    group_probability,
    ranks,
    recall,
    reliability,
    top_k,
)

PROBABILITY = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5], [0.4, 0.35, 0.25]])
ANSWER = np.array([0, 2, 2, 2])


def test_rank_of_the_true_class_counts_those_before_it():
    np.testing.assert_array_equal(ranks(PROBABILITY, ANSWER), [0, 1, 0, 2])


def test_top_k_is_the_share_of_ranks_below_k():
    assert [top_k(PROBABILITY, ANSWER, k) for k in (1, 2, 3)] == [0.5, 0.75, 1.0]


def test_ranks_do_not_change_under_a_monotonic_map():
    np.testing.assert_array_equal(ranks(np.log(PROBABILITY), ANSWER), ranks(PROBABILITY, ANSWER))


def test_undecided_and_undefined_classifiers_get_no_credit():
    answer = np.arange(4)
    assert top_k(np.full((4, 4), 0.25), answer, 3) == 0.0
    assert top_k(np.full((4, 4), np.nan), answer, 3) == 0.0


def test_groups_sum_their_members_and_can_win_without_the_first_class():
    index = group_index([["sphere", "vesicle"], ["cylinder"]], ["sphere", "cylinder", "vesicle"])
    np.testing.assert_array_equal(index, [0, 1, 0])
    probability = np.array([[0.3, 0.4, 0.3], [0.1, 0.7, 0.2]])
    np.testing.assert_allclose(group_probability(probability, index), [[0.6, 0.4], [0.3, 0.7]])
    answer = np.array([0, 0])
    assert top_k(probability, answer, 1) == 0.0
    assert group_accuracy(probability, answer, index) == 0.5


@pytest.mark.parametrize("groups", [[["sphere"]], [["sphere", "cylinder"], ["sphere"]]])
def test_classes_in_no_group_or_in_two_are_refused(groups):
    with pytest.raises(ValueError, match="group"):
        group_index(groups, ["sphere", "cylinder"])


def test_confusion_counts_rows_by_truth():
    matrix = confusion_matrix(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 1, 2, 2]), 3)
    np.testing.assert_array_equal(matrix, [[1, 1, 0], [0, 1, 0], [0, 1, 2]])


def test_worst_pair_is_named_first_and_pairs_never_confused_not_at_all():
    matrix = np.array([[6, 4, 0], [2, 8, 0], [0, 1, 9]])
    pairs = find_confused_pairs(matrix, ["a", "b", "c"], 5)
    assert [(first, second) for first, second, _ in pairs] == [("a", "b"), ("b", "c")]
    np.testing.assert_allclose([share for *_, share in pairs], [0.3, 0.05])


def test_balanced_accuracy_is_not_bought_with_the_frequent_class():
    answer = np.array([0] * 9 + [1])
    always_zero = np.zeros(10, int)
    assert np.mean(answer == always_zero) == 0.9
    assert recall(answer, always_zero) == {0: 1.0, 1: 0.0}
    assert compute_balanced_accuracy(answer, always_zero) == 0.5


def test_calibration_error_of_two_bins_by_hand():
    # Bins of a tenth: 0.95 (x4, three right) and 0.55 (x6, three right) -> 0.4 * 0.2 + 0.6 * 0.05 = 0.11.
    confidence = np.array([0.95] * 4 + [0.55] * 6)
    correct = np.array([1, 1, 1, 0, 1, 1, 1, 0, 0, 0])
    assert compute_calibration_error(confidence, correct, bins=10) == pytest.approx(0.11)


def test_honest_probabilities_have_no_calibration_error_and_boasting_ones_do():
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.1, 0.9, 200_000)
    honest = rng.random(confidence.size) < confidence
    assert compute_calibration_error(confidence, honest) < 0.01
    # Accuracy c, confidence c + 0.1: the error is 0.1 whatever the bins.
    assert compute_calibration_error(confidence + 0.1, honest) == pytest.approx(0.1, abs=0.01)


def test_reliability_counts_every_curve_once_with_the_ends_included():
    table = reliability([0.0, 0.2, 0.2001, 1.0], [True, False, True, True], bins=5)
    np.testing.assert_array_equal(table.count, [2, 1, 0, 0, 1])
    assert table.accuracy[0] == 0.5
    assert np.isnan(table.accuracy[2])


def test_area_under_roc_of_a_small_example():
    # scikit-learn's documented example: y = [0, 0, 1, 1], scores = [0.1, 0.4, 0.35, 0.8] -> 0.75.
    assert auroc([0.35, 0.8], [0.1, 0.4]) == 0.75


def test_area_under_roc_at_its_bounds_and_with_ties():
    assert auroc([2.0, 3.0], [0.0, 1.0]) == 1.0
    assert auroc([0.0, 1.0], [2.0, 3.0]) == 0.0
    assert auroc([1.0, 1.0], [1.0]) == 0.5
    with pytest.raises(ValueError, match="both"):
        auroc([], [1.0])


def test_area_under_roc_of_two_gaussians():
    # P(x > y) for unit normals a distance d apart is Phi(d / sqrt 2); d = sqrt 2 gives 0.841345.
    rng = np.random.default_rng(2)
    high = rng.standard_normal(100_000) + np.sqrt(2)
    assert auroc(high, rng.standard_normal(100_000)) == pytest.approx(0.841345, abs=0.003)
