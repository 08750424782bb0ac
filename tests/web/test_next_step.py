"""What an answer says to do next, as a request of the page: the options of the command, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from simulated_fits import simulated

from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.service import fits


@pytest.mark.parametrize(
    ("changes", "request_"),
    [
        ({"--time-limit": 180.0}, {"time_limit": 180.0}),
        ({"--models": None, "--structure-factor": None}, {"models": None, "structure_factor": None}),
        ({"--models": ("sphere", "cylinder"), "--structure-factor": "none"},
         {"models": ["sphere", "cylinder"], "structure_factor": "none"}),
        ({"--fixed": {"radius": 5.0, "scale": 0.1}}, {"fixed": {"radius": 5.0, "scale": 0.1}}),
        ({"--q-range": (None, 0.2)}, {"window": [None, 0.2]}),
        ({"--q-range": (0.01, None)}, {"window": [0.01, None]}),
        ({"--q-unit": "nm"}, {"q_unit": "nm"}),
        ({"--report": "pages"}, None),
        ({"--export": "exports"}, None),
    ],
    ids=str,
)  # fmt: skip
def test_options_that_change_are_those_of_a_request(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], request_: dict[str, Any] | None
) -> None:
    monkeypatch.setattr(fits, "changes_of", lambda found, options: (changes, "for a reason"))
    assert fits.again(simulated("pinhole"), FitOptions()) == request_
