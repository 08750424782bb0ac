"""One material, glassy carbon, on several instruments."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sasnet_plugin import Curve, load
from sasnet_plugin.model_free.region_results import GuinierKnee

from ..common import markdown
from ..regions import Range, overlap
from ..repositories import folder_of
from .scores import agree, share_right
from .section import Request, Row, Section, cpu_seconds

#: Folder → instrument and probe.
INSTRUMENTS = {
    "NIST": ("NIST", "neutrons"),
    "ILL_2008": ("ILL, 2008", "neutrons"),
    "ILL_Aug09": ("ILL, 2009", "neutrons"),
    "ISIS": ("ISIS", "neutrons"),
    "APS_USAXS": ("APS USAXS", "X-rays"),
    "Diamond": ("Diamond I22", "X-rays"),
    "ESRF_ID01": ("ESRF ID01", "X-rays"),
    "ESRF_ID02": ("ESRF ID02", "X-rays"),
}
#: Second versions of the same measurement.
REPEATED = ("G9_6A_norm_17m.xml", "GLASSYC_C4G8G9_withTL.xml")
#: Å⁻¹, where the knee of the pores is.
KNEE = Range("Guinier knee", 0.06, 0.19)


class Measured(NamedTuple):
    """A curve of a sample."""

    sample: str
    probe: str
    name: str
    curve: Curve
    rg: float = math.nan  #: Å
    rg_error: float = math.nan
    level: float = math.nan  #: Intensity of the Guinier knee at q = 0.
    level_error: float = math.nan


def read_curves(folder: Path) -> Iterator[Measured]:
    """All curves with uncertainties that cover the knee."""
    for path in sorted((folder / "data" / "Glassy Carbon").rglob("*.xml")):
        if path.name in REPEATED:
            continue
        instrument, probe = INSTRUMENTS[path.parent.name]
        for curve in load(path):
            sample = re.search(
                r"(C14|C4|G8|G9)", curve.entry if path.parent.name == "ISIS" else path.name.upper()
            )
            covers = curve.q[0] <= KNEE.q_min and curve.q[-1] >= KNEE.q_max
            if covers and curve.dintensity is not None:
                detail = " ".join(re.findall(r"D11|D22|\d+A\b|\d+keV", path.stem.replace("_", " ")))
                yield Measured(sample[1] if sample else "C14", probe, f"{instrument} {detail}".strip(), curve)


def find_knee(measured: Measured) -> Measured:
    """Add Rg and level of the Guinier knee of the pores."""
    knees = [region for region in measured.curve.regions().regions if isinstance(region, GuinierKnee)]
    best = max(knees, key=lambda one: overlap(KNEE, Range(one.kind, one.q_min, one.q_max)), default=None)
    if best is None or overlap(KNEE, Range(best.kind, best.q_min, best.q_max)) == 0:
        return measured
    measured = measured._replace(rg=best.rg, rg_error=best.rg_error)
    # Above a power law G is no intensity.
    return measured if best.exponent else measured._replace(level=best.g, level_error=best.g_error)


def compare(one: Measured, other: Measured) -> tuple[float, float, float]:
    """Mean ratio of two curves at the knee, its error of counting, and reduced χ² of a constant ratio."""
    q = one.curve.q[(one.curve.q >= KNEE.q_min) & (one.curve.q <= KNEE.q_max)]
    logs, variances = [], []
    for curve in (one.curve, other.curve):
        assert curve.dintensity is not None
        logs.append(np.interp(np.log(q), np.log(curve.q), np.log(np.maximum(curve.intensity, 1e-12))))
        variances.append(np.interp(q, curve.q, curve.dintensity / curve.intensity) ** 2)
    difference, variance = logs[1] - logs[0], variances[0] + variances[1]
    weight = 1 / variance
    mean = float(np.sum(weight * difference) / np.sum(weight))
    # Points of the sparser curve that interpolation repeats are no new ones.
    inside = (other.curve.q >= KNEE.q_min) & (other.curve.q <= KNEE.q_max)
    repeats = max(q.size / max(int(np.sum(inside)), 1), 1.0)
    chisq = float(np.sum(weight * (difference - mean) ** 2) / max(q.size - 1, 1))
    return math.exp(mean), float(np.sqrt(repeats / np.sum(weight))), chisq


def section(request: Request) -> Section:
    curves = list(read_curves(folder_of(request.data, "1dwg")))
    began = cpu_seconds()
    curves = [find_knee(one) for one in curves]
    seconds = (cpu_seconds() - began) / len(curves)
    pairs = [
        (one, other)
        for one, other in combinations(curves, 2)
        if (one.sample, one.probe) == (other.sample, other.probe)
    ]
    compared = [compare(one, other) for one, other in pairs]
    radii = [(one, other) for one, other in pairs if not math.isnan(one.rg + other.rg)]
    levels = [(one, other) for one, other in pairs if not math.isnan(one.level + other.level)]
    rows = [
        Row(
            "scale: intensities agree within two errors; sasnet: levels of the knee do", "none",
            f"the files' uncertainties: {share_right([abs(math.log(r)) <= 2 * e for r, e, _ in compared])}",
            share_right([agree(a.level, a.level_error, b.level, b.level_error) for a, b in levels]), seconds,
        ),
        Row(
            "shape: constant ratio of intensities (χ²ᵣ < 1.5); sasnet: Rg agrees within two errors", "none",
            f"the files' uncertainties: {share_right([chisq < 1.5 for _, _, chisq in compared])}",
            share_right([agree(a.rg, a.rg_error, b.rg, b.rg_error) for a, b in radii]),
        ),
    ]  # fmt: skip
    lines = [
        [
            one.sample, one.probe, one.name,
            "none" if math.isnan(one.rg) else f"{one.rg:.2f} ± {one.rg_error:.2f}",
            "none" if math.isnan(one.level) else f"{one.level:.3g} ± {one.level_error:.2g}",
        ]
        for one in sorted(curves, key=lambda one: (one.sample, one.probe, one.name))
    ]  # fmt: skip
    header = ("sample", "probe", "instrument", "Rg / Å", "level / cm⁻¹")
    off = [abs(math.log(ratio)) for ratio, _, _ in compared]
    return Section(
        rows,
        f"The intensities of the {len(pairs)} pairs differ by {100 * np.median(off):.0f} % in the median and"
        f" by up to {100 * np.max(off):.0f} %.\n\n{markdown(header, lines, texts=3)}",
    )
