"""What sasnet's own network answers to the test curves of the realistic protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.simulate.labelled import Examples
from sasnet_plugin.train.metrics import marginal_factor
from sasnet_plugin.types import SasnetError
from sasnet_plugin.zoo import ZooModel, open_model

from .contest import Answer


def from_zoo(test: Examples, forms: Sequence[str], model: ZooModel | None = None) -> Answer:
    """Calibrated answers of an exported network, run as ``sasnet classify`` runs it.

    Parameters
    ----------
    test : Examples
    forms : sequence of str
        Form models of the test set, in its order.
    model : ZooModel, optional
        None: the one in the model zoo.

    Raises
    ------
    SasnetError
        The network does not know the same form models.
    """
    from sasnet_plugin.predict.predictor import Predictor
    from sasnet_plugin.report.evaluation import decoded

    model = model or open_model("sas1d")
    manifest = model.manifest
    if sorted(manifest.labels) != sorted(forms):
        raise SasnetError(
            f"{manifest.name}: was trained on other form models than the test set holds; train it anew."
        )
    outputs = Predictor.of(model).outputs({"features": np.ascontiguousarray(test.features)})
    found = decoded(outputs, manifest)
    order = [manifest.labels.index(name) for name in forms]
    probability = found.form[:, order]
    factor = marginal_factor(probability, found.structure_factor[:, order])
    return Answer(
        probability,
        float("nan"),
        count_parameters(model.onnx),
        "model_zoo",
        extra={"factor": factor},
    )


def from_run(run: Path, test: Examples, forms: Sequence[str]) -> Answer:
    """Uncalibrated answers of a finished training run.

    Raises
    ------
    SasnetError
        The run has not finished, or does not know the same form models.
    """
    from sasnet_plugin.kinds.sas1d import SAS1D
    from sasnet_plugin.predict.arithmetic import softmax
    from sasnet_plugin.train.network import load

    network, settings = load(run, SAS1D)
    said = settings["labels"]
    if sorted(said["form"]["labels"]) != sorted(forms):
        raise SasnetError(f"{run}: was trained on other form models than the test set holds; train it anew.")
    names = list(said["form"]["labels"])
    order = [names.index(name) for name in forms]
    factors = said["structure_factor"]
    allowed = np.array(
        [[not one or one in factors["allowed"][name] for one in factors["labels"]] for name in names]
    )
    form_parts, factor_parts = [], []
    for start in range(0, len(test), 512):
        outputs = network(test.features[start : start + 512], training=False)
        form = softmax(_numpy(outputs["form"]))
        given = softmax(_numpy(outputs["structure_factor"]), allowed)
        form_parts.append(form[:, order])
        factor_parts.append(marginal_factor(form, given))
    parameters = int(sum(np.prod(v.shape) for v in network.trainable_variables))
    factor = np.concatenate(factor_parts)
    return Answer(np.concatenate(form_parts), float("nan"), parameters, run.name, extra={"factor": factor})


def rounds(metrics: Mapping[str, Any]) -> list[int]:
    """Batches of each round of a released network's training, the last first, as its manifest says."""
    steps, one = [], metrics
    while one:
        steps.append(int(one["training"]["steps"]))
        one = one.get("start") or {}
    return steps


def count_parameters(graph: bytes) -> int:
    """Numbers in the initialisers of an ONNX graph."""
    import onnx

    return int(sum(np.prod(tuple(t.dims)) for t in onnx.load_from_string(graph).graph.initializer))


def _numpy(tensor: Any) -> NDArray[Any]:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor))
