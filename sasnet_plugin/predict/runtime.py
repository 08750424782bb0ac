"""Run the exported network: ONNX Runtime on the CPU, in batches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sasnet_plugin.types import ModelZooError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sasnet_plugin.domains.heads import Inputs

BATCH = 128  # measurements at once: enough to fill the cores, little enough to stay in their caches


class Runtime:
    """An ONNX Runtime session for one exported network.

    Parameters
    ----------
    onnx : bytes
        The serialised graph.
    outputs : sequence of str
        Names of the network's outputs.
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
        outputs: Sequence[str],
        threads: int | None = None,
        where: str = "model.onnx",
    ) -> None:
        import onnxruntime

        self._outputs = tuple(outputs)

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
        self._inputs = tuple(node.name for node in self._session.get_inputs())
        found = {node.name for node in self._session.get_outputs()}
        if not found.issuperset(self._outputs):
            raise ModelZooError(
                f"{where}: the network's outputs {sorted(found)} are not the ones expected"
                f" ({', '.join(self._outputs)}); export it again with this sasnet."
            )
        self._where = where

    def run(self, inputs: Inputs) -> dict[str, NDArray[np.float32]]:
        """Run the network on n measurements.

        Parameters
        ----------
        inputs : mapping of str to (n, ...) float32 array
            From the features of the domain; n at least 1. Those that the network does not read are left out.

        Returns
        -------
        dict of str to (n, ...) array
            The outputs by name.

        Raises
        ------
        ModelZooError
            An input that the network reads is not there.
        """
        if missing := set(self._inputs) - set(inputs):
            raise ModelZooError(
                f"{self._where}: the network reads {', '.join(sorted(missing))}, which are not among the"
                " features; export it again with this sasnet."
            )
        n = len(inputs[self._inputs[0]])
        batches = [
            self._session.run(
                self._outputs, {name: inputs[name][start : start + BATCH] for name in self._inputs}
            )
            for start in range(0, n, BATCH)
        ]
        joined = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        return dict(zip(self._outputs, joined, strict=True))


def available_cores() -> int:
    """Cores that this process may use (less than the machine's in a container or a batch job)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
