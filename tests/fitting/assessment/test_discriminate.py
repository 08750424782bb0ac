"""Where data would have to go to decide between fits that these data do not distinguish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment import discriminate
from sasnet_plugin.fitting.evidence.discrepancy import Discrepancy
from sasnet_plugin.fitting.evidence.marginal import alike, weigh_fits
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

Simulated = Callable[..., Curve]


def _fitted(curve: Curve, bank: Bank, *models: str, **fixed: float) -> list[ModelFit]:
    assert curve.dintensity is not None
    fits = [fit_candidate(Task(curve, curve.dintensity, model, None, 0.5, fixed), bank) for model in models]
    return list(weigh_fits(Discrepancy(curve, curve.dintensity), fits).fits)


def _part(curve: Curve, low: float, high: float) -> Curve:
    kept = (curve.q >= low) & (curve.q <= high)
    columns = {n: getattr(curve, n)[kept] for n in ("q", "intensity", "dintensity", "dq")}
    return replace(curve, **columns)


def test_where_a_sphere_and_guiniers_law_part(simulated: Simulated, bank: Bank) -> None:
    whole = simulated("sphere", {"radius": 50.0, "background": 1e-3})
    curve = _part(whole, 0.0, 0.02)  # q·Rg < 0.8: both are parabolas
    order = _fitted(curve, bank, "sphere", "guinier", background=1e-3)
    assert alike(order) == [order[1].name]
    (sentence,) = discriminate.sentences(curve, curve.dintensity, order[0], order[1:])
    first, second = (fit.name for fit in order)
    assert sentence.startswith(f"{first} and {second} are indistinguishable in this q range; data beyond")
    found = discriminate.continue_fits(curve, curve.dintensity, order[0], order[1])
    assert found is not None
    assert found.above is not None
    assert found.below is None
    assert 0.02 < found.above < 0.1
    # And so it is: with data as far as that and a little more, they are distinguishable.
    longer = _part(whole, 0.0, 1.5 * found.above)
    assert alike(_fitted(longer, bank, "sphere", "guinier", background=1e-3)) == []


def test_what_no_data_would_decide_and_what_is_too_expensive_to_ask(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    order = _fitted(curve, bank, "sphere", "core_shell_sphere")
    (sentence,) = discriminate.sentences(curve, curve.dintensity, order[0], order[1:])
    assert sentence.endswith("in this q range; at this noise level, a wider q range alone would not decide.")
    expensive = [replace(order[1], model="superball")]
    (sentence,) = discriminate.sentences(curve, curve.dintensity, order[0], expensive)
    assert sentence == f"{order[0].name} and superball are indistinguishable in this q range."
    broken = replace(order[1], parameters={"no_such_parameter": order[1].parameters["scale"]})
    assert discriminate.continue_fits(curve, curve.dintensity, order[0], broken) is None


def test_all_of_a_wider_range_may_decide_where_no_interval_of_it_does(
    simulated: Simulated, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a plan of the next measurement counts it, which measures the whole range."""
    curve = _part(simulated("sphere", {"radius": 50.0, "background": 1e-3}), 0.0, 0.02)
    order = _fitted(curve, bank, "sphere", "guinier", background=1e-3)
    apart: list[float] = []
    misfit = discriminate._misfit
    monkeypatch.setattr(discriminate, "_misfit", lambda *of: apart.append(misfit(*of)) or apart[-1])

    def asked(significance: float) -> discriminate.Beyond:
        apart.clear()
        monkeypatch.setattr(discriminate, "ASSESSMENT", replace(ASSESSMENT, significant=significance))
        found = discriminate.continue_fits(curve, curve.dintensity, order[0], order[1])
        assert found is not None
        return found

    asked(1e6)
    inside, *cells, whole = apart
    found = asked(float(np.sqrt(0.5 * (max(cells) + whole) - inside)))
    assert str(found).startswith("data from ")
    assert str(asked(1e6)) == "at this noise level, a wider q range alone would not decide"


@pytest.mark.parametrize("slit", [0.0, 0.02])
def test_continued_fits_agree_with_the_fit_at_the_edge(simulated: Simulated, bank: Bank, slit: float) -> None:
    curve = simulated("sphere", {"radius": 30.0, "background": 0.01}, slit=slit)
    (fit,) = _fitted(curve, bank, "sphere")
    wide, cell, noise = discriminate._extend_q_range(curve, curve.dintensity, fit)
    assert np.all(np.diff(wide.q) > 0)
    assert np.all((wide.q < curve.q[0]) == (cell < 0))
    assert np.all((wide.q > curve.q[-1]) == (cell > 0))
    assert np.all(noise > 0)
    low = discriminate._theory(wide, fit)[cell == -1]
    assert low == pytest.approx(np.full(low.size, fit.theory[0]), rel=0.05)
