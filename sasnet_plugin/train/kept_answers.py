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
from ..predict.arithmetic import find_allowed_labels, sigmoid, softmax
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

    def add_answers(
        self, batches: Iterator[tuple[Any, Mapping[str, Any]]]
    ) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Batches of one input, with its answers among the targets."""
        for inputs, targets in batches:
            yield inputs, {**targets, **self.answers(inputs, targets)}

    def answers(self, inputs: NDArray[np.float32], targets: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Probabilities by `BEFORE` and the head's name; NaN but for examples in scope of a single class."""
        right = np.asarray(targets[self._form.name], dtype=float)
        is_known = (right.sum(axis=1) == 1) & (np.asarray(targets["scope"]) == 1)
        index = right.argmax(axis=1)
        outputs = self._runtime.run({"features": inputs})
        answers = {}
        for head in self.heads:
            logits = outputs[head.name].astype(float)
            if isinstance(head, Classes) and head.given:
                allowed = find_allowed_labels(head, self._form.labels)[index]
                logits = np.where(allowed, logits[np.arange(len(index)), index], _NEVER)
            p = softmax(logits) if isinstance(head, Classes) else sigmoid(logits)
            answers[BEFORE + head.name] = np.where(is_known[:, None], p, np.nan).astype(np.float32)
        return answers


def _same(head: Head, theirs: Mapping[str, Head]) -> bool:
    their_head = theirs.get(head.name)
    return their_head is not None and getattr(their_head, "labels", ()) == getattr(head, "labels", ())
