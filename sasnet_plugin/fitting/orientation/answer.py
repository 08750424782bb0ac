"""The inversion as `sasnet classify --verify` asks for it: nothing is fitted to patterns of another kind."""

from __future__ import annotations

from dataclasses import replace

from ...predict.orientation import OUT_OF_SCOPE
from ...types import Image, OrientationGuess, OrientationResult
from .invert import invert

NOT_FITTED = "Nothing was fitted: physics of ordered spheres would find an orientation in any pattern."


def verified(image: Image, guess: OrientationGuess) -> OrientationGuess | OrientationResult:
    """The guess refined by physics, simulated again and compared; or, out of scope, the guess as it is."""
    if OUT_OF_SCOPE in guess.notes:
        return replace(guess, notes=(*guess.notes, NOT_FITTED))
    return invert(image, guess)
