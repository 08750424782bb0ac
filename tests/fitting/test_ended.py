"""Ctrl-C in a fit: what is fitted is the answer, with its doubt; once more ends the command."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sasnet_plugin.cli.progress import Ending
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.api import fit_sample, fit_with
from sasnet_plugin.fitting.pool import Workers
from sasnet_plugin.fitting.progress import Watched
from sasnet_plugin.fitting.task import FitOptions, Pool
from sasnet_plugin.types import Curve
from sasnet_plugin.zoo import bank_path

TWO = FitOptions(models=("vesicle", "cylinder"), structure_factor="none")


def _ended(fitted: Callable[[Pool], Any], when: Callable[[dict[str, Any]], bool]) -> Any:
    """A fit in which Ctrl-C is pressed as soon as it says something like that."""
    ending = Ending()

    def told(**how: Any) -> None:
        if when(how) and not ending():
            signal.raise_signal(signal.SIGINT)

    with Workers(bank_path(), 1, ended=ending) as pool, ending.listen():
        return fitted(Watched(pool, told))


def test_what_was_fitted_is_the_answer_and_says_that_it_was_ended(
    simulated: Callable[..., Curve], capfd: pytest.CaptureFixture[str]
) -> None:
    curve = simulated("cylinder", {"radius": 30.0, "length": 300.0, "background": 0.01})
    rods = replace(curve, file="rods.dat")
    found = _ended(lambda pool: fit_with(pool, rods, TWO), lambda how: "reduced_chisq" in how)
    assert [fit.model for fit in found.fits] == ["vesicle"]
    assert (found.ended, found.limit_met) == (True, False)
    assert found.unfitted[0] == "cylinder"
    assert found.verdict.doubt.startswith("You ended the search early")
    assert found.verdict.next == "sasnet fit rods.dat --models vesicle,cylinder --structure-factor none"
    assert found.as_dict()["ended"] is True
    assert capfd.readouterr().err.count("Ctrl-C once more") == 1


def test_before_anything_is_fitted_there_is_no_answer(simulated: Callable[..., Curve]) -> None:
    curve = simulated("sphere", {"radius": 60.0, "background": 0.01})
    found = _ended(lambda pool: fit_with(pool, curve, TWO), lambda how: True)
    assert found.best is None
    assert found.ended


def test_of_a_sample_there_is_what_each_curve_says_alone(simulated: Callable[..., Curve]) -> None:
    curves = [
        simulated("sphere", {"radius": 60.0, "sld_solvent": sld, "background": 0.01}, seed=i)
        for i, sld in enumerate((6.0, 3.0))
    ]
    sample = sample_of([replace(curve, file=f"{i}.dat") for i, curve in enumerate(curves)])
    found = _ended(
        lambda pool: fit_sample(pool, sample, replace(TWO, models=("sphere",))),
        lambda how: "reduced_chisq" in how,
    )
    assert [single.best is not None for single in found.singles] == [True, False]
    assert not found.fits


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_time_ends_at_once_and_later_all_is_as_before(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    ending = Ending()
    with ending.listen():
        signal.raise_signal(number)
        assert ending()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_what_is_ignored_stays_so_as_ctrl_c_is_by_what_runs_in_the_background() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ending = Ending()
        with ending.listen():
            signal.raise_signal(signal.SIGINT)
            assert not ending()
            signal.raise_signal(signal.SIGTERM)
            assert ending()
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
