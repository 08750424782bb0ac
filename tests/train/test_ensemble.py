"""Networks that answer together say the mean of what each says, and can be taken apart again."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from sasnet_plugin.predict.predictor import Runtime
from sasnet_plugin.train.ensemble import joined, members, members_of
from sasnet_plugin.types import SasnetError
from tests.tinyzoo import network

THREE = [network(seed=seed) for seed in (1, 2, 3)]
ASKED = {"features": np.random.default_rng(0).standard_normal((5, 256, 8)).astype(np.float32)}


def test_the_mean_of_all_whichever_way_they_were_joined() -> None:
    said = [Runtime(one, outputs=("form", "size")).run(ASKED) for one in THREE]
    assert np.abs(said[0]["form"] - said[1]["form"]).max() > 0.1
    for whole in (joined(THREE), joined([joined(THREE[:2]), THREE[2]])):
        assert members_of(whole) == 3
        found = Runtime(whole, outputs=("form", "size")).run(ASKED)
        for name in found:
            np.testing.assert_allclose(found[name], np.mean([s[name] for s in said], axis=0), atol=1e-5)


def test_members_are_what_was_joined() -> None:
    for one, member in zip(THREE, members(onnx.load_from_string(joined(THREE))), strict=True):
        found = Runtime(member.SerializeToString(), outputs=("form",)).run(ASKED)
        np.testing.assert_array_equal(found["form"], Runtime(one, outputs=("form",)).run(ASKED)["form"])
    assert members_of(THREE[0]) == 1


def test_networks_of_other_classes_are_refused() -> None:
    proto = onnx.load_from_string(THREE[1])
    form = next(one for one in proto.graph.output if one.name == "form")
    form.type.tensor_type.shape.dim[1].dim_value += 1
    with pytest.raises(SasnetError, match="must read the same inputs and have the same classes"):
        joined([THREE[0], proto.SerializeToString()])
