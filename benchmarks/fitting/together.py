"""Are several curves of one sample explained together, where each alone is not?

Core-shell spheres, cylinders, ellipsoids, bicelles, vesicles, fuzzy spheres and micelles with neighbours in
three of 0 to 100 % D2O, counted as at a SANS instrument, with a slow error of 1 to 3 % of each curve and a
calibration that is off by 3 %; the same where nobody says which the solvents are; in settings of one solvent;
by neutrons and X-rays; and charged or hard spheres at three concentrations. Run ``python -m benchmarks
fitting/together --work W``; each sample is kept in ``W`` as it comes, so that a killed run goes on;
``--kinds`` and ``--step`` take a part, ``--write`` puts the table of what ``W`` holds beside this file.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.batch.worker import OneByOne
from sasnet_plugin.data.sample.sample import Sample
from sasnet_plugin.fitting.result.sample_result import JointFit
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.types import Curve

from ..kept import kept
from ..tables import markdown

#: Scattering length densities of H2O and D2O, 10⁻⁶ Å⁻².
WATER, HEAVY = -0.559, 6.356
SYSTEMATIC, CALIBRATION = (0.01, 0.03), 0.03
#: Points of q between a curve's ends at which it is smeared.
SMEARED = 2000
#: True form -> forms that the same sizes make indistinguishable.
SAME = {
    "core_shell_sphere": {"core_multi_shell", "vesicle", "onion", "polymer_micelle"},
    "vesicle": {"core_shell_sphere", "core_multi_shell", "multilayer_vesicle", "onion"},
    "fuzzy_sphere": {"sphere"},
    "ellipsoid": {"triaxial_ellipsoid"},
    "cylinder": {"elliptical_cylinder", "capped_cylinder", "core_shell_cylinder", "flexible_cylinder"},
    "core_shell_bicelle": {"core_shell_cylinder", "core_shell_bicelle_elliptical", "stacked_disks"},
    "core_shell_sphere@hardsphere": {"core_multi_shell@hardsphere", "vesicle@hardsphere"},
}


@dataclass(frozen=True)
class Case:
    """A sample: curves of one body, and what is true of it."""

    name: str
    curves: list[Curve]
    solvents: list[float] | None
    parameters: dict[str, float]
    concentrations: list[float] | None = None


def _sizes(name: str, rng: np.random.Generator) -> dict[str, float]:
    """Typical values, with a width of 5 to 20 %."""
    u, wide = rng.uniform, rng.uniform(0.05, 0.2)
    light, dense = u(-0.3, 1.0), u(1.2, 4.0)
    if name == "core_shell_sphere":
        return {
            "radius": u(20, 120),
            "thickness": u(10, 40),
            "sld_core": light,
            "sld_shell": dense,
            "radius_pd": wide,
        }
    if name == "cylinder":
        return {"radius": u(12, 40), "length": u(150, 600), "sld": dense, "radius_pd": wide}
    if name == "ellipsoid":
        radius = u(20, 70)
        return {
            "radius_polar": radius * u(1.6, 3.5),
            "radius_equatorial": radius,
            "sld": dense,
            "radius_equatorial_pd": wide,
        }
    if name == "core_shell_bicelle":
        return {
            "radius": u(60, 150), "length": u(20, 40), "thick_rim": u(8, 20), "thick_face": u(8, 15),
            "sld_core": light, "sld_face": dense, "sld_rim": dense, "radius_pd": wide,
        }  # fmt: skip
    if name == "vesicle":
        return {"radius": u(150, 400), "thickness": u(30, 45), "sld": light, "radius_pd": wide}
    if name == "fuzzy_sphere":
        radius = u(60, 250)
        return {"radius": radius, "fuzziness": radius * u(0.08, 0.2), "sld": dense, "radius_pd": wide}
    return {
        "radius": u(18, 40), "thickness": u(10, 25), "sld_core": light, "sld_shell": dense, "radius_pd": wide,
        "volfraction": u(0.08, 0.3),
    }  # fmt: skip


FORMS = (
    "core_shell_sphere", "cylinder", "ellipsoid", "core_shell_bicelle", "vesicle", "fuzzy_sphere",
    "core_shell_sphere@hardsphere",
)  # fmt: skip


def simulated(
    name: str, values: dict[str, float], q: np.ndarray, rng: np.random.Generator, incoherent: float
) -> Curve:
    """A curve as measured: smeared, counted, off by a slow error and a calibration."""
    from sasmodels.core import load_model
    from sasmodels.data import Data1D
    from sasmodels.direct_model import DirectModel
    from sasmodels.resolution import Pinhole1D

    dq = np.hypot(0.05 * q, 0.0008)
    # Smeared at as many points as fringes need: at the measured ones alone aliases of them are averaged.
    first = max(q[0] - 3 * dq[0], 0.02 * q[0])
    fine = np.union1d(q, np.geomspace(first, q[-1] + 3 * dq[-1], SMEARED))
    exact = Data1D(x=fine, y=np.ones_like(fine), dy=np.ones_like(fine))
    given = dict(values)
    for key in [k for k in values if k.endswith("_pd")]:
        given |= {f"{key}_type": "schulz", f"{key}_n": 60, f"{key}_nsigma": 6}
    clean = DirectModel(exact, load_model(name))(background=incoherent, **given)
    clean = Pinhole1D(q, dq, q_calc=fine).apply(clean)
    noise = 0.01 * clean + 0.02 * incoherent + 2e-5 * np.max(clean)
    knots = np.linspace(np.log(q[0]), np.log(q[-1]), 6)
    slow = rng.uniform(*SYSTEMATIC) * np.interp(np.log(q), knots, rng.standard_normal(6))
    calibrated = 1 + CALIBRATION * rng.standard_normal()
    measured = calibrated * clean * (1 + slow) + noise * rng.standard_normal(q.size)
    return Curve(q, measured, noise, dq, file=f"{name}_{incoherent:.2f}.dat")


def contrasts(i: int) -> Case:
    """Sample number i in three solvents."""
    rng = np.random.default_rng([46, i])
    name = FORMS[i % len(FORMS)]
    values = _sizes(name, rng)
    share = np.sort([rng.uniform(0, 0.25), rng.uniform(0.35, 0.65), rng.uniform(0.75, 1.0)])
    q = np.geomspace(rng.uniform(0.003, 0.006), rng.uniform(0.25, 0.4), 110)
    curves, solvents = [], []
    for x in share:
        solvent = WATER + x * (HEAVY - WATER)
        scale = 1.0 if "@" in name else 0.01
        curves.append(
            simulated(name, values | {"sld_solvent": solvent, "scale": scale}, q, rng, 1.0 - 0.95 * x)
        )
        solvents.append(float(solvent))
    return Case(name, curves, solvents, values)


def settings(i: int) -> Case:
    """Sample number i in D2O, at two or three detector distances with their own resolution."""
    rng = np.random.default_rng([47, i])
    name = FORMS[i % len(FORMS)]
    values = _sizes(name, rng)
    ends = [(0.002, 0.02), (0.008, 0.08), (0.04, 0.4)][i % 2 :]
    given = values | {"sld_solvent": HEAVY, "scale": 1.0 if "@" in name else 0.01}
    curves = [simulated(name, given, np.geomspace(*end, 70), rng, 0.05) for end in ends]
    return Case(name, curves, None, values)


def probes(i: int) -> Case:
    """Sample number i by neutrons in D2O and by X-rays, whose contrasts are others."""
    rng = np.random.default_rng([48, i])
    name = FORMS[i % (len(FORMS) - 1)]
    values = _sizes(name, rng)
    q = np.geomspace(0.004, 0.35, 110)
    xray = {n: float(rng.uniform(7.5, 13.0)) for n in values if n.startswith("sld")}
    curves = [
        simulated(name, values | {"sld_solvent": HEAVY, "scale": 0.01}, q, rng, 0.05),
        simulated(name, values | xray | {"sld_solvent": 9.44, "scale": 0.01}, q, rng, 0.001),
    ]
    shared = {n: v for n, v in values.items() if not n.startswith("sld")}
    return Case(name, curves, None, shared)


def concentrations(i: int) -> Case:
    """Charged or hard spheres, number i, at three volume fractions."""
    rng = np.random.default_rng([49, i])
    values = {
        "radius": float(rng.uniform(18, 60)), "sld": float(rng.uniform(0.0, 3.0)),
        "radius_pd": float(rng.uniform(0.05, 0.15)),
    }  # fmt: skip
    name = "sphere@hardsphere"
    if i % 2 == 0:
        name = "sphere@hayter_msa"
        values |= {
            "charge": float(rng.uniform(10, 40)), "concentration_salt": float(rng.uniform(0.001, 0.02)),
        }  # fmt: skip
    fractions = rng.uniform(0.08, 0.12) * np.array([0.25, 1.0, 2.5])
    q = np.geomspace(0.005, 0.35, 110)
    curves = [
        simulated(name, values | {"sld_solvent": HEAVY, "scale": 1.0, "volfraction": float(v)}, q, rng, 0.05)
        for v in fractions
    ]
    return Case(name, curves, None, values, [float(v) for v in fractions])


def here() -> OneByOne:
    """A pool of this process."""
    from sasnet_plugin.simulate.bank import Bank
    from sasnet_plugin.zoo import bank_path

    return OneByOne(Bank(bank_path()), {}, lambda *said: None)


def sample(case: Case, kind: str, known: bool) -> Sample:
    """The curves, with what is known of them."""
    from sasnet_plugin.data.sample.described import sample_of

    if known and case.solvents:
        return sample_of(case.curves, {"solvents": {str(i + 1): v for i, v in enumerate(case.solvents)}})
    return sample_of(case.curves, {"kind": kind})


def judged(case: Case, kind: str, known: bool) -> dict[str, Any]:
    """One row of the table."""
    from sasnet_plugin.fitting import api as module

    apart = [0.0]
    fit_with = module.fit_with

    def clocked(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return fit_with(*given, **named)
        finally:
            apart[0] += time.process_time() - began

    module.fit_with = clocked
    began = time.process_time()
    try:
        result = module.fit_sample(here(), sample(case, kind, known), FitOptions(workers=1))
    finally:
        module.fit_with = fit_with
    whole = time.process_time() - began
    singles, alone = result.singles, apart[0]
    if not singles:  # settings are fitted as one curve: each alone for comparison
        began = time.process_time()
        singles = tuple(fit_with(here(), curve, FitOptions(workers=1)) for curve in case.curves)
        alone = time.process_time() - began
    best = result.best
    guess = result.suggestion
    form = case.name.partition("@")[0]
    right = {case.name, *SAME.get(case.name, ())}
    row: dict[str, Any] = {
        "name": case.name,
        "cpu": whole,
        "alone": alone,
        "group": form in guess.groups[0].members,
        "first": guess.models[0].name == form,
        "best": best.name if best else None,
        "right": bool(best and best.name in right),
        "among": any(name in _names(result.verdict.headline) for name in right),
        "chisq": best.reduced_chisq if best else None,
        "level": result.verdict.level,
        "singles": [r.best.name if r.best else None for r in singles],
        "headline": result.verdict.headline,
    }
    if best and best.name == case.name:
        shown = {n: best.parameters.get(n) for n in case.parameters if not n.startswith("volfraction")}
        if not (known and case.solvents):
            shown = {n: p for n, p in shown.items() if "sld" not in n}
        over = {n: _over_median(best, n) for n in shown}
        row["distributions"] = dict(best.distributions)
        row["parameters"] = {
            n: [case.parameters[n], over[n] * p.value, None if p.error is None else over[n] * p.error]
            for n, p in shown.items()
            if p is not None
        }
        fractions = [own["volfraction"] for own in best.own if "volfraction" in own]
        if case.concentrations and len(fractions) == len(case.concentrations):
            for i, (true, p) in enumerate(zip(case.concentrations, fractions, strict=True)):
                row["parameters"][f"volfraction {i + 1}"] = [true, p.value, p.error]
    return row


def _over_median(fit: JointFit, name: str) -> float:
    """The mean size, as is true of Schulz's distribution, over a log-normal one's median."""
    width = fit.parameters.get(f"{name}_pd")
    lognormal = width is not None and fit.distributions.get(name) == "lognormal"
    return float(np.exp(0.5 * width.value**2)) if width is not None and lognormal else 1.0


def _names(headline: str) -> set[str]:
    """Models that a headline names, those that cannot be told from the first included."""
    return set(re.findall(r"\w+(?:@\w+)?", headline))


def summary(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Shares over all rows."""
    near, inside, count = 0, 0, 0
    for row in rows:
        for name, (true, value, error) in row.get("parameters", {}).items():
            if name.endswith("_pd"):
                continue
            count += 1
            off = abs(value - true)
            near += off < max(3 * (error or 0.0), 0.05 * abs(true))
            inside += error is not None and off < error
    single = [s for row in rows for s in row["singles"]]
    names = [row["name"] for row in rows for _ in row["singles"]]
    apart = sum(row["alone"] for row in rows)
    whole = sum(row["cpu"] for row in rows)
    return {
        "samples": len(rows),
        "right group, network": float(np.mean([row["group"] for row in rows])),
        "right first, network": float(np.mean([row["first"] for row in rows])),
        "right or indistinguishable form first, joint": float(np.mean([row["right"] for row in rows])),
        "the same, or told not to be distinguished from the first": float(
            np.mean([row["right"] or row["among"] for row in rows])
        ),
        "the same, single curves": float(
            np.mean([a in {n, *SAME.get(n, ())} for a, n in zip(single, names, strict=True)])
        ),
        "values within 3 sigma or 5 %": near / max(count, 1),
        "68 % intervals cover": inside / max(count, 1),
        "CPU, s": float(np.mean([row["cpu"] for row in rows])),
        "of the CPU of single fits": whole / apart,
    }


MAKERS: dict[str, Callable[[int], Case]] = {
    "contrasts": contrasts, "contrasts, solvents unknown": contrasts, "settings": settings, "probes": probes,
    "concentrations": concentrations,
}  # fmt: skip
#: Samples of each kind.
COUNTS = {"contrasts": 100} | dict.fromkeys(list(MAKERS)[1:], 40)


def solved(kind: str, work: Path, step: int) -> list[dict[str, Any]]:
    """Rows of a kind of sample, what is kept and what is new."""
    path = work / f"{kind.replace(', ', '_').replace(' ', '_')}.jsonl"
    rows = kept(path)
    for i in range(0, COUNTS[kind], step):
        if i not in rows:
            row = {"index": i, **judged(MAKERS[kind](i), kind.partition(",")[0], "unknown" not in kind)}
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(f"{kind} {i} {row['name']} -> {row['best']} {row['right']} {row['cpu']:.1f} s", flush=True)
            rows[i] = row
    return [rows[i] for i in sorted(rows)]


def table(found: Mapping[str, list[dict[str, Any]]]) -> str:
    """A column for each kind of sample."""
    every = {kind: summary(rows) for kind, rows in found.items() if rows}
    lines = [
        [what, *(f"{one[what]:.3g}" for one in every.values())] for what in next(iter(every.values()), {})
    ]
    return markdown(["", *every], lines)


def main() -> None:
    """Samples of each kind, and the table of their shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", choices=list(MAKERS), default=list(MAKERS))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    # The clock on the wall is this process's time: a busy machine cuts no fit short.
    time.monotonic = time.process_time
    page = table({kind: solved(kind, given.work, given.step) for kind in given.kinds})
    print(page)
    if given.write:
        Path(__file__).with_suffix(".md").write_text(
            "# Several curves of one sample, fitted together\n\n" + page, encoding="utf-8"
        )


if __name__ == "__main__":
    main()
