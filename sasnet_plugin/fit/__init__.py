"""From suggested models to fitted, ranked and verified ones.

``sasnet_plugin.fit(curve)`` is `sasnet_plugin.fit.fitting.fit`: the package can be called, so that the name
of what it does and the name of where it lives do not collide.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sasnet_plugin.fit.result import FitResult
    from sasnet_plugin.types import Curve


class _Fit(ModuleType):
    """A package that is also a function."""

    def __call__(self, curve: Curve, **options: Any) -> FitResult:
        """See `sasnet_plugin.fit.fitting.fit`."""
        from sasnet_plugin.fit.fitting import fit

        return fit(curve, **options)


sys.modules[__name__].__class__ = _Fit
