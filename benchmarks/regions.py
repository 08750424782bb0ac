"""Are the regions of a curve those that a scientist marks, and do their values hold within their errors?

Part ``marks``: 31 USAXS curves of pyirena's repository with the ranges that its author marked by hand for the
unified fit (``testData/StructureIdentificationExamples`` of https://github.com/jilavsky/pyirena, commit
cf8b4759e221e86e671c4e619be949887caf4ac6, given by ``--data``; nothing of it is kept here). As its text says,
points beyond 0.6 Å⁻¹ are left out. Two counts: of ranges with two numbers of power laws, plateaus and
backgrounds, and of all ranges, those to the lowest q and Guinier knees included. Three ranges with impossible
ends (samples 4, 14, 15) count for nobody; the first "Sample20" is sample 18. A range is found with the right
kind if a region of its kind overlaps it, and with its place if overlap over union, in ln q, is at least 1/2.
The regions were developed on the half ``odd`` alone. With ``--pyirena`` (a Python that has pyirena 1.2.0
and h5py) its detector answers as well.

Part ``simulated``: curves of formulas in numpy; how often Rg, exponents and peaks lie within one and two
standard deviations. Run ``python -m benchmarks regions --data FOLDER [--pyirena PYTHON]``.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from sasnet_plugin.model_free.region_results import GuinierKnee, PeakRegion, PowerLaw
from sasnet_plugin.types import Curve

from .common import markdown, parser_of, percent, show

Array = NDArray[np.float64]
FOLDER = Path("testData/StructureIdentificationExamples")
Q_MAX = 0.6  #: Å⁻¹
#: First words of a range, and its kind.
KINDS = {
    "PLS": "power law", "Power law": "power law", "GK": "Guinier knee", "Guinier knee": "Guinier knee",
    "GP": "plateau", "Gunier": "plateau", "Background": "background", "Blackground": "background",
}  # fmt: skip
IMPOSSIBLE = {("Sample4", 0.003, 0.00015), ("Sample14", 0.1, 0.0002), ("Sample15", 0.06, 0.1)}
#: Of the four curves with a name those that belong to the odd half.
ODD = ("PlateWeak_NX", "PlateWithSFWithAGgregate_NX")


class Mark(NamedTuple):
    """A range marked by hand, Å⁻¹; `q_min` 0 for the lowest q."""

    kind: str
    q_min: float
    q_max: float


class Range(NamedTuple):
    """A region found, Å⁻¹."""

    kind: str
    q_min: float
    q_max: float


def read_marks(folder: Path) -> dict[str, list[Mark]]:
    """The marks of each sample."""
    marks: dict[str, list[Mark]] = {}
    sample = ""
    for line in (folder / "Description and task.txt").read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if re.fullmatch(r"Sample\d+|Plate\w+|Rod\w+", text):
            sample = (
                "Sample18" if text == "Sample20" and "Sample19" not in marks else text.replace("NSX", "NX")
            )
            marks[sample] = []
            continue
        kind = next((kind for word, kind in KINDS.items() if text.startswith(word)), None)
        ends = re.search(r"([\d.]+)\s*[-\s]\s*([\d.]+|min)", re.sub(r"\(.*?\)", "", text))
        if not sample or kind is None or ends is None:
            continue
        # "001" is written for 0.01.
        high, low = (
            0.0 if end == "min" else float(end.replace("001", "0.01") if end == "001" else end)
            for end in ends.groups()
        )
        if (sample, high, low) not in IMPOSSIBLE:
            marks[sample].append(Mark(kind, min(low, high), max(low, high)))
    return marks


def read_curve(folder: Path, sample: str) -> Curve:
    """The desmeared data of a file."""
    import h5py

    path = next(one for one in folder.iterdir() if one.stem.lower() == sample.lower())
    groups = []
    with h5py.File(path) as file:
        file.visititems(
            lambda _, item: (
                groups.append(item) if isinstance(item, h5py.Group) and "Q" in item and "I" in item else None
            )
        )
        q, intensity, error = (groups[0][name][()].astype(float) for name in ("Q", "I", "Idev"))
    used = np.isfinite(q + intensity + error) & (q > 0) & (error > 0) & (q <= Q_MAX)
    order = np.argsort(q[used], kind="stable")
    return Curve(*(column[used][order] for column in (q, intensity, error)))


#: Run by the other Python: regions of all curves, as JSON.
_PEER = """
import json, sys
import numpy as np
from pyirena.core.feature_detect import detect_features
kinds = {"power_law": "power law", "guinier_plateau": "plateau", "background": "background"}
found = {}
for name, columns in json.load(sys.stdin).items():
    answer = detect_features(*(np.array(column) for column in columns))
    found[name] = [[kinds[one["kind"]], one["q_min"], one["q_max"]] for one in answer.segments]
    found[name] += [["Guinier knee", one["q_min"], one["q_max"]] for one in answer.guinier_knees]
json.dump(found, sys.stdout)
"""


def ask_pyirena(python: str, curves: dict[str, Curve]) -> dict[str, list[Range]]:
    columns = {
        name: [column.tolist() for column in (c.q, c.intensity, c.dintensity) if column is not None]
        for name, c in curves.items()
    }
    done = subprocess.run(
        [python, "-c", _PEER], input=json.dumps(columns), capture_output=True, text=True, check=True
    )
    return {name: [Range(*one) for one in found] for name, found in json.loads(done.stdout).items()}


def overlap(one: Mark | Range, other: Mark | Range) -> float:
    """Overlap over union in ln q."""
    shared = math.log(min(one.q_max, other.q_max) / max(one.q_min, other.q_min))
    return max(shared, 0.0) / math.log(max(one.q_max, other.q_max) / min(one.q_min, other.q_min))


def count_marks(
    marks: dict[str, list[Mark]], found: dict[str, list[Range]], curves: dict[str, Curve], *, every: bool
) -> list[str]:
    """A row: marks, of the right kind, of the right place, regions, regions without a mark."""
    number = right = placed = regions = unmarked = 0
    for name, ranges in found.items():
        q_min = float(curves[name].q[0])
        used = [
            mark._replace(q_min=mark.q_min or q_min)
            for mark in marks[name]
            if every or (mark.q_min > 0 and mark.kind != "Guinier knee")
        ]
        counted = [one for one in ranges if one.kind != "peak" and (every or one.kind != "Guinier knee")]
        for mark in used:
            best = max((overlap(mark, one) for one in ranges if one.kind == mark.kind), default=0.0)
            number, right, placed = number + 1, right + (best > 0), placed + (best >= 0.5)
        regions += len(counted)
        unmarked += sum(all(overlap(mark, one) == 0 for mark in used) for one in counted)
    return [str(value) for value in (number, right, placed, regions, unmarked)]


def marks_page(data: Path, python: str | None) -> str:
    folder = data / FOLDER if (data / FOLDER).is_dir() else data
    marks = read_marks(folder)
    curves = {name: read_curve(folder, name) for name in marks}
    began = time.process_time()
    answers = {
        "sasnet": {
            name: [Range(r.kind, r.q_min, r.q_max) for r in curve.regions().regions]
            for name, curve in curves.items()
        }
    }
    seconds = (time.process_time() - began) / len(curves)
    if python:
        answers["pyirena 1.2.0"] = ask_pyirena(python, curves)
    rows = []
    for every, title in ((False, "two numbers"), (True, "all")):
        for half in ("odd", "even", "both"):
            for program, found in answers.items():
                part = {name: one for name, one in found.items() if half in (half_of(name), "both")}
                rows.append([title, half, program, *count_marks(marks, part, curves, every=every)])
    header = ("marks", "half", "program", "number", "right kind", "and place", "regions", "without a mark")
    return f"{markdown(header, rows, texts=3)}\n{seconds:.2f} CPU-seconds a curve.\n"


def half_of(name: str) -> str:
    if name.startswith("Sample"):
        return "odd" if int(name[6:]) % 2 else "even"
    return "odd" if name in ODD else "even"


# --- Simulated curves.


class Truth(NamedTuple):
    """A value that a region should have, and where it shows, Å⁻¹."""

    value: float
    where: Range


class Problem(NamedTuple):
    """A curve and what is true of it."""

    curve: Curve
    truths: dict[str, Truth]


def guinier_porod(q: Array, rg: float, power: float) -> Array:
    """B. Hammouda, J. Appl. Cryst. 43 (2010) 716, eqs. 3 and 4, of a globule."""
    crossover = math.sqrt(1.5 * power) / rg
    return np.where(
        q <= crossover, np.exp(-((q * rg) ** 2) / 3), np.exp(-power / 2) * (crossover / q) ** power
    )


def unified(q: Array, levels: Sequence[tuple[float, float, float, float]]) -> Array:
    """G. Beaucage, J. Appl. Cryst. 28 (1995) 717, eq. 14: G, Rg, B, P of each level."""
    total = np.zeros_like(q)
    for k, (g, rg, b, power) in enumerate(levels):
        smaller = levels[k + 1][1] if k + 1 < len(levels) else 0.0
        law = b * (erf(q * rg / math.sqrt(6)) ** 3 / q) ** power
        total += g * np.exp(-((q * rg) ** 2) / 3) + law * np.exp(-((q * smaller) ** 2) / 3)
    return total


def simulate(kind: str, noise: float, rng: np.random.Generator) -> Problem:
    """Draw a curve; noise relative to the intensity."""
    q = np.geomspace(
        10 ** rng.uniform(-3.3, -2.7), 10 ** rng.uniform(-0.6, -0.3), int(rng.integers(120, 400))
    )
    high = float(q[-1])

    def of_knee(rg: float) -> Truth:
        return Truth(rg, Range("Guinier knee", 0.5 / rg, 2 / rg))

    def of_law(power: float, low: float, high: float) -> Truth:
        return Truth(power, Range("power law", low, max(high, 1.01 * low)))

    if kind == "Guinier–Porod":
        rg, power = 10 ** rng.uniform(1.5, 2.2), rng.uniform(2.5, 4)
        clean = 10 * guinier_porod(q, rg, power) + rng.choice([0, 1e-3])
        truths = {"Rg": of_knee(rg), "exponent": of_law(power, 3 / rg, high)}
    elif kind == "two levels":
        rg, power, power_2 = 10 ** rng.uniform(2.3, 2.6), rng.uniform(2, 3), rng.uniform(3.5, 4)
        rg_2 = rg / 10 ** rng.uniform(0.9, 1.2)
        # Of a mass fractal of particles (Beaucage, J. Appl. Cryst. 29 (1996) 134).
        b = 1e3 * power / rg**power * math.gamma(power / 2)
        g_2 = b * rg_2**power * rng.uniform(0.5, 3)
        b_2 = g_2 * power_2 / rg_2**power_2 * math.gamma(power_2 / 2)
        clean = unified(q, [(1e3, rg, b, power), (g_2, rg_2, b_2, power_2)]) + 1e-4
        truths = {
            "Rg": of_knee(rg), "exponent": of_law(power, 3 / rg, 0.7 / rg_2),
            "second Rg": of_knee(rg_2), "second exponent": of_law(power_2, 4 / rg_2, high),
        }  # fmt: skip
    elif kind == "Lorentz + Porod":
        length, porod = 10 ** rng.uniform(1, 1.6), 10 ** rng.uniform(-9, -7.6)
        clean = porod * q**-4.0 + 1 / (1 + (q * length) ** 2) + 1e-3
        truths = {"Rg": of_knee(length * math.sqrt(3)), "exponent": of_law(4.0, float(q[0]), porod**0.25)}
    else:
        center, porod = 10 ** rng.uniform(-1.6, -1), rng.uniform(0.5, 2) * 1e-8
        width = center * rng.uniform(0.08, 0.3)
        clean = np.exp(-(((q - center) / width) ** 2) / 2) + 0.05 + porod * q**-3.0
        where = Range("peak", center - width, center + width)
        truths = {
            "position": Truth(center, where), "full width": Truth(width * math.sqrt(8 * math.log(2)), where),
            "exponent": of_law(3.0, float(q[0]), (porod / 0.05) ** (1 / 3)),
        }  # fmt: skip
    sigma = noise * clean * np.sqrt(1 + 0.3 * (q / q[0]) ** 0.3)
    return Problem(Curve(q, clean + sigma * rng.standard_normal(q.size), sigma), truths)


def find_value(curve: Curve, name: str, where: Range) -> tuple[float, float]:
    """Value and standard deviation of the region that overlaps most; NaN for none."""
    best, found = 0.0, (math.nan, math.nan)
    for region in curve.regions().regions:
        shared = (
            overlap(where, Range(region.kind, region.q_min, region.q_max))
            if region.kind == where.kind
            else 0.0
        )
        if shared <= best:
            continue
        best = shared
        if isinstance(region, GuinierKnee):
            found = region.rg, region.rg_error
        elif isinstance(region, PowerLaw):
            found = region.exponent, region.exponent_error
        elif isinstance(region, PeakRegion):
            found = (region.width, region.width_error) if "width" in name else (region.q, region.q_error)
    return found


def simulated_page(number: int) -> str:
    """How often each quantity is found, and how far it is from the truth."""
    rows = []
    for kind in ("Guinier–Porod", "two levels", "Lorentz + Porod", "peak + background"):
        for noise in (0.005, 0.02, 0.05):
            rng = np.random.default_rng([89, int(1e3 * noise)])
            pulls: dict[str, list[float]] = defaultdict(list)
            sizes: dict[str, list[float]] = defaultdict(list)
            for _ in range(number):
                curve, truths = simulate(kind, noise, rng)
                for name, truth in truths.items():
                    value, error = find_value(curve, name, truth.where)
                    pulls[name].append((value - truth.value) / error)
                    sizes[name].append(error / truth.value)
            for name, pull in pulls.items():
                seen = np.abs([one for one in pull if math.isfinite(one)])
                values = [seen.size / number, *([math.nan] * 3)]
                if seen.size:
                    values[1:] = map(float, (np.mean(seen < 1), np.mean(seen < 2), np.nanmedian(sizes[name])))
                rows.append([kind, percent(noise), name, *(percent(float(value)) for value in values)])
    header = ("curve", "noise / %", "quantity", "found / %", "within 1σ / %", "within 2σ / %", "median σ / %")
    return markdown(header, rows, texts=3)


def main() -> int:
    parser = parser_of(__doc__, number=(40, "simulated curves of each kind and noise"))
    parser.add_argument(
        "--data", type=Path, help="clone of pyirena's repository, or the folder of its curves"
    )
    parser.add_argument("--pyirena", metavar="PYTHON", help="interpreter that has pyirena and h5py")
    asked = parser.parse_args()
    parts = ["# Regions of a curve without a model", "`python -m benchmarks regions --data FOLDER`"]
    if asked.data is not None:
        parts.append("## Ranges marked by hand\n\n" + marks_page(asked.data, asked.pyirena))
    if asked.number:
        parts.append(
            f"## Values of simulated curves, {asked.number} of each\n\n{simulated_page(asked.number)}"
        )
    show("\n\n".join(parts), asked.write, __file__)
    return 0
