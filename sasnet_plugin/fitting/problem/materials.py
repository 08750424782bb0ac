"""Common solvents by name: what they are made of, and their density."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

#: Name -> formula and density, g/cm³, of the liquid at 25 °C and 1 bar. H2O and D2O: G. S. Kell, J. Phys.
#: Chem. Ref. Data 6 (1977) 1109. Others: Perry's Chemical Engineers' Handbook, 8th ed. (2008), table 2-32, or
#: VDI Heat Atlas, 2nd ed. (2010), part D3; they agree to half a per cent where both have a liquid.
SOLVENTS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "h2o": ("H2O", 0.9970),
        "d2o": ("D2O", 1.1044),
        "methanol": ("CH4O", 0.787),
        "ethanol": ("C2H6O", 0.785),
        "isopropanol": ("C3H8O", 0.781),
        "acetone": ("C3H6O", 0.785),
        "thf": ("C4H8O", 0.882),
        "toluene": ("C7H8", 0.862),
        "benzene": ("C6H6", 0.873),
        "cyclohexane": ("C6H12", 0.774),
        "hexane": ("C6H14", 0.655),
        "heptane": ("C7H16", 0.680),
        "decane": ("C10H22", 0.727),
        "dodecane": ("C12H26", 0.745),
        "hexadecane": ("C16H34", 0.770),
        "chloroform": ("CHCl3", 1.480),
        "dmso": ("C2H6OS", 1.096),
        "dmf": ("C3H7NO", 0.944),
        "glycol": ("C2H6O2", 1.110),
        "glycerol": ("C3H8O3", 1.258),
    }
)
_OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "water": "h2o",
        "heavy water": "d2o",
        "tetrahydrofuran": "thf",
        "2-propanol": "isopropanol",
        "ethylene glycol": "glycol",
    }
)
#: ``d-toluene`` and ``d8-toluene``: every hydrogen is deuterium.
_DEUTERATED = re.compile(r"d(\d*)-(.+)")


def solvent(name: str) -> tuple[str, str] | None:
    """Formula and density of a solvent.

    The molar volume of a deuterated solvent is taken to be that of the common one; for water, whose volumes
    differ most, by 0.4 %, both densities are in the table.

    Parameters
    ----------
    name : str
        ``D2O``, ``toluene``, ``d-toluene``, ``d8-toluene``; in small letters or capitals.

    Returns
    -------
    (str, str) or None
        Formula, and density in g/cm³ as periodictable reads it: with an ``n`` where it is that of the natural
        isotopes. None where the name is not in the table.
    """
    plain = " ".join(name.lower().split())
    plain = _OTHER_NAMES.get(plain, plain)
    if plain in SOLVENTS:
        formula, density = SOLVENTS[plain]
        return formula, f"{density:g}"
    deuterated = _DEUTERATED.fullmatch(plain)
    if deuterated is None:
        return None
    count, base = deuterated.groups()
    base = _OTHER_NAMES.get(base, base)
    if base not in SOLVENTS or base == "d2o":
        return None
    if base == "h2o":
        return solvent("d2o") if count in ("", "2") else None
    formula, density = SOLVENTS[base]
    hydrogens = re.search(r"H(\d*)", formula)
    if hydrogens is None or count not in ("", hydrogens[1] or "1"):
        return None
    return formula.replace("H", "D"), f"{density:g}n"
