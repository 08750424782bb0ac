"""One page per kind of measurement; every page fills in the same table of functions."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ..types import SasnetError

#: Name of a domain -> "module:page".
PAGES = {
    "sas1d": "sasnet_plugin.domains.sas1d:SAS1D",
    "gisas_hex": "sasnet_plugin.domains.gisas_hex:GISAS_HEX",
    "gisas_growth": "sasnet_plugin.domains.gisas_growth:GISAS_GROWTH",
}


@dataclass(frozen=True)
class Domain:
    """A kind of measurement, as the functions that its data go through, each named "module:function".

    Named rather than imported: a user who classifies a file never loads what simulates or trains. A step that
    the domain does not have yet is empty.

    Parameters
    ----------
    name : str
        Also of its model in the zoo.
    recognise : str
        (path) whether a file can only hold such measurements; empty where it cannot be told.
    read : str
        (path, q_unit=, entry=) to measurements, one after the other; also settings= where there are any.
    settings : str
        Texts ``name=value`` of ``--geometry`` to settings for reading; empty where files say it all.
    preprocess : str
        Measurements to the network's input; the same for training and prediction.
    preprocess_version : str
        "module:number"; a network trained with another one is refused.
    sample_prior : str
        Parameters of a model.
    simulate : str
        A clean measurement from a model's prior.
    plan : str
        (folder, `simulate.plans.Wish`) to the shards of a data set, `simulate.plans.Plan`.
    labels : str
        (folder of shards) to plain data: what a network that is trained on them is built for.
    stream : str
        (folder of shards, random generator) to an endless stream of training examples; its ``take()`` gives
        features and a dict of answers.
    augment : str
        (features, answers, random generator) to others that are just as true; may be empty.
    reservoir : int
        Training examples kept in memory.
    reuse : float
        How often a training example is drawn on average.
    net : str
        Configuration of the network: a frozen dataclass with ``to_dict`` and ``from_dict``.
    build_net : str
        (labels, configuration) to the network, which knows its losses.
    calibrate : str
        What is fitted on held-out data after training, and said of the network in its manifest:
        (`train.package.Trained`) to `train.package.Calibrated`.
    manifest : str
        (text, its path) to a checked manifest of the zoo.
    outputs : str
        Names of the network's outputs, a NamedTuple.
    decode : str
        From them to calibrated answers.
    judge : str
        (top=, models=, exclude=) to a function from measurements to an answer or an exception for each.
    verify : str
        (measurement, answer) to an answer that was simulated again; empty where ``sasnet fit`` does that.
    metrics : str
        Figures of merit.
    evaluate : str
        (model, folder of test shards, options) to figures and a table, `report.figures.Evaluated`.
    quantities : str
        Numbers of an answer, each with ``name`` and ``unit``, that can be followed over a series of frames.
    as_dict, show, plot : str
        An answer as plain data for ``--json``; (console, measurement, answer) as text; (file, pairs of
        measurement and answer) as a figure.
    report : str
        (measurement, answer, folder) writes a page; empty where ``sasnet fit`` does that.
    """

    name: str
    recognise: str = ""
    read: str = ""
    settings: str = ""
    preprocess: str = ""
    preprocess_version: str = ""
    sample_prior: str = ""
    simulate: str = ""
    plan: str = ""
    labels: str = ""
    stream: str = ""
    augment: str = ""
    reservoir: int = 60_000
    reuse: float = 2.5
    net: str = ""
    build_net: str = ""
    calibrate: str = ""
    manifest: str = ""
    outputs: str = ""
    decode: str = ""
    judge: str = ""
    verify: str = ""
    metrics: str = ""
    evaluate: str = ""
    quantities: str = ""
    as_dict: str = ""
    show: str = ""
    plot: str = ""
    report: str = ""


def page(name: str) -> Domain:
    """The page of a domain by its name.

    Raises
    ------
    SasnetError
        There is none of this name.
    """
    if name not in PAGES:
        raise SasnetError(f"{name}: no such kind of measurement; choose one of {', '.join(PAGES)}.")
    found = resolve(PAGES[name])
    assert isinstance(found, Domain)
    return found


def recognised(path: Path) -> str:
    """Name of the domain of a file: the first that recognises it, or curves."""
    for name, reference in PAGES.items():
        found: Domain = resolve(reference)
        if found.recognise and resolve(found.recognise)(path):
            return name
    return next(iter(PAGES))


def resolve(reference: str) -> Any:
    """Import what "module:name" names.

    Raises
    ------
    ImportError, AttributeError
        There is no such module or name.
    """
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
