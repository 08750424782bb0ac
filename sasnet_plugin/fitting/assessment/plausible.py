"""Values that no sample has, in words."""

from __future__ import annotations

from ...digits import quantity
from ..result.components import bare
from ..result.model_fit import Parameter
from ..settings import ASSESSMENT


def impossible(name: str, p: Parameter) -> str:
    """Why no sample has such a value, as a sentence; empty where one may.

    Parameters
    ----------
    name : str
        With the component's letter in a sum.
    """
    value, own = quantity(p.value, p.unit), bare(name)
    if own.startswith("volfraction") and p.value > ASSESSMENT.closest_packing:
        return f"{name}, {value}, is more than spheres can fill (0.74)."
    if "fraction" in own and not 0 <= p.value <= 1:
        return f"{name}, {value}, is no fraction, which lies between 0 and 1."
    if own.endswith("_scale") and p.value < 0:
        return f"{name}, {value}, is negative: no part of a sample takes scattering away."
    if own == "scale" and p.value <= 0:
        return f"scale, {value}, is not positive: the model explains nothing of these data."
    length = own.startswith(("thick", "radius", "length")) and p.unit == "Ang"
    if length and abs(p.value) < ASSESSMENT.thinnest:
        return f"{name}, {value}, is less than an atom."
    return ""
