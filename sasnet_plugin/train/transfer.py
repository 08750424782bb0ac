"""Networks that begin with what others have learned: an application's weights, or another run's trunk."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras

from ..types import SasnetError

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


def adopt_trunk(model: Any, run: Path) -> int:
    """Begin a small trunk with that of a finished training run, of this domain or another.

    Where the donor looks at more pictures than the model, the model's are the donor's first (the features
    are the same for all domains).

    Parameters
    ----------
    model : keras.Model
        With a small trunk; changed in place.
    run : Path
        Folder of the run.

    Returns
    -------
    int
        Layers taken over.

    Raises
    ------
    SasnetError
        The folder holds no finished run, or one whose trunk has other layers or shapes.
    """
    from ..domains import specification
    from .image_trunk import TRUNK
    from .network import load, settings_of

    policy = keras.mixed_precision.global_policy()
    donor, _ = load(run, specification(settings_of(run)["domain"]))
    keras.mixed_precision.set_global_policy(policy)
    theirs = {layer.name: layer for layer in _flat(donor) if layer.name.startswith(TRUNK)}
    ours = [layer for layer in _flat(model) if layer.name.startswith(TRUNK)]
    if not ours or {layer.name for layer in ours} != set(theirs):
        raise SasnetError(
            f"{run}: its network has another trunk; choose a run of a small trunk of the same size."
        )
    for layer in ours:
        weights = []
        for wanted, given in zip(layer.weights, theirs[layer.name].get_weights(), strict=True):
            if len(wanted.shape) == 4 and wanted.shape[2] < given.shape[2]:
                given = given[:, :, : wanted.shape[2]]
            if tuple(wanted.shape) != given.shape:
                raise SasnetError(
                    f"{run}: its trunk has other shapes (layer {layer.name}); set the same sizes."
                )
            weights.append(given)
        layer.set_weights(weights)
    return len(ours)


def _flat(model: Any) -> list[Any]:
    """Layers, those of networks inside a network included."""
    found = []
    for layer in model.layers:
        found += _flat(layer) if hasattr(layer, "layers") else [layer]
    return found
