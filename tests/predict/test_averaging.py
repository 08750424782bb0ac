"""What a network says is averaged over variants alike, and over the mirror so that it is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sasnet_plugin.domains import specification
from sasnet_plugin.domains.heads import Inputs, Outputs
from sasnet_plugin.predict.arithmetic import ask_network


def twice(inputs: Inputs) -> Inputs:
    """A variant."""
    return {"features": 2 * inputs["features"]}


def thrice(inputs: Inputs) -> Inputs:
    """Another one."""
    return {"features": 3 * inputs["features"]}


def test_all_variants_count_alike() -> None:
    domain = replace(specification("sas1d"), variants=(twice, thrice))

    def ask(inputs: Inputs) -> Outputs:
        return {"form": inputs["features"] ** 2}

    found = ask_network(domain, domain.heads, ask, {"features": np.array([[1.0, -2.0]])})
    np.testing.assert_allclose(found["form"], [[14 / 3, 56 / 3]])


def test_a_mirror_image_is_answered_as_the_image_is() -> None:
    domain = specification("gisas_hex")
    head = domain.heads[0]
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((64 * 64 * 3, 2 * getattr(head, "bins", 1)))

    def ask(inputs: Inputs) -> Outputs:
        flat = np.asarray(inputs["features"]).reshape(len(inputs["features"]), -1)
        bins = weights.shape[1] // 2
        said = flat[:, : weights.shape[0]] @ weights[: flat.shape[1]]
        return {
            head.name: said[:, :bins],
            f"{head.name}_band": np.stack([said[:, :bins], said[:, bins:]], -1),
        }

    from sasnet_plugin.images.features import mirror_inputs
    from sasnet_plugin.predict.arithmetic import mirror_distribution, softmax

    inputs = {"features": rng.standard_normal((3, 64, 64, 3)).astype(np.float32)}
    straight = ask_network(domain, (head,), ask, inputs)[head.name]
    turned = ask_network(domain, (head,), ask, mirror_inputs(inputs))[head.name]
    np.testing.assert_allclose(mirror_distribution(softmax(turned)), softmax(straight), atol=1e-9)
