"""What materials are to neutrons and X-rays: scattering length densities by formula, name or mixture."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from .types import SasnetError
from .wording import Phrase, option

PROBES = ("neutron", "xray")
#: ``0.4*D2O`` or ``40%D2O``: a part of a mixture, by volume.
_PART = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([*%])\s*(.+)")
_EXAMPLE = "such as SiO2@2.2"
#: Molecules per Å³ of 1 g/cm³ and 1 g/mol (the Avogadro constant of 2019).
_AVOGADRO = 0.602214076
#: Characters of a material. A sequence of a protein has none here, and formulas of polymers take some 50.
_LONGEST = 500


def scattering_length_density(text: str, probe: str = "neutron", wavelength: float | None = None) -> float:
    """Real part of the scattering length density of a material, 1e-6/Å².

    From the tables of periodictable (P. A. Kienzle, NIST): bound coherent scattering lengths for neutrons,
    scattering factors of atoms by Henke, Gullikson & Davis, At. Data Nucl. Data Tables 54 (1993) 181, for
    X-rays.

    Parameters
    ----------
    text : str
        ``formula@density`` (``SiO2@2.2``, ``C7D8@0.94``; g/cm³), an element (``Au``), a solvent
        of `SOLVENTS` by name (``D2O``, ``d-toluene``), or a mixture by volume: ``0.4*D2O+0.6*H2O``,
        ``40%D2O`` (the rest is H2O).
    wavelength : float or None
        Å; needed for X-rays. For neutrons it matters for a few strong absorbers only.

    Raises
    ------
    SasnetError
        Unknown formula, no or impossible density, fractions that are not a whole, no wavelength for X-rays.
    """
    _check(probe, wavelength)
    if not text.strip():
        raise SasnetError(f"The name of a material is empty; write formula@density, {_EXAMPLE}.")
    if len(text) > _LONGEST:
        raise SasnetError(
            f"{text[:40]}…: a material has at most {_LONGEST} characters; write formula@density, {_EXAMPLE}."
        )
    return sum(fraction * _sld(part, probe, wavelength) for fraction, part in _parts(text))


def incoherent_scattering(text: str) -> float:
    """Incoherent scattering of neutrons by a material, per volume and solid angle, 1/cm.

    The sum of its atoms' cross-sections (V. F. Sears, Neutron News 3 (1992) 26) over 4π, without multiple
    scattering.

    Parameters
    ----------
    text : str
        As of `scattering_length_density`.

    Raises
    ------
    SasnetError
        As of `scattering_length_density`.
    """
    total = sum(fraction * _incoherent(compound(part)) for fraction, part in _parts(text))
    return total / (4 * math.pi)


def _incoherent(material: Any) -> float:
    """The incoherent cross-section of the atoms of a compound, per volume, 1/cm."""
    # Not periodictable's of the compound: that counts as incoherent what its elements differ by.
    barn = sum(count * float(atom.neutron.incoherent) for atom, count in material.atoms.items())
    return barn * float(material.density) / float(material.mass) * _AVOGADRO


def densities(wavelength: float | None) -> Callable[[str, str], float]:
    """Scattering length densities, 1e-6/Å², by material and probe, with X-rays of this wavelength, Å."""
    return lambda text, probe: scattering_length_density(text, probe, wavelength if probe == "xray" else None)


_FIXED_SLD = Phrase("--fixed sld=4.0", 'fixed={"sld": 4.0}', "sld 4.0, fixed")


def _check(probe: str, wavelength: float | None) -> None:
    if probe not in PROBES:
        raise SasnetError(f"{probe}: no such probe; choose {' or '.join(PROBES)}.")
    if probe == "xray" and wavelength is None:
        raise SasnetError(
            "Scattering length densities for X-rays depend on the wavelength; give it in Å, such as"
            f" {option('wavelength', 1.54, page='1.54')}."
        )
    if wavelength is not None and not 0 < wavelength < math.inf:
        raise SasnetError(f"A wavelength of {wavelength:g} Å is impossible; give a positive number in Å.")


def _parts(text: str) -> list[tuple[float, str]]:
    """Volume fractions and materials of a mixture; one material where it is none."""
    pieces = text.split("+")
    matches = [_PART.fullmatch(piece) for piece in pieces]
    if not any(matches):
        return [(1.0, text.strip())]
    parts = []
    for match in matches:
        if match is None:
            raise SasnetError(
                f"{text}: a part of the mixture has no fraction; write volume fractions, such as"
                f" 0.4*D2O+0.6*H2O."
            )
        number, sign, name = match.groups()
        parts.append((float(number) * (0.01 if sign == "%" else 1.0), name.strip()))
    total = sum(fraction for fraction, _ in parts)
    if len(parts) == 1 and parts[0][1].lower() == "d2o" and total <= 1:
        return [*parts, (1 - total, "H2O")]
    if abs(total - 1) > 0.005:  # fractions of two digits
        raise SasnetError(
            f"{text}: the volume fractions sum to {total:g}; let them sum to 1, such as 0.4*D2O+0.6*H2O."
        )
    return parts


def _sld(text: str, probe: str, wavelength: float | None) -> float:
    import periodictable

    material = compound(text)
    try:
        if probe == "neutron":
            value = periodictable.neutron_sld(material, wavelength=wavelength or 1.798)[0]
        else:
            value = periodictable.xray_sld(material, wavelength=wavelength)[0]
    except Exception:  # elements that have no table fail in several ways
        value = None
    if value is None or not math.isfinite(float(value)):
        beam = "neutrons" if probe == "neutron" else f"X-rays of {wavelength:g} Å"
        raise SasnetError(
            f"{text}: periodictable has no scattering lengths of {beam}; give the scattering length"
            f" density itself, such as {_FIXED_SLD}."
        )
    return float(value)


def compound(text: str) -> Any:
    """periodictable's formula with its density; raises SasnetError if one of them is missing."""
    name, separator, density = text.partition("@")
    if not separator and (solvent_entry := solvent(text)):
        name, separator, density = solvent_entry[0], "@", solvent_entry[1]
    formula = _formula(text, name.strip())
    if _ZERO.fullmatch(name.strip()):
        raise SasnetError(
            f"{text}: is written with the digit 0; write {name.strip()[0]}2O with the letter O."
        )
    if not separator:
        # periodictable knows the densities of the elements as solids or liquids.
        if formula.density is None:
            raise SasnetError(f"{text}: its density is not known; add it in g/cm³, such as {text}@2.2.")
    elif density.strip().endswith("n"):
        formula.natural_density = _density(text, density)
    else:
        formula.density = _density(text, density)
    return formula


def _formula(text: str, name: str) -> Any:
    import periodictable

    try:
        compound = periodictable.formula(name)
        empty = not compound.atoms
    except Exception:  # pyparsing's errors, ValueError, KeyError…
        compound, empty = None, True
    if empty:
        place = "" if text == name else f"{text}: "
        raise SasnetError(
            f"{place}{name or 'nothing'} is neither a chemical formula nor a known solvent"
            f" ({', '.join(SOLVENTS)}); write formula@density, {_EXAMPLE}."
        )
    return compound


def _density(text: str, density: str) -> float:
    try:
        value = float(density.strip().removesuffix("n"))
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise SasnetError(
            f"{text}: {density.strip() or 'nothing'} is not a density; write a positive number in g/cm³"
            f" after the @, {_EXAMPLE}."
        )
    return value


#: Name -> formula and density, g/cm³, of the liquid at 25 °C and 1 bar. H2O and D2O: G. S. Kell, J. Phys.
#: Chem. Ref. Data 6 (1977) 1109. Others: Perry's Chemical Engineers' Handbook, 8th ed. (2008), table 2-32, or
#: VDI Heat Atlas, 2nd ed. (2010), part D3; they agree to half a per cent where both have a liquid.
SOLVENTS: Mapping[str, tuple[str, float]] = MappingProxyType({
    "h2o": ("H2O", 0.9970), "d2o": ("D2O", 1.1044), "methanol": ("CH4O", 0.787),
    "ethanol": ("C2H6O", 0.785), "isopropanol": ("C3H8O", 0.781), "acetone": ("C3H6O", 0.785),
    "thf": ("C4H8O", 0.882), "toluene": ("C7H8", 0.862), "benzene": ("C6H6", 0.873),
    "cyclohexane": ("C6H12", 0.774), "hexane": ("C6H14", 0.655), "heptane": ("C7H16", 0.680),
    "decane": ("C10H22", 0.727), "dodecane": ("C12H26", 0.745), "hexadecane": ("C16H34", 0.770),
    "chloroform": ("CHCl3", 1.480), "dmso": ("C2H6OS", 1.096), "dmf": ("C3H7NO", 0.944),
    "glycol": ("C2H6O2", 1.110), "glycerol": ("C3H8O3", 1.258),
})  # fmt: skip
_OTHER_NAMES: Mapping[str, str] = MappingProxyType({
    "water": "h2o", "heavy water": "d2o", "tetrahydrofuran": "thf", "2-propanol": "isopropanol",
    "ethylene glycol": "glycol",
})  # fmt: skip
#: Water with a digit in place of its oxygen, which periodictable reads as twenty atoms of hydrogen.
_ZERO = re.compile(r"[DHdh]20")
#: ``d-toluene`` and ``d8-toluene``: every hydrogen is deuterium.
_DEUTERATED = re.compile(r"d(\d*)-(.+)")


def solvent(name: str) -> tuple[str, str] | None:
    """Return formula and density, g/cm³, of a solvent: ``D2O``, ``toluene`` or ``d8-toluene``; else None.

    The density is as periodictable reads it: with an ``n`` where it is that of the natural isotopes.
    """
    # The molar volume of a deuterated solvent is taken to be that of the common one; for water, whose volumes
    # differ most, by 0.4 %, both densities are in the table.
    plain = " ".join(name.lower().split())
    plain = _OTHER_NAMES.get(plain, plain)
    if plain in SOLVENTS:
        formula, density = SOLVENTS[plain]
        return formula, f"{density:g}"
    return _find_deuterated(plain)


def _find_deuterated(plain: str) -> tuple[str, str] | None:
    """Look up a name such as d8-toluene, lower case, as `solvent`."""
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
