"""One page per kind of measurement; every page fills in the same table of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Domain:
    """A kind of measurement, as the functions that its data go through, each named "module:function".

    Named rather than imported: a user who classifies a file never loads what simulates or trains. A step that
    the domain does not have yet is empty.

    Parameters
    ----------
    name : str
    read : str
        File to measurements.
    preprocess : str
        Measurements to the network's input; the same for training and prediction.
    sample_prior : str
        Parameters of a model.
    simulate : str
        A clean measurement from a model's prior.
    build_net : str
        The network.
    decode : str
        From its outputs to calibrated answers.
    metrics : str
        Figures of merit.
    """

    name: str
    read: str = ""
    preprocess: str = ""
    sample_prior: str = ""
    simulate: str = ""
    build_net: str = ""
    decode: str = ""
    metrics: str = ""


def resolve(reference: str) -> Callable[..., Any]:
    """Import the function that "module:function" names.

    Raises
    ------
    ImportError, AttributeError
        There is no such module or function.
    """
    module, _, function = reference.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
