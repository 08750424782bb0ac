"""Errors of fits whose time was up before there were any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sasnet_plugin.fitting.assessment.late_errors import with_errors
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve


def test_they_are_those_of_the_fit_and_none_for_one_that_is_far(
    simulated: Callable[..., Curve], bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    assert curve.dintensity is not None
    fit = fit_candidate(Task(curve, curve.dintensity, "sphere", None), bank)
    blank = {name: replace(p, error=None) for name, p in fit.parameters.items()}
    cut = replace(fit, parameters=blank, derivatives={}, correlations={})
    far = replace(cut, reduced_chisq=50.0, bic=5e3)
    again, left = with_errors(curve, curve.dintensity, [cut, far])
    for name in fit.free:
        assert again.parameters[name].error == pytest.approx(fit.parameters[name].error, rel=0.02)
        assert left.parameters[name].error is None
    assert set(again.derivatives) == set(fit.free)
    # Away from a minimum an error means nothing.
    off = replace(cut, theory=cut.theory * 1.02)
    assert with_errors(curve, curve.dintensity, [off]) == [off]
    # Nor where there is no time for them.
    monkeypatch.setattr(
        "sasnet_plugin.fitting.assessment.late_errors.ASSESSMENT", replace(ASSESSMENT, late_errors=-1.0)
    )
    assert with_errors(curve, curve.dintensity, [cut]) == [cut]
