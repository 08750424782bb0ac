"""Networks that begin with what others have learned: an application's weights, or another run's trunk."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras

from ..types import SasnetError

#: What the names of a small trunk's layers begin with.
TRUNK = "trunk_"

#: What Keras' loaders raise for a file that is none, or of other layers or shapes; where some layers find
#: nothing in the file they only warn.
_REFUSED = (OSError, ValueError, KeyError, AttributeError, UserWarning)


def application(name: str, shape: tuple[int, ...], weights: str = "") -> Any:
    """One of Keras' applications without its top.

    Parameters
    ----------
    name : str
        As in ``keras.applications``, such as "DenseNet169".
    shape : (int, int, int)
        Of its input; three colours.
    weights : str
        File that Keras wrote of this application with ``save_weights``, with its top or without; empty: from
        scratch. Nothing is fetched from anywhere.

    Raises
    ------
    SasnetError
        There is no such application, or the file is missing or of another one.
    """
    build = getattr(keras.applications, name, None)
    if not callable(build):
        known = ", ".join(sorted(k for k in dir(keras.applications) if k[0].isupper()))
        raise SasnetError(f"{name}: Keras has no such application; choose one of {known}, or small.")
    try:
        body = build(include_top=False, weights=None, input_shape=shape)
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise SasnetError(f"{name}: cannot be built for pictures of {shape} ({reason}).") from None
    if weights:
        _load(body, build, name, Path(weights))
    return body


def _load(body: Any, build: Any, name: str, path: Path) -> None:
    if not path.is_file():
        raise SasnetError(f"{path}: there is no such file of weights; check the path.")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            body.load_weights(path)
            return
        except _REFUSED:
            pass
        whole = build(include_top=True, weights=None)
        try:
            whole.load_weights(path)
        except _REFUSED:
            raise SasnetError(
                f"{path}: does not hold weights of Keras' {name}; save them with its save_weights()."
            ) from None
    adopt(body, whole)


def adopt(model: Any, donor: Any) -> int:
    """Take over the weights of every layer that both networks have, by its name and its shapes.

    Parameters
    ----------
    model, donor : keras.Model

    Returns
    -------
    int
        Layers taken over.
    """
    theirs = {layer.name: layer for layer in donor.layers}
    count = 0
    for layer in model.layers:
        other = theirs.get(layer.name)
        if other is None or not layer.weights:
            continue
        if [w.shape for w in layer.weights] == [w.shape for w in other.weights]:
            layer.set_weights(other.get_weights())
            count += 1
    return count
