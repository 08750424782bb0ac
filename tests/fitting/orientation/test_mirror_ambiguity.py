"""A distribution and its mirror image: distinguished where the samples are of one kind."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.orientation.mirror_ambiguity import mirror_ambiguity
from sasnet_plugin.predict.arithmetic import circular_w1, mirrored
from sasnet_plugin.simulate.gisas.geometry import PERIOD
from sasnet_plugin.simulate.gisas.priors import peak


def test_the_mirror_image_is_ruled_out_where_all_samples_are_of_one_kind() -> None:
    one = np.stack([peak(centre, 3.0) for centre in np.linspace(9, 11, 60)])
    sure = mirror_ambiguity(one)
    assert sure.resolved
    assert circular_w1(sure.one, one.mean(axis=0), PERIOD) < 0.1
    assert circular_w1(sure.other, mirrored(one.mean(axis=0)), PERIOD) < 0.1
    both = mirror_ambiguity(np.concatenate((one, mirrored(one[:30]))))
    assert not both.resolved
    assert both.share == pytest.approx(2 / 3, abs=0.02)
    assert circular_w1(both.other, mirrored(one.mean(axis=0)), PERIOD) < 1.0
    assert mirror_ambiguity(np.stack([peak(30.0, 5.0)] * 4)).resolved
