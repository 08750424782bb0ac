"""SASNets' architecture (github.com/scattering/sasnets, function ``oned_convnet``), in Keras 3.

Two convolutions of kernel 6 with n and n/2 filters, each with max-pooling by 4 and dropout, a dense tanh
layer of n/4 and the softmax. SASNets takes n from the number of points; 128 is its present grid.
Trained here with AdamW and a cosine decay instead of its Adadelta, which does it no harm.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

#: Shares dropped after the two convolutions and the dense layer, as tuned by its authors.
DROPOUT = (0.17676, 0.20782, 0.20582)


def build_sasnets(n_points: int, n_channels: int, n_classes: int, *, n: int = 128) -> Any:
    """Build it, ending in logits.

    Parameters
    ----------
    n_points, n_channels : int
        Shape of the input; at least 46 points are left of two convolutions with pooling.
    n_classes : int
    n : int
        Filters of the first convolution.
    """
    return keras.Sequential(
        [
            keras.Input((n_points, n_channels)),
            layers.Conv1D(n, 6, activation="relu"),
            layers.MaxPooling1D(4),
            layers.Dropout(DROPOUT[0]),
            layers.Conv1D(n // 2, 6, activation="relu"),
            layers.MaxPooling1D(4),
            layers.Dropout(DROPOUT[1]),
            layers.Flatten(),
            layers.Dense(n // 4, activation="tanh"),
            layers.Dropout(DROPOUT[2]),
            layers.Dense(n_classes, dtype="float32"),
        ],
        name="sasnets",
    )
