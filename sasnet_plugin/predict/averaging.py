"""What a network says of a measurement, averaged over what leaves the answer as it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..domains import Domain
from ..domains.heads import Distribution, Head, Inputs, Outputs, Quantities
from .arithmetic import FloatArray, mirrored, softmax


def said_of(
    domain: Domain, heads: tuple[Head, ...], ask: Callable[[Inputs], Outputs], inputs: Inputs
) -> Outputs:
    """What a network says of inputs, averaged over the domain's variants and symmetries.

    Parameters
    ----------
    ask : callable
        The network: inputs to outputs.
    """
    found: Outputs = ask(inputs)
    if domain.variants:
        together = [found, *(ask(variant(inputs)) for variant in domain.variants)]
        found = {name: np.mean([said[name] for said in together], axis=0) for name in found}
    for symmetry in domain.symmetries:
        found = averaged(heads, found, ask(symmetry(inputs)))
    return found


def averaged(heads: tuple[Head, ...], straight: Outputs, turned: Outputs) -> dict[str, FloatArray]:
    """Mean of what a network says of a measurement and of its mirror image, so that the mirror is exact.

    Of distributions the shares are averaged, of all else the outputs.

    Parameters
    ----------
    straight, turned : mapping
        Outputs for the same measurements, and for their mirror images.
    """
    one, other = (
        {k: np.asarray(v, dtype=np.float64) for k, v in found.items()} for found in (straight, turned)
    )
    found: dict[str, FloatArray] = {}
    for head in heads:
        name = head.name
        if isinstance(head, Distribution):
            p = (softmax(one[name]) + mirrored(softmax(other[name]))) / 2
            found[name] = np.log(np.maximum(p, 1e-300))
            band = f"{name}_band"
            found[band] = np.stack(
                [(one[band][..., k] + mirrored(other[band][..., k])) / 2 for k in (0, 1)], axis=-1
            )
            continue
        second = other[name]
        if isinstance(head, Quantities):
            signs = np.array([[-1.0 if p.odd else 1.0, 1.0] for p in head.parameters])
            second = second.reshape(len(second), -1, 2) * signs
        found[name] = (one[name].reshape(second.shape) + second) / 2
    return found
