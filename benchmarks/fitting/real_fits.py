"""Fit real data sets without a hint, hold the values against experts', and time the cold command.

``python -m benchmarks fitting/real_fits`` runs ``sasnet fit --json FILE`` in a process of its own for each
file of tests/reference/real_answers.toml; ``--write`` keeps the table in ``benchmarks/fitting/real_fits.md``.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..common import markdown, show


@dataclass(frozen=True)
class Expected:
    """What experts say of one file."""

    #: Names that count, with the structure factor where it matters; "*@hayter_msa" for any form.
    models: tuple[str, ...]
    #: Parameter or sum of such ("radius + thickness"), value and what it may be off by, in sasmodels' units;
    #: empty where only χ² is reported.
    values: Mapping[str, tuple[float, float]]


#: The project's marks; sources in tests/reference/real_answers.toml.
EXPECTED = {
    "ISIS_Polymer_Blend_RT2.xml": Expected(
        ("mono_gauss_coil", "poly_gauss_coil", "polymer_excl_volume"), {"rg": (56.6, 1.2)}
    ),
    "ISIS_Polymer_Blend_TK49.xml": Expected(
        ("mono_gauss_coil", "poly_gauss_coil", "polymer_excl_volume"), {"rg": (74.0, 4.0)}
    ),
    "apoferritin.txt": Expected(
        # The outer radius and the inner one, as the protein's structure gives them.
        ("vesicle", "core_shell_sphere"),
        {"radius": (41.0, 3.0), "radius + thickness": (61.0, 1.5)},
    ),
    "hSDS_D2O_2p0_percent.xml": Expected(
        ("sphere@hayter_msa", "fuzzy_sphere@hayter_msa"), {"radius": (20.0, 3.0)}
    ),
    "AOT_Microemulsion-Shell_Contrast.xml": Expected(
        ("core_shell_sphere", "vesicle"), {"radius": (23.5, 3.0)}
    ),
    "latex_smeared.xml": Expected(("sphere",), {"radius": (2300.0, 500.0)}),
    "Ludox_silica.xml": Expected(
        ("sphere@hayter_msa", "sphere@hardsphere", "fuzzy_sphere@hayter_msa", "fuzzy_sphere@hardsphere"), {}
    ),
}


@dataclass(frozen=True)
class Row:
    """One data set: its best fit, and the best of the experts' models."""

    file: str
    entry: str
    best: str  #: Name, weight and reduced χ² of the best fit.
    expert: str  #: The same of the best fit of an expert's model, with its rank; "not fitted".
    values: str  #: Its values beside those expected.
    met: bool  #: All of them within what they may be off by, and the model among those fitted.


def judge(file: str, answer: Mapping[str, Any]) -> Row:
    """Hold one answer, as ``sasnet fit --json`` prints it, against the experts'."""
    wanted = EXPECTED[file]
    fits = answer["fits"]
    entry = answer.get("entry", "")
    if not fits:
        return Row(file, entry, "none", "not fitted", "", False)
    first = f"{_name(fits[0])} {100 * fits[0]['weight']:.0f} %, {fits[0]['reduced_chisq']:.3g}"
    for rank, fit in enumerate(fits, 1):
        if _name(fit) in wanted.models or fit["model"] in wanted.models:
            parts, met = [], True
            for key, (value, off) in wanted.values.items():
                terms = [fit["parameters"][name] for name in key.split(" + ")]
                sum_ = sum(term["value"] for term in terms)
                # Of a sum none: its terms move together, and the answer has no covariance.
                known = len(terms) == 1 and terms[0]["error"] is not None
                error = f" ± {terms[0]['error']:.2g}" if known else ""
                parts.append(f"{key} {sum_:.4g}{error} ({value:g} ± {off:g})")
                met &= abs(sum_ - value) <= off
            expert = f"{rank}.: {_name(fit)} {100 * fit['weight']:.0f} %, {fit['reduced_chisq']:.3g}"
            return Row(file, entry, first, expert, ", ".join(parts), met)
    return Row(file, entry, first, "not fitted", "", False)


def _name(fit: Mapping[str, Any]) -> str:
    factor = fit["structure_factor"]
    return fit["model"] if factor is None else f"{fit['model']}@{factor}"


def files_met(rows: Iterable[Row]) -> set[str]:
    """Files of which an entry shows the expert's values."""
    return {row.file for row in rows if row.met}


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, and how many files are met."""
    header = ["file", "entry", "best fit: weight, χ²/dof", "expert's model", "values (expected)", "met"]
    lines = [[r.file, r.entry, r.best, r.expert, r.values, "yes" if r.met else "NO"] for r in rows]
    met = files_met(rows)
    missed = ", ".join(name for name in EXPECTED if name not in met) or "none"
    return markdown(header, lines) + f"\n{len(met)} of {len(EXPECTED)} files met; missed: {missed}.\n"


def recorded(path: Path) -> set[str]:
    """Files that a table on disk calls met."""
    text = path.read_text(encoding="utf-8")
    return set(re.findall(r"^\| (\S+) \|.*\| yes \|$", text, flags=re.MULTILINE))


def cold(path: Path, limit: float) -> tuple[float, list[dict[str, Any]]]:
    """Seconds of one cold command, and its answers."""
    began = time.monotonic()
    command = [sys.executable, "-m", "sasnet_plugin", "fit", "--json", "--top", "5"]
    done = subprocess.run(
        [*command, "--time-limit", str(limit), str(path)], capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return time.monotonic() - began, [line for line in lines if "fits" in line]


def main() -> None:
    """Fit every file, print the tables, and keep them if asked to."""
    import sasdata

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--time-limit", type=float, default=30.0)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    data = Path(sasdata.__file__).parent / "example_data" / "1d_data"
    reference = Path(__file__).parents[2] / "tests" / "reference" / "real_answers.toml"
    names = [entry["file"] for entry in tomllib.loads(reference.read_text(encoding="utf-8"))["data"]]
    rows: list[Row] = []
    times: list[list[str]] = []
    seconds: list[float] = []
    for name in names:
        took, answers = cold(data / name, options.time_limit)
        print(f"{name}: {took:.1f} s", flush=True)
        seconds.append(took / max(len(answers), 1))
        bests = [f"{_name(a['fits'][0])} ({a['fits'][0]['reduced_chisq']:.3g})" for a in answers if a["fits"]]
        times.append([name, str(len(answers)), f"{took:.1f}", ", ".join(bests)])
        if name in EXPECTED:
            rows += [judge(name, answer) for answer in answers]
    text = "# Real data, fitted without a hint\n\n" + table(rows)
    text += (
        f"\n## Cold command, default options but --time-limit {options.time_limit:g}\n\nMedian"
        f" {statistics.median(seconds):.1f} s a data set, longest {max(seconds):.1f} s.\n\n"
        + markdown(["file", "data sets", "seconds", "best (χ²/dof)"], times)
    )
    show(text, options.write, __file__)
