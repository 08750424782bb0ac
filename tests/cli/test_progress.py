"""How far a fit is, in lines without a terminal, and nothing where nothing is wanted."""

from __future__ import annotations

import pytest

from sasnet_plugin.cli import progress


def test_lines_name_what_is_fitted_the_best_chisq_and_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "FIT_EVERY", 0.0)
    with progress.show_fit_progress(80.0) as step:
        step(done=0, of=0, name="sphere")
        step(done=1, of=3, name="sphere", reduced_chisq=7.123)
        step(done=2, of=3, name="cylinder", reduced_chisq=12.0)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "Fitting: sphere, at most 80 s left",
        "Fitting: 1 of 3, sphere, best reduced χ² 7.12, at most 80 s left",
        "Fitting: 2 of 3, cylinder, best reduced χ² 7.12, at most 80 s left",
    ]


def test_nothing_is_said_where_nothing_is_wanted_or_it_is_quick(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (True, False):
        with progress.show_fit_progress(80.0, quiet) as step:
            step(done=1, of=3, name="sphere")
    with progress.show_progress(3, quiet=True):
        pass
    assert capsys.readouterr() == ("", "")
