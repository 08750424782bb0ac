"""A bounded search ends, and says what it did not do; stages are told."""

from __future__ import annotations

import numpy as np

from inversion.orientedpatterns import GEOMETRY
from sasnet_plugin.images.gisas.inversion import Effort, Problem, State, refine, start, sweep_films


def test_no_descent_begins_beyond_the_bound(now: State) -> None:
    guess = start({"lattice": (GEOMETRY.lattice, 2.0), "radius": (GEOMETRY.radius, 2.0)})
    said: list[str] = []
    effort = Effort(most_work=0.05, told=said.append)
    problem = Problem(now.counts, guess, effort)
    found = refine(problem)
    # The first descent ends, and is an answer.
    assert np.isfinite(found.loss)
    spent = effort.spent
    assert spent > 1
    assert effort.is_over
    again = sweep_films(problem, found)
    assert effort.spent == spent
    assert again.loss == found.loss
    assert said[0].startswith("the geometry is refined, 0 geometries")
