"""Networks of the zoo, opened once per process."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sasnet_plugin.predict.outcomes import UnknownModelError
from sasnet_plugin.predict.runtime import Runtime
from sasnet_plugin.zoo import open_model, zoo_folder

R = TypeVar("R")


def opened(name: str, reader: Callable[[Any, Runtime], R], outputs: Any) -> R:
    """Open a model of the zoo, once per process.

    Parameters
    ----------
    name : str
    reader : callable
        From its manifest and its network to what judges measurements.
    outputs : type
        Names of the network's outputs.

    Raises
    ------
    ModelZooError
        It is missing, damaged or made for another version.
    """
    found: R = _opened(zoo_folder(), name, reader, outputs)
    return found


@lru_cache(maxsize=8)
def _opened(folder: Path, name: str, reader: Any, outputs: Any) -> Any:
    model = open_model(name, folder=folder)
    return reader(
        model.manifest, Runtime(model.onnx, outputs=outputs, where=str(model.folder / "model.onnx"))
    )


def no_choice(of: str, models: list[str] | None, exclude: list[str] | None) -> None:
    """See that no models are chosen where there is one for everything.

    Raises
    ------
    UnknownModelError
        Models are named.
    """
    if models or exclude:
        raise UnknownModelError(f"{of} have one model; leave --models and --exclude out.")
