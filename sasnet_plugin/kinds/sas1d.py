"""Curves: what they are read, answered and simulated by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..domains import Domain, HeldOut, Network, ReadOptions, Seen, Simulator
from ..domains.heads import Inputs
from ..domains.sas1d import HEADS
from ..types import Curve

if TYPE_CHECKING:
    from ..predict.findings import Answer
    from ..report.evaluated import Evaluated
    from ..train.package import Finished, Trained
    from ..zoo import ZooModel


def check(curve: Curve, inputs: Mapping[str, Any]) -> Seen:
    """What the network sees of it."""
    from ..predict.checks import check_curve

    return check_curve(curve, inputs)


def complete(curve: Curve, answer: Answer) -> Answer:
    """What the measurement itself says besides."""
    from ..predict.described import complete as _complete

    return _complete(curve, answer)


def class_prior(labels: Sequence[str]) -> NDArray[np.float64]:
    """How common each model is in practice."""
    from ..predict.class_prior import common

    return common(labels)


def given_prior(labels: Sequence[str], factors: Sequence[str]) -> NDArray[np.float64]:
    """How common each structure factor is with each model."""
    from ..predict.class_prior import interacting

    return interacting(labels, factors)


def trunk(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """From what the network reads to what its heads read, in Keras."""
    from ..train.trunks import residual

    return residual(inputs, sizes)


def simulator() -> Simulator:
    """Of curves."""
    from ..simulate.curve_simulator import SIMULATOR

    return SIMULATOR


def features(curves: Sequence[Curve]) -> Inputs:
    """What the network reads."""
    from ..data.preprocess import inputs

    return inputs(curves)


def read(path: str, options: ReadOptions) -> Iterable[Curve]:
    """Measurements of a file, one after the other."""
    from ..data.load import read as _read

    return _read(path, options)


def evaluate(model: ZooModel, test: Path, **how: Any) -> Evaluated:
    """By protocols of its own, `report.evaluation.curves`."""
    from ..report.evaluation import curves

    return curves(model, test, **how)


def larger(inputs: Inputs) -> Inputs:
    """Of a sample a few per cent larger."""
    from ..data.preprocess import larger as _larger

    return _larger(inputs)


def smaller(inputs: Inputs) -> Inputs:
    """Of a sample a few per cent smaller."""
    from ..data.preprocess import smaller as _smaller

    return _smaller(inputs)


def finish(trained: Trained, held: HeldOut, calibration: dict[str, dict[str, Any]]) -> Finished:
    """Groups, and the bank where fits start."""
    from ..train.groups import finish as _finish

    return _finish(trained, held, calibration)


SAS1D = Domain(
    name="sas1d",
    title="curves",
    purpose="Suggests sasmodels form models and structure factors for a 1D small-angle-scattering curve.",
    limits="mixtures, powders, oriented samples, reflectivity",
    heads=HEADS,
    keys=(
        *("file", "entry", "q_unit", "models", "groups", "sample", "interaction", "in_scope"),
        *("rg", "rg_network", "model_free", "notes"),
    ),
    check=check,
    complete=complete,
    class_prior=class_prior,
    given_prior=given_prior,
    network=Network(
        trunk=trunk,
        sizes={
            "stem": 32,
            "stages": ((64, 1), (128, 2), (256, 1)),
            "dense": 512,
            "dense_blocks": 2,
            "dropout": 0.0,
        },
        # A second look at an example teaches the network that example, no other: with two of each the loss of
        # new ones fell by 0.01 in 1,500 batches, with one by 0.08 in 1,000.
        reservoir=16_384,
        reuse=1.0,
    ),
    simulator=simulator,
    finish=finish,
    features=features,
    # Fewer curves are wrong by where their fringes fall on the grid.
    variants=(larger, smaller),
    read=read,
    evaluate=evaluate,
)
