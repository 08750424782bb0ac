"""From the network's logits to calibrated probabilities of models, structure factors and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sasnet_plugin.predict.runtime import Outputs
    from sasnet_plugin.zoo import Manifest

    FloatArray = NDArray[np.float64]
    BoolArray = NDArray[np.bool_]


class Decoded(NamedTuple):
    """Calibrated answers for n curves.

    Parameters
    ----------
    form : (n, F) array
        Probability of each form model, whatever its structure factor; rows sum to 1.
    structure_factor : (n, F, S) array
        Probability of each structure factor given the form model; sums to 1 over S, zero where not allowed.
    group : (n, G) array
        Probability of each group, in the manifest's order; rows sum to 1.
    in_scope : (n,) array
        Probability that a known model fits.
    rg : (n,) array
        Radius of gyration, Å.
    rg_spread : (n,) array
        Standard deviation of log10(rg).
    """

    form: FloatArray
    structure_factor: FloatArray
    group: FloatArray
    in_scope: FloatArray
    rg: FloatArray
    rg_spread: FloatArray


def decode(outputs: Outputs, manifest: Manifest, keep: BoolArray | None = None) -> Decoded:
    """Turn logits into calibrated probabilities.

    Temperature scaling (Guo et al., ICML 2017, arXiv:1706.04599): p = softmax(logit / T) with T fitted on
    held-out data; Platt scaling for the one logit of the scope: sigmoid(slope * logit + offset).

    Parameters
    ----------
    outputs : Outputs
        The network's logits for n curves.
    manifest : Manifest
        Class order, groups and calibration.
    keep : (F,) bool array, optional
        Form models to consider; the probabilities are renormalised over them. At least one must be True.
    """
    form = softmax(outputs.form / manifest.temperature_form, keep)
    allowed = allowed_mask(manifest)
    structure_factor = softmax(outputs.structure_factor / manifest.temperature_structure_factor, allowed)
    scope = np.asarray(outputs.scope, dtype=np.float64)[:, 0]
    size = np.asarray(outputs.size, dtype=np.float64)
    return Decoded(
        form=form,
        structure_factor=structure_factor,
        group=form @ membership(manifest),
        in_scope=sigmoid(manifest.scope_slope * scope + manifest.scope_offset),
        rg=10.0 ** np.clip(size[:, 0], -300, 300),
        rg_spread=np.exp(np.clip(size[:, 1], -300, 300)),
    )


def softmax(logits: NDArray[np.floating], mask: BoolArray | None = None) -> FloatArray:
    """Softmax over the last axis in double precision; exactly zero where `mask` is False."""
    x = np.asarray(logits, dtype=np.float64)
    if mask is not None:
        x = np.where(mask, x, -np.inf)
    weight: FloatArray = np.exp(x - x.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    return weight


def sigmoid(x: FloatArray) -> FloatArray:
    """Logistic function, without overflow at either end."""
    tail = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, tail) / (1.0 + tail)


def allowed_mask(manifest: Manifest) -> BoolArray:
    """Which structure factors each form model can take, (F, S); none (the first) is always allowed."""
    allowed = manifest.allowed_structure_factors
    return np.array(
        [
            [s is None or s in allowed.get(form, ()) for s in manifest.structure_factors]
            for form in manifest.forms
        ]
    )


def membership(manifest: Manifest) -> FloatArray:
    """Which group each form model belongs to, (F, G), one 1 in each row."""
    return np.array([[float(form in group.members) for group in manifest.groups] for form in manifest.forms])
