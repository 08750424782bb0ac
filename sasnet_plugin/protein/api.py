"""`protein`: all that a curve of a protein in solution says, with errors that hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from ..digits import format_with_error, significant
from ..model_free.results import Refused
from ..noise import fill_dintensity, is_usable
from ..types import Curve, DataError
from . import sentences
from .descriptors import Descriptors, describe
from .molecular_weight import combine, find_oligomer, forward_mass, is_outside, read_table
from .pair_posterior import SETTINGS, Draws, group_points, sample_posterior
from .quality import compare_frames, measure_signal
from .results import (
    Compactness,
    FittedCurve,
    MolecularWeight,
    Oligomer,
    PairDistribution,
    ProteinResult,
    Quality,
    StructureFit,
    Value,
)
from .sequence import read_sequence, sequence_mass
from .structure_fit import fit_structure, select_points
from .structures import compute_curves, find_missing_package, read_structure


class ProteinSettings(NamedTuple):
    """What a curve must have."""

    points: int = 15  #: Fewest.
    signal: float = 3.0  #: Standard deviations of the mean of the first points.
    first: int = 20  #: Points of that mean.
    straight: float = 1.3  #: q Rg up to which a straight line finds a first value of Rg.
    late: float = 1.3  #: Largest q Rg of the first point.
    uncertain: float = 0.15  #: Largest relative error of Rg.
    chisq: float = 6.0  #: Reduced χ² from which on no p(r) fits the curve.
    beyond: float = 0.5  #: Share of the evidence in the largest distances from which on p(r) does not end.
    again: float = 0.1  #: Relative change of Rg from which on the posterior is sampled again.
    elongated: float = 1.25  #: Height of the Kratky plot's maximum from which on a particle is elongated,
    flexible: float = (
        1.7  #: and from which on it is flexible; a sphere has 1.03, a Gaussian chain rises to 2.
    )
    slit: float = 0.3  #: Largest slit half length times Rg.
    heaviest: float = 5000.0  #: kDa; the longest chain of a protein, titin, has 3,900.


LIMITS = ProteinSettings()


def protein(
    curve: Curve,
    *,
    concentration: float | None = None,
    concentration_error: float | None = None,
    absolute: bool = False,
    monomer: float | None = None,
    sequence: str | None = None,
    structure: str | Path | None = None,
    frames: Sequence[Curve] = (),
    seed: int = 0,
) -> ProteinResult:
    """Say what the curve of a protein says: size, p(r), molecular weight, oligomeric state and quality.

    Parameters
    ----------
    curve : Curve
        Of X-rays, the buffer subtracted.
    concentration, concentration_error : float, optional
        mg/ml; I(0) then gives a molecular weight where the intensities are in cm⁻¹. Without an error, 10 %.
    absolute : bool
        The intensities are in cm⁻¹ although the file does not say so.
    monomer : float, optional
        Molecular weight of a monomer, kDa, for the oligomeric state.
    sequence : str, optional
        Sequence of a monomer in one-letter codes, or the name of a FASTA file.
    structure : str or Path, optional
        PDB or mmCIF file of an atomic structure that may explain the curve.
    frames : sequence of Curve
        Frames that the curve is the mean of, which are compared with each other.
    seed : int
        Of the draws from the posterior.

    Raises
    ------
    DataError
        A concentration, a monomer or a sequence that is none.
    """
    for name, number in (("concentration", concentration), ("monomer", monomer)):
        if number is not None and not 0 < number < math.inf:
            raise DataError(f"{number:g} is no {name}; give a positive number.")
    if monomer is not None and monomer > LIMITS.heaviest:
        raise DataError(f"A monomer of {monomer:g} kDa is none; give its molecular weight in kDa, not in Da.")
    if monomer is None and sequence is not None:
        monomer = sequence_mass(read_sequence(sequence))
    points = _read_points(curve)
    if isinstance(points, Refused):
        return _refuse_all(curve, points, monomer, structure)
    q, intensity, sigma = points
    rough = estimate_rg(q, intensity, sigma)
    if isinstance(rough, Refused):
        return _refuse_all(curve, rough, monomer, structure)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        draws = sample_posterior(group_points(q, intensity, sigma, rough, SETTINGS), rough, rng)
        numbers = describe(draws)
        rg = float(np.median(numbers.rg))
        if abs(math.log(rg / rough)) < LIMITS.again:
            break
        rough = rg
    refused = _find_refusal(draws, numbers, float(q[0]), curve)
    quality = _assess(draws, q, intensity, sigma, rg, frames)
    if refused is not None:
        return _refuse_all(curve, refused, monomer, structure, quality)
    result = _collect(curve, draws, numbers, quality, concentration, concentration_error, absolute, monomer)
    if structure is None:
        return result
    return _add_structure(result, _compare(q, intensity, sigma, structure, rg, draws))


def _read_points(curve: Curve) -> tuple[Floats, Floats, Floats] | Refused:
    sigma = fill_dintensity(curve.intensity, curve.dintensity)
    good = is_usable(sigma) & np.isfinite(curve.intensity)
    q, intensity, sigma = curve.q[good], curve.intensity[good], sigma[good]
    if q.size < LIMITS.points:
        return Refused(sentences.FEW(points=q.size, least=LIMITS.points))
    first = slice(min(LIMITS.first, q.size // 3))
    weight = sigma[first] ** -2
    level = float((weight * intensity[first]).sum() / np.sqrt(weight.sum()))
    if level < LIMITS.signal:
        number = min(LIMITS.first, q.size // 3)
        return Refused(sentences.NO_SIGNAL(points=number, level=significant(level / math.sqrt(number), 2)))
    return q, intensity, sigma


def estimate_rg(q: Floats, intensity: Floats, sigma: Floats) -> float | Refused:
    """Return a rough Rg, Å, from the longest straight line of ln I over q² that ends below q Rg = 1.3.

    Up to a fifth of the points may be disturbed at the lowest q.
    """
    positive = intensity > 0
    log = np.log(np.where(positive, intensity, 1.0))
    # No point is better than 2 %, so that a bend does not decide.
    weight = np.where(positive, 1 / ((sigma / np.where(positive, intensity, np.inf)) ** 2 + 0.02**2), 0.0)
    square = q**2
    slope = 0.0
    for skip in (0, 2, 4, 8, q.size // 20, q.size // 10):
        if q.size - skip < LIMITS.points or q[skip] > 3 * q[0]:
            continue
        w, u, z = weight[skip:], square[skip:], log[skip:]
        total, wu, wz = np.cumsum(w), np.cumsum(w * u), np.cumsum(w * z)
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = -3 * (total * np.cumsum(w * u * z) - wu * wz) / (total * np.cumsum(w * u * u) - wu**2)
            inside = (slopes > 0) & (u * slopes <= LIMITS.straight**2)
        ends = np.flatnonzero(inside[4:]) + 4
        if ends.size:
            slope = max(slope, float(slopes[ends[-1]])) if skip == 0 else float(slopes[ends[-1]])
            break
    if slope > 0:
        near = positive & (square * slope < 1)
        if near.sum() < LIMITS.points or _falls(square[near], log[near], weight[near]):
            return math.sqrt(slope)
        return Refused(str(sentences.RISES))
    begin = slice(min(10, q.size))
    if np.polyfit(np.log(q[begin]), log[begin], 1)[0] >= 0:
        return Refused(str(sentences.RISES))
    slope = -3 * float(np.polyfit(square[begin], log[begin], 1)[0])
    rough = math.sqrt(max(slope, 1e-12))
    return Refused(
        sentences.LATE(
            q=significant(float(q[0]), 2), qrg=significant(float(q[0]) * rough, 2),
            wanted=significant(LIMITS.late / rough, 2),
        )
    )  # fmt: skip


def _falls(square: Floats, log: Floats, weight: Floats) -> bool:
    """Whether ln I does not rise with q² by more than three standard deviations."""
    off = square - np.average(square, weights=weight)
    slope = float((weight * off * log).sum() / (weight * off**2).sum())
    return slope < 3 / math.sqrt(float((weight * off**2).sum()))


def _find_refusal(draws: Draws, numbers: Descriptors, q_min: float, curve: Curve) -> Refused | None:
    rg, error = float(np.mean(numbers.rg)), float(np.std(numbers.rg))
    if curve.dxl is not None and float(np.nan_to_num(curve.dxl).max()) * rg > LIMITS.slit:
        return Refused(str(sentences.SLIT))
    if q_min * rg > LIMITS.late:
        return Refused(
            sentences.LATE(
                q=significant(q_min, 2), qrg=significant(q_min * rg, 2),
                wanted=significant(LIMITS.late / rg, 2),
            )
        )  # fmt: skip
    if draws.reduced_chisq > LIMITS.chisq:
        return Refused(sentences.UNEXPLAINED(chisq=significant(draws.reduced_chisq, 3)))
    if error > LIMITS.uncertain * rg:
        return Refused(sentences.UNCERTAIN(percent=significant(100 * error / rg, 2)))
    return None


def _refuse_all(
    curve: Curve,
    refused: Refused,
    monomer: float | None,
    structure: str | Path | None,
    quality: Quality | None = None,
) -> ProteinResult:
    problem = f"{refused.reason[0].upper()}{refused.reason[1:]}."
    result = ProteinResult(
        curve.file, curve.entry, refused, refused, refused, refused, refused,
        None if monomer is None else refused, refused, quality or refused, (problem,),
    )  # fmt: skip
    if structure is None:
        return result
    return _add_structure(result, Refused(str(sentences.STRUCTURE_NEEDS_RG)))


def _compare(
    q: Floats, intensity: Floats, sigma: Floats, file: str | Path, rg: float, draws: Draws
) -> StructureFit | Refused:
    missing = find_missing_package()
    if missing is not None:
        return missing
    atoms = read_structure(file)
    if isinstance(atoms, Refused):
        return atoms
    points = select_points(q, intensity, sigma, rg, draws)
    curves = compute_curves(atoms, points.q)
    return curves if isinstance(curves, Refused) else fit_structure(points, atoms, curves, rg, draws)


def _add_structure(result: ProteinResult, fit: StructureFit | Refused) -> ProteinResult:
    if isinstance(fit, Refused):
        return replace(result, structure=fit, problems=(*result.problems, f"{fit.reason}."))
    cautions = result.cautions
    if fit.unusual_residues:
        cautions += (sentences.UNUSUAL_RESIDUES(names=", ".join(fit.unusual_residues[:5])),)
    return replace(result, structure=fit, cautions=cautions)


def _assess(
    draws: Draws, q: Floats, intensity: Floats, sigma: Floats, rg: float, frames: Sequence[Curve]
) -> Quality:
    share, spread = float(np.mean(draws.interaction)), float(np.std(draws.interaction))
    constant = Value(
        float(np.mean(draws.constant)), float(np.std(draws.constant)), "unit of the intensity",
        "a constant that was fitted with p(r)",
    )  # fmt: skip
    return Quality(
        Value(share, spread, "", "an excess at the lowest q that was fitted with p(r)"),
        share > 2 * spread > 0, share < -2 * spread < 0, constant, round(draws.skip), draws.systematic,
        draws.reduced_chisq, float(q[0]) * rg, measure_signal(q, intensity, sigma),
        compare_frames(frames) if len(frames) > 1 else None,
    )  # fmt: skip


def _collect(
    curve: Curve,
    draws: Draws,
    numbers: Descriptors,
    quality: Quality,
    concentration: float | None,
    concentration_error: float | None,
    absolute: bool,
    monomer: float | None,
) -> ProteinResult:
    table = read_table()
    unit = curve.intensity_unit or ("cm⁻¹" if absolute else "")
    used = f"p(r), q {significant(draws.q[0], 3)} to {significant(draws.q[-1], 3)} Å⁻¹"
    rg = Value(float(numbers.rg.mean()), float(numbers.rg.std()), "Å", used)
    i0 = Value(float(numbers.i0.mean()), float(numbers.i0.std()), unit or "unit of the intensity", used)
    problems = []
    forward = None
    if concentration is not None:
        if unit == "cm⁻¹":
            forward = forward_mass(i0.value, i0.error, concentration, concentration_error)
        else:
            problems.append(str(sentences.NO_SCALE))
    beyond = draws.beyond > LIMITS.beyond
    d_max: Value | Refused
    if beyond:
        longest = SETTINGS.ratio[1] * rg.value
        d_max = Refused(
            sentences.BEYOND(length=significant(longest, 3), ratio=significant(SETTINGS.ratio[1], 2))
        )
        problems.append(f"No D_max: {d_max.reason}.")
    else:
        inside = np.clip(numbers.columns.mean(axis=0), table.minimum, table.maximum)
        shift = table.d_max[0] + float(table.d_weights @ (inside - table.centre))
        value = float(np.mean(draws.d_max)) * math.exp(shift)
        spread = float(np.std(np.log(draws.d_max)))
        d_max = Value(value, value * math.hypot(spread, table.d_max[1]), "Å", used)
    mass = combine(numbers.columns, forward, table)
    oligomer = None if monomer is None else find_oligomer(mass, monomer)
    if isinstance(oligomer, Refused):
        problems.append(f"No number of monomers: {oligomer.reason}.")
    log_volume = np.log(numbers.porod_volume)
    volume = float(np.exp(np.median(log_volume)))
    half = 0.5 * float(np.quantile(log_volume, 0.84) - np.quantile(log_volume, 0.16))
    kratky = [
        Value(float(column.mean()), float(column.std()), "", "dimensionless Kratky plot of p(r)")
        for column in (np.exp(numbers.columns[:, 6]), numbers.columns[:, 7])
    ]
    height = kratky[0].value
    kind = "compact" if height < LIMITS.elongated else "elongated"
    if height > LIMITS.flexible or (beyond and kind != "compact"):
        kind = "flexible"
    return ProteinResult(
        curve.file, curve.entry, rg, i0, d_max,
        Value(volume, volume * half, "Å³", "p(r), integral up to q·Rg = 6"),
        mass, oligomer,
        Compactness(kratky[0], kratky[1], kind), quality, tuple(problems),
        _caution(mass, oligomer, quality, kind, numbers),
        _average_distances(draws), FittedCurve(curve.q, _average_curve(draws, curve.q)),
    )  # fmt: skip


def _caution(
    mass: MolecularWeight,
    oligomer: Oligomer | Refused | None,
    quality: Quality,
    kind: str,
    numbers: Descriptors,
) -> tuple[str, ...]:
    cautions = []
    share = format_with_error(100 * abs(quality.interaction.value), 100 * quality.interaction.error)
    if quality.aggregation:
        cautions.append(sentences.AGGREGATES(share=share))
    if quality.repulsion:
        cautions.append(sentences.REPULSION(share=share))
    if quality.disturbed_points:
        cautions.append(sentences.DISTURBED(count=quality.disturbed_points))
    if quality.systematic_error > 5e-3:
        cautions.append(sentences.UNDERSTATED(percent=significant(100 * quality.systematic_error, 2)))
    if quality.frames_p_value is not None and quality.frames_p_value < 0.01:
        cautions.append(sentences.DAMAGE(p=significant(quality.frames_p_value, 2)))
    if mass.distrusted:
        way = next(method for method in mass.methods if method.method == mass.distrusted)
        value = format_with_error(way.value, way.error)
        cautions.append(sentences.DISAGREE(method=mass.distrusted, value=value))
    if isinstance(oligomer, Oligomer):
        whole = oligomer.number * oligomer.monomer
        if abs(whole - mass.value) > 2 * mass.error:
            value = format_with_error(mass.value, mass.error)
            whole_text = significant(whole, 3)
            cautions.append(sentences.OFF_MONOMERS(mass=value, number=oligomer.number, whole=whole_text))
    if kind == "flexible":
        cautions.append(str(sentences.FLEXIBLE))
    if is_outside(read_table(), numbers.columns):
        cautions.append(str(sentences.UNUSUAL))
    return tuple(cautions)


def _average_curve(draws: Draws, q: Floats) -> Floats:
    """Average `Draws.scattered` over draws; those of one largest distance are summed before."""
    _, first, of_draw = np.unique(draws.r[:, -1], return_index=True, return_inverse=True)
    p = np.zeros((first.size, draws.p.shape[1]))
    np.add.at(p, of_draw, draws.p)
    curve: Floats = np.einsum("dc,dcn->n", p, np.sinc(draws.r[first][..., None] * q / np.pi))
    return curve * draws.unit / len(draws.p)


def _average_distances(draws: Draws) -> PairDistribution:
    """Average p(r) over draws, from 0 to beyond the largest distance."""
    r = np.linspace(0, float(np.quantile(draws.d_max, 0.99)), 101)
    values = []
    for places, cells, d_max in zip(draws.r, draws.p, draws.d_max, strict=True):
        width = places[1] - places[0]
        ends = np.concatenate([[0.0], places, [max(d_max, places[-1] + 0.5 * width)]])
        values.append(np.interp(r, ends, np.concatenate([[0.0], cells / width, [0.0]]), right=0.0))
    p = np.array(values) * draws.unit
    return PairDistribution(r, p.mean(axis=0), p.std(axis=0))
