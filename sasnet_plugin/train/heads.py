"""A network with several heads, whose loss is the weighted sum of theirs."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class Heads(keras.Model):
    """A functional model; a subclass says what each head is compared with.

    The names of the outputs are those of the exported file's.
    """

    #: Weights of the losses in their sum.
    weights_of_losses: dict[str, float]

    def losses_of(self, outputs: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
        """Loss of each head, averaged over the examples it applies to."""
        raise NotImplementedError

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Weighted sum of `losses_of`; `y` is the dict of answers."""
        parts = self.losses_of(y_pred, y)
        return sum(self.weights_of_losses[name] * value for name, value in parts.items())


def gaussian_score(head: Any, truth: Any) -> Any:
    """Negative log likelihood of scaled quantities, less its constant, (n, quantities).

    Parameters
    ----------
    head : (n, quantities, 2) tensor
        Mean and log standard deviation.
    truth : (n, quantities) array
    """
    centre, raw = head[..., 0], head[..., 1]
    log_sigma = ops.clip(raw, -5.0, 2.0)
    # Beyond the clip nothing would pull it back: a head that strayed there once was lost.
    strayed = ops.square(raw - log_sigma)
    miss = (ops.convert_to_tensor(truth) - centre) * ops.exp(-log_sigma)
    # Far outliers must not drown the rest.
    return ops.minimum(0.5 * ops.square(miss), 20.0 + 0.1 * ops.abs(miss)) + log_sigma + strayed
