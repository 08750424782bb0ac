"""Run the exported network: ONNX Runtime on the CPU, in batches."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sasnet_plugin.types import ModelZooError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

BATCH = 128  # measurements at once: enough to fill the cores, little enough to stay in their caches


class Outputs(NamedTuple):
    """What the network of curves says of n curves, before calibration.

    Parameters
    ----------
    form : (n, F) float32 array
        Logits of the form models.
    structure_factor : (n, F, S) float32 array
        Logits of the structure factors given each form model; the first is none. Not masked.
    scope : (n, 1) float32 array
        Logit that a known model fits.
    size : (n, 2) float32 array
        log10 of the radius of gyration in Å, and the natural logarithm of its standard deviation
        (of the log10).
    """

    form: FloatArray
    structure_factor: FloatArray
    scope: FloatArray
    size: FloatArray


class Runtime:
    """An ONNX Runtime session for one exported network.

    Parameters
    ----------
    onnx : bytes
        The serialised graph.
    outputs : type
        A NamedTuple whose fields are the names of the network's outputs.
    threads : int or None
        Threads within an operator; None uses the cores that this process may run on.
    where : str
        The file's name, for error messages.

    Raises
    ------
    ModelZooError
        The bytes are no graph that ONNX Runtime can run, or its inputs and outputs have other names.
    """

    def __init__(
        self,
        onnx: bytes,
        *,
        outputs: type[Any] = Outputs,
        threads: int | None = None,
        where: str = "model.onnx",
    ) -> None:
        import onnxruntime

        self._outputs = outputs

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Idle threads that spin would take the cores away from reading and preprocessing.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exception classes share no public base
            reason = str(error).splitlines()[0]
            raise ModelZooError(
                f"{where}: ONNX Runtime {onnxruntime.__version__} cannot open this network ({reason});"
                " update onnxruntime or reinstall sasnet-plugin."
            ) from error
        inputs = [node.name for node in self._session.get_inputs()]
        found = {node.name for node in self._session.get_outputs()}
        if inputs != ["features"] or not found.issuperset(outputs._fields):
            raise ModelZooError(
                f"{where}: the network's inputs {inputs} and outputs {sorted(found)} are not the"
                f" ones expected (features; {', '.join(outputs._fields)}); export it again with this sasnet."
            )

    def run(self, features: FloatArray) -> Any:
        """Run the network on n measurements.

        Parameters
        ----------
        features : (n, ...) float32 array
            From the preprocessing of the domain; n at least 1.

        Returns
        -------
        NamedTuple
            Of the class given, arrays of n rows.
        """
        batches = [
            self._session.run(self._outputs._fields, {"features": features[start : start + BATCH]})
            for start in range(0, len(features), BATCH)
        ]
        return self._outputs(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))


def available_cores() -> int:
    """Cores that this process may use (less than the machine's in a container or a batch job)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
