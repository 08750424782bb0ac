"""What an earlier network answers of known examples is learned beside the truth, so that none is forgotten.

Learning without forgetting (Z. Li & D. Hoiem, IEEE Trans. Pattern Anal. 40 (2018) 2935). A network that is
shown new kinds of examples with few simulated curves of the old ones learns these few by heart; what the
earlier network makes of them says how sure of each one may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains.heads import Classes, Head, Scope, Tags
from ..predict.arithmetic import allowed_labels, sigmoid, softmax
from ..predict.predictor import Runtime
from ..zoo import ZooModel
from .heads import BEFORE

_NEVER = -1e9


class Earlier:
    """An earlier network and the answers kept of it; classes have the same labels in both."""

    def __init__(self, model: ZooModel, heads: Sequence[Head]) -> None:
        theirs = {head.name: head for head in model.manifest.heads}
        self.heads = [h for h in heads if isinstance(h, Classes | Scope | Tags) and _same(h, theirs)]
        self._form = next(h for h in heads if isinstance(h, Classes) and not h.given)
        names = [head.name for head in self.heads]
        # One thread: the new network's steps have the others.
        self._runtime = Runtime(model.onnx, outputs=names, threads=1, where=str(model.folder))

    def beside(
        self, batches: Iterator[tuple[Any, Mapping[str, Any]]]
    ) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Batches of one input, with its answers among the targets."""
        for inputs, targets in batches:
            yield inputs, {**targets, **self.answers(inputs, targets)}

    def answers(self, inputs: NDArray[np.float32], targets: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Probabilities by `BEFORE` and the head's name; NaN but for examples in scope of a single class."""
        right = np.asarray(targets[self._form.name], dtype=float)
        known = (right.sum(axis=1) == 1) & (np.asarray(targets["scope"]) == 1)
        of = right.argmax(axis=1)
        said = self._runtime.run({"features": inputs})
        found = {}
        for head in self.heads:
            logits = said[head.name].astype(float)
            if isinstance(head, Classes) and head.given:
                allowed = allowed_labels(head, self._form.labels)[of]
                logits = np.where(allowed, logits[np.arange(len(of)), of], _NEVER)
            p = softmax(logits) if isinstance(head, Classes) else sigmoid(logits)
            found[BEFORE + head.name] = np.where(known[:, None], p, np.nan).astype(np.float32)
        return found


def _same(head: Head, theirs: Mapping[str, Head]) -> bool:
    other = theirs.get(head.name)
    return other is not None and getattr(other, "labels", ()) == getattr(head, "labels", ())
