"""Curves of any contrast from those of a few: a dilute curve is a quadratic form of the contrasts.

So it is whatever the shape (H. B. Stuhrmann, J. Appl. Cryst. 7 (1974) 173), and with a structure factor that
does not know of the contrasts. The curves of a few unit contrasts, once computed, are those of each density
and of each solvent, for all curves of a sample that are measured alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from ...arrays import Floats
from ...data.sample.sample import ALWAYS_OWN
from .model_curves import ModelCurves

#: Largest difference of a curve from its quadratic form, over its largest value.
_EXACT = 1e-6
#: Shapes whose forms are kept: those that a few steps downhill and their slopes go back to.
_KEPT = 64
_MOST_MATERIALS = 3


class ContrastForms:
    """I(q) of one model for each curve of a sample, computed as seldom as possible."""

    def __init__(self, curves: Sequence[ModelCurves]) -> None:
        self.curves = list(curves)
        slds = [p.name for p in curves[0].info.parameters.call_parameters if p.type == "sld"]
        solvents = [name for name in slds if "solvent" in name]
        self.matter = [name for name in slds if name not in solvents]
        self.solvent = solvents[0] if len(solvents) == 1 else ""
        #: Of each curve the first that is measured alike.
        self.like = [
            next(i for i, candidate in enumerate(curves) if _alike(candidate, curve)) for curve in curves
        ]
        self._forms: dict[Any, Floats] = {}
        self._exact: bool | None = None if self.solvent and 0 < len(self.matter) <= _MOST_MATERIALS else False

    def intensity(self, i: int, values: Mapping[str, Any]) -> Floats:
        """(n,) of a curve at scale 1 without background."""
        if not self._pays(i) or not self._is_form(i, values):
            return np.asarray(self.curves[i].intensity(dict(values))[0])
        contrast = np.array([[values[name] - values[self.solvent] for name in self.matter]])
        return np.asarray(products(contrast)[0] @ self.form(i, values))

    def _pays(self, i: int) -> bool:
        """A form takes no more curves than there are."""
        count = len(self.matter) * (len(self.matter) + 1) // 2
        return self._exact is not False and count <= self.like.count(self.like[i])

    def form(self, i: int, values: Mapping[str, Any]) -> Floats:
        """Coefficients (k, n) of `products` for a shape."""
        besides = (*self.matter, self.solvent, *ALWAYS_OWN)
        shape = {name: v for name, v in values.items() if name not in besides}
        key = self.like[i], tuple(sorted((n, v) for n, v in shape.items() if not isinstance(v, str)))
        if key not in self._forms:
            while len(self._forms) >= _KEPT * len(set(self.like)):
                del self._forms[next(iter(self._forms))]
            self._forms[key] = self._compute_products(self.like[i], shape)
        return self._forms[key]

    def _compute_products(self, i: int, shape: Mapping[str, Any]) -> Floats:
        single = {name: self._unit(i, shape, {name: 1.0}) for name in self.matter}
        return np.stack(
            [
                single[a] if a == b else self._unit(i, shape, {a: 1.0, b: 1.0}) - single[a] - single[b]
                for a, b in combinations_with_replacement(self.matter, 2)
            ]
        )

    def _unit(self, i: int, shape: Mapping[str, Any], contrast: Mapping[str, float]) -> Floats:
        values = dict(shape) | {name: contrast.get(name, 0.0) for name in self.matter} | {self.solvent: 0.0}
        return np.asarray(self.curves[i].intensity(values)[0])

    def _is_form(self, i: int, values: Mapping[str, Any]) -> bool:
        if self._exact is None:
            self._exact = self.exact(i, values)
        return self._exact

    def exact(self, i: int, values: Mapping[str, Any]) -> bool:
        """Whether the model's curve is such a form at this shape."""
        if self._exact is False:
            return False
        test = {name: 1.3 - 2.1 * k for k, name in enumerate(self.matter)}
        form = self.form(i, values)
        expected = products(np.array([list(test.values())]))[0] @ form
        exact = self._unit(i, values, test)
        off = np.max(np.abs(expected - exact), initial=0.0)
        return bool(np.all(np.isfinite(form)) and off <= _EXACT * np.max(np.abs(exact)))


def products(contrast: Floats) -> Floats:
    """(draws, k) of contrasts (draws, materials)."""
    count = contrast.shape[1]
    return np.stack(
        [contrast[:, a] * contrast[:, b] for a, b in combinations_with_replacement(range(count), 2)], axis=1
    )


def _alike(first: ModelCurves, second: ModelCurves) -> bool:
    """Whether two curves are measured at the same q with the same resolution."""
    columns = ("q", "dq", "dxl", "dxw")
    pairs = [(getattr(first.curve, name), getattr(second.curve, name)) for name in columns]
    return first.per_decade == second.per_decade and all(a is b or np.array_equal(a, b) for a, b in pairs)
