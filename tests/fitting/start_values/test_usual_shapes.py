"""Usual proportions of bodies that the library of random ones does not hold."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.start_values.curve_bank import bin_curve, nearest
from sasnet_plugin.fitting.start_values.screening import page_with_usual
from sasnet_plugin.simulate.bank import BANK_STEP, LOG_Q_MIN, N_BANK, Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve
from sasnet_plugin.zoo import bank_path


@pytest.mark.parametrize("ratio", [1.0, 0.2, 5.0])
def test_a_box_of_the_table_is_that_of_sasmodels(ratio: float) -> None:
    page = page_with_usual(Bank(bank_path()), "rectangular_prism")
    q = np.exp(LOG_Q_MIN + BANK_STEP * np.arange(N_BANK))
    seen = (q > 1e-3) & (q * 50.0 * max(ratio, 1.0) < 50.0)  # beyond it the table has the mean of the fringes
    rows = [page.row(i) for i in range(len(page))]
    own = {"b2a_ratio": 1.0, "c2a_ratio": ratio, "length_a": 50.0}
    (at,) = (i for i, row in enumerate(rows) if own.items() <= row.items() and "length_a_pd" not in row)
    exact = call("rectangular_prism", q[seen], rows[at] | {"background": 0.0}).intensity
    apart = np.log(exact) - page.log_intensity[at][seen]
    assert np.ptp(apart) < 2e-3


def test_cubes_come_near_their_library_whatever_their_size() -> None:
    q = np.geomspace(0.005, 0.3, 150)
    truth = {"length_a": 83.0, "length_a_pd": 0.06, "length_a_pd_n": 35, "background": 0.0}
    clean = call("rectangular_prism", q, truth).intensity
    clean = clean / clean[0] + 1e-4
    curve = Curve(q, clean, 0.03 * clean)
    bank, data = Bank(bank_path()), bin_curve(curve, 0.03 * clean)
    (found,) = nearest(page_with_usual(bank, "rectangular_prism"), "rectangular_prism", None, data, count=1)
    (plain,) = nearest(bank.page("rectangular_prism"), "rectangular_prism", None, data, count=1)
    assert found.weighted_residual < plain.weighted_residual
    assert found.parameters["length_a"] == pytest.approx(83.0, rel=0.06)
    assert found.parameters["b2a_ratio"] == 1.0
