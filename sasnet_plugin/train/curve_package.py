"""What is particular of a model for curves: groups of its classes, and the bank where fits start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..domains.heads import Classes, Group
from ..simulate.bank import build_bank
from ..simulate.stream import HeldOut
from .groups import cut, link, mutual_confusion
from .package import Finished, Trained


def finish(trained: Trained, held: HeldOut, calibration: dict[str, dict[str, Any]]) -> Finished:
    """Group the form models by what the network confuses; write ``seeds.npz``, where fits start."""
    from scipy.special import softmax

    head = trained.heads[0]
    assert isinstance(head, Classes)
    truth = held.targets[head.name]
    known = truth >= 0
    inputs = {name: values[known] for name, values in held.inputs.items()}
    logits = trained.answers(inputs)[head.name].astype(np.float64)
    probability = softmax(logits / calibration[head.name]["temperature"], axis=1)
    confusion = mutual_confusion(probability, truth[known])
    linkage = link(confusion)
    groups = tuple(Group(name, members) for name, members in cut(linkage, head.labels, confusion))
    bank = trained.target / "seeds.npz"
    build_bank(trained.data, bank)
    return Finished(
        heads=(replace(head, groups=groups), *trained.heads[1:]),
        metrics={"linkage": [[round(float(x), 5) for x in row] for row in linkage]},
        files=(bank,),
        summary=f"{len(head.labels)} models in {len(groups)} groups",
    )
