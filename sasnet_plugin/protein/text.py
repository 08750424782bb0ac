"""The result of a protein as lines of text."""

from __future__ import annotations

from pathlib import Path

from ..digits import align_columns, format_with_error, significant
from . import sentences
from .results import Compactness, MolecularWeight, Oligomer, ProteinResult, Quality, StructureFit, Value

#: Probability of a number of monomers from which on it is given as the answer.
_LIKELY = 0.2


def lines_of_protein(result: ProteinResult) -> list[str]:
    """Return the headline, a table of values, and cautions."""
    cautions = [f"Caution: {sentence}" for sentence in result.cautions]
    return [headline(result), *verdicts(result), *align_columns(rows_of_protein(result)), *cautions]


def rows_of_protein(result: ProteinResult) -> list[tuple[str, str, str]]:
    """Return each quantity, its value with error and unit, and its source."""
    rows = []
    named = (("Rg", result.rg), ("I(0)", result.i0), ("D_max", result.d_max))
    for name, value in (*named, ("Porod volume", result.porod_volume)):
        if isinstance(value, Value):
            rows.append((name, f"{format_with_error(value.value, value.error)} {value.unit}", value.source))
    mass = result.molecular_weight
    if isinstance(mass, MolecularWeight):
        rows.append(("Molecular weight", f"{format_with_error(mass.value, mass.error)} kDa", "all ways"))
        rows += [
            (f"  {way.method}", f"{format_with_error(way.value, way.error)} kDa", "") for way in mass.methods
        ]
    oligomer, compactness, quality = result.oligomer, result.compactness, result.quality
    if isinstance(oligomer, Oligomer):
        likely = sorted(oligomer.probabilities.items(), key=lambda pair: -pair[1])[:3]
        shares = ", ".join(f"{number}: {100 * share:.0f} %" for number, share in likely)
        is_likely = oligomer.probabilities[oligomer.number] >= _LIKELY
        number_text = str(oligomer.number) if is_likely else "not determined"
        rows.append(("Monomers", number_text, f"probabilities {shares}"))
    if isinstance(compactness, Compactness):
        height, place = compactness.height, compactness.place
        text = format_with_error(height.value, height.error)
        where = f"at q·Rg = {significant(place.value, 3)}; sphere: 1.03 at 1.61"
        rows.append(("Kratky maximum", text, where))
    if isinstance(quality, Quality):
        constant = format_with_error(quality.constant.value, quality.constant.error)
        rows.append(("Constant", constant, "left by the subtraction, with the flat part of the interior"))
        if quality.frames_p_value is not None:
            rows.append(("Frames", f"p = {significant(quality.frames_p_value, 2)}", "CorMap, all pairs"))
    if isinstance(result.structure, StructureFit):
        rows += _rows_of_structure(result.structure)
    return rows


def verdicts(result: ProteinResult) -> list[str]:
    """Return whether the structure explains the curve, in a sentence or two; nothing without a structure."""
    fit = result.structure
    if not isinstance(fit, StructureFit):
        return []
    file, chisq = Path(fit.file).name, significant(fit.reduced_chisq, 3)
    if fit.explains:
        return [sentences.EXPLAINS(file=file, chisq=chisq)]
    misfit = fit.misfit
    verdict = [
        sentences.MISFITS(
            file=file, q=significant(misfit.q, 2), percent=significant(100 * abs(misfit.relative), 2),
            side="above" if misfit.relative > 0 else "below", chisq=chisq,
        )
    ]  # fmt: skip
    rg = result.rg
    if isinstance(rg, Value) and abs(fit.rg - rg.value) > 2 * rg.error + 0.01 * rg.value:
        curve = format_with_error(rg.value, rg.error)
        verdict.append(sentences.STRUCTURE_SIZE(structure=significant(fit.rg, 3), curve=curve))
    return verdict


def _rows_of_structure(fit: StructureFit) -> list[tuple[str, str, str]]:
    scale, constant, hydration, volume = (
        format_with_error(value.value, value.error)
        for value in (fit.scale, fit.constant, fit.hydration, fit.displaced_volume)
    )
    chisq = f"{significant(fit.reduced_chisq, 3)} (p = {significant(fit.p_value, 2)})"
    return [
        ("Structure", f"reduced χ² {chisq}", f"{fit.atoms} atoms, {fit.hydration.source}"),
        ("  scale", scale, ""),
        ("  constant", constant, ""),
        ("  hydration shell", f"{hydration} e/Å³", "above the density of water"),
        ("  displaced volume", volume, "over that of the atoms"),
        ("  Rg", f"{significant(fit.rg, 3)} Å", "with the shell"),
    ]


def headline(result: ProteinResult) -> str:
    """Return the answer in one sentence."""
    if not isinstance(result.rg, Value) or not isinstance(result.molecular_weight, MolecularWeight):
        return "This curve gives no Rg and no molecular weight."
    kind = result.compactness.kind if isinstance(result.compactness, Compactness) else ""
    length = ""
    if isinstance(result.d_max, Value):
        length = f", longest distance {format_with_error(result.d_max.value, result.d_max.error)} Å"
    mass = format_with_error(result.molecular_weight.value, result.molecular_weight.error)
    rg = format_with_error(result.rg.value, result.rg.error)
    return f"{kind.capitalize()} particles, Rg {rg} Å{length}, if a protein {mass} kDa."
