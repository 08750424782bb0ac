"""Does the measurement that ``sasnet next`` recommends decide, and do its promises hold?

``python -m benchmarks fitting/next_measurement --work W`` draws samples by formulas that share nothing with
sasmodels, measures each once in D2O for a short time in the middle setting of an instrument, and fits it.
Samples whose likeliest model has a probability below 70 % are ambiguous. Of these the recommended
measurement is made and fitted together with the first. A random one of those offered and two rules of thumb
(the other two of 0, 42 and 100 % D2O; the same again for longer) get twice its time: where fewer of their
samples are right, the recommendation needs less than half of their beam time. Where the right model has 70 %
or more, a plan for one of its sizes (``--for``) aims at 0.4 of its error, and the predicted error is compared
with that of this model's fit to both curves. Undecidable samples are spheres, with a model file of the same
formula as their rival. ``--third 0|1|2`` does a third of the samples, ``--only`` one part. What is computed
is kept in W; ``--write`` keeps the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.types import Curve

from ..common import kept, markdown, parser_of, run, show, this_process
from ..independent_curves import form_factors as form
from ..independent_curves.instruments import Sample, smeared
from ..independent_curves.size_distributions import sizes_of

Array = np.ndarray
#: 10⁻⁶ Å⁻² squared times Å³ in cm⁻¹.
UNIT = 1e-4
D2O, H2O = 6.356, -0.559
#: Samples that are drawn; those that are ambiguous are counted.
COUNT, AMBIGUOUS = 240, 0.70
#: Time of the first measurement, s, and name of its setting.
FIRST_TIME, FIRST_SETTING = 600.0, "6 m"
#: What is offered: three settings in the present solvent and in each of these.
INSTRUMENT, SOLVENTS = "reactor_sans", ("H2O", "40%D2O", "80%D2O")
LIMIT = 20.0
PLANNED, SIZE, SAME = "recommended", "size", "undecidable"
#: Share of the present error of a size that a plan for it aims at, and relative errors between which it is.
AIM, AIMS = 0.4, (0.002, 0.5)
#: What is measured instead, and its time over the recommended one.
OTHERS, LONGER = ("random", "H2O and 40 % D2O", "the same longer"), 2.0
#: Undecidable samples; a predicted error is right within this factor.
UNDECIDABLE, WITHIN = 20, 1.3
#: A model of its own that is sasmodels' sphere.
BALL = """
import numpy as np
name, title, description = "ball", "sphere", "sphere"
parameters = [
    ["sld", "1e-6/Ang^2", 1, [-np.inf, np.inf], "sld", ""],
    ["sld_solvent", "1e-6/Ang^2", 6, [-np.inf, np.inf], "sld", ""],
    ["radius", "Ang", 50, [0, np.inf], "volume", ""],
]

def form_volume(radius):
    return 4 / 3 * np.pi * radius**3

def Iq(q, sld, sld_solvent, radius):
    x = q * radius
    amplitude = 3 * (np.sin(x) - x * np.cos(x)) / x**3
    return 1e-4 * ((sld - sld_solvent) * form_volume(radius) * amplitude) ** 2

Iq.vectorized = True
"""


def homogeneous(fraction: float, density: float, squared: Callable[[Array], Array]) -> Callable[[float], Any]:
    """I(q) in a solvent: volume fraction times contrast squared times V P(q)."""
    return lambda solvent: lambda q: UNIT * fraction * (density - solvent) ** 2 * squared(q)


def draw(index: int) -> tuple[str, frozenset[str], Callable[[float], Any], float]:
    """A sample: its form, models that are right, I(q) by solvent, and its largest size, Å."""
    rng = np.random.default_rng([index, 72])
    kind = ("spheres", "ellipsoids", "cylinders", "core-shell", "vesicles", "discs")[index % 6]
    fraction, density = float(rng.uniform(0.002, 0.02)), float(rng.uniform(0.0, 4.0))
    if kind == "spheres":
        mean, width = float(rng.uniform(25, 60)), float(rng.uniform(0.05, 0.25))
        sizes, numbers = sizes_of("schulz", mean, width)
        volumes = form.sphere_volume(sizes)

        def of_spheres(q: Array) -> Array:
            squared = form.sphere_amplitude(q[:, None], sizes[None, :]) ** 2
            return np.asarray(squared @ (numbers * volumes**2) / (numbers @ volumes))

        return kind, frozenset({"sphere"}), homogeneous(fraction, density, of_spheres), 2.5 * mean
    if kind == "ellipsoids":
        short, ratio = float(rng.uniform(20, 40)), float(rng.uniform(1.4, 2.5))
        polar, equatorial = (short * ratio, short) if rng.random() < 0.5 else (short, short * ratio)
        volume = float(form.sphere_volume(1.0)) * polar * equatorial**2

        def of_ellipsoids(q: Array) -> Array:
            return volume * form.ellipsoid_moments(q, polar, equatorial)[1]

        right = frozenset({"ellipsoid", "triaxial_ellipsoid"})
        return kind, right, homogeneous(fraction, density, of_ellipsoids), 2 * max(polar, equatorial)
    if kind in ("cylinders", "discs"):
        radius = float(rng.uniform(15, 30) if kind == "cylinders" else rng.uniform(40, 80))
        length = radius * float(rng.uniform(4, 10) if kind == "cylinders" else rng.uniform(0.3, 0.7))
        volume = np.pi * radius**2 * length

        def of_cylinders(q: Array) -> Array:
            return volume * form.cylinder_form(q, radius, length)

        right = frozenset({"cylinder", "elliptical_cylinder", "capped_cylinder", "barbell"})
        return kind, right, homogeneous(fraction, density, of_cylinders), max(2 * radius, length)
    core, shell = float(rng.uniform(25, 45)), float(rng.uniform(10, 25))
    inner, outer = float(rng.uniform(-0.5, 1.0)), float(rng.uniform(1.0, 4.0))
    width = float(rng.uniform(0.05, 0.15))

    def of_layers(solvent: float) -> Callable[[Array], Array]:
        sizes, numbers = sizes_of("schulz", core, width)
        contrasts = np.array([(solvent if kind == "vesicles" else inner), outer]) - solvent

        def intensity(q: Array) -> Array:
            radii = [np.array([r, r + shell]) for r in sizes]
            amplitudes = [form.layered_sphere_amplitude(q, both, contrasts) for both in radii]
            volume = numbers @ form.sphere_volume(sizes + shell)
            return UNIT * fraction * np.asarray(numbers @ np.square(amplitudes)) / volume

        return intensity

    right = {"vesicles": {"vesicle", "core_shell_sphere"}, "core-shell": {"core_shell_sphere"}}[kind]
    return kind, frozenset(right), of_layers, 2 * (core + shell)


def measured(
    of_solvent: Callable[[float], Any], largest: float, offer: Any, solvent: float, seconds: float,
    seed: Sequence[int],
) -> Curve:  # fmt: skip
    """The curve that a measurement gives: resolution, counts, and a background that is subtracted."""
    rng = np.random.default_rng(seed)
    q, dq = np.asarray(offer.curve.q), np.asarray(offer.curve.dq)
    sample = Sample(of_solvent(solvent), largest, (float(q[0]), float(q[-1])))
    expected = smeared(sample, q, dq, None)
    level = 0.05 + 0.4 * (D2O - solvent) / (D2O - H2O)  # incoherent, 1/cm
    counts = np.maximum((expected + level) * offer.exposure * seconds, 0.5)
    sigma = np.hypot((expected + level) / np.sqrt(counts), 0.005 * expected)
    intensity = expected + sigma * rng.standard_normal(q.size) + 0.02 * level
    return Curve(
        q, intensity, sigma, dq=dq, file=f"{offer.name.replace('/', ' ')}.dat", intensity_unit="cm⁻¹"
    )


def solve(work: Path, contestant: str, index: int, seed: int) -> dict[str, Any]:
    """What is found of one sample: by the recommended measurement, or by another of twice the time."""
    if contestant == SAME:
        return _undecided(work, index, seed)
    if contestant in (PLANNED, SIZE):
        return (_planned if contestant == PLANNED else _check_size)(index, seed)
    plan = kept(work / f"{PLANNED}-{seed}.jsonl")[index]
    rng = np.random.default_rng([index, seed, 1])
    names = {
        "random": [sorted(plan["offers"])[int(rng.integers(len(plan["offers"])))]],
        "H2O and 40 % D2O": [f"{FIRST_SETTING}, in H2O", f"{FIRST_SETTING}, in 40%D2O"],
        "the same longer": [FIRST_SETTING],
    }[contestant]
    row = _joint(index, seed, names, LONGER * plan["time"])
    return {"index": index, "measured": names} | row


def _first(index: int, seed: int) -> Curve:
    _, _, of_solvent, largest = draw(index)
    return measured(of_solvent, largest, find_offer(FIRST_SETTING)[0], D2O, FIRST_TIME, [index, seed, 0])


def _fit_first(index: int, seed: int, **options: Any) -> Any:
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.problem.contrast import contrast_of
    from sasnet_plugin.fitting.task import FitOptions

    given = FitOptions(contrast=contrast_of(None, "D2O"), time_limit=LIMIT, **options)
    return fit_with(this_process(), _first(index, seed), given)


def find_offer(name: str) -> tuple[Any, float]:
    """A setting and the density of a solvent by the name that a plan gives the measurement."""
    from sasnet_plugin.materials import scattering_length_density
    from sasnet_plugin.planning.measurements import read_instrument

    setting, _, solvent = name.partition(", in ")
    found = next(each for each in read_instrument(INSTRUMENT) if each.name == setting)
    return found, scattering_length_density(solvent) if solvent else D2O


def _planned(index: int, seed: int) -> dict[str, Any]:
    from sasnet_plugin.planning.next_measurement import next_measurement, possible_fits

    kind, right, *_ = draw(index)
    began = time.process_time()
    result = _fit_first(index, seed)
    rivals = {result.fits[i].short_name: weight for i, weight in possible_fits(result.fits).items()}
    row: dict[str, Any] = {"index": index, "kind": kind, "rivals": rivals, "model": "", "success": False}
    row |= {"seconds": time.process_time() - began, "ambiguous": max(rivals.values()) < AMBIGUOUS}
    row |= {"before": max(rivals, key=rivals.__getitem__) in right, "among": any(n in right for n in rivals)}
    if not row["ambiguous"]:
        return row
    began = time.process_time()
    plan = next_measurement(result, solvents=SOLVENTS, instrument=INSTRUMENT, time=FIRST_TIME)
    row["plan_seconds"] = time.process_time() - began
    final = plan.ranked[0].final
    row |= {
        "measured": [plan.ranked[0].name], "time": final.time, "promised": final.chance,
        "reached": plan.recommended is not None, "offers": [each.name for each in plan.ranked],
    }  # fmt: skip
    row |= _joint(index, seed, row["measured"], final.time)
    return row | {"seconds": row["seconds"] + row["plan_seconds"]}


def _check_size(index: int, seed: int) -> dict[str, Any]:
    """The error that a plan for a size predicts, and that of the fit of its model to both curves."""
    from sasnet_plugin.planning.next_measurement import next_measurement

    began = time.process_time()
    result = _fit_first(index, seed)
    best = result.fits[0]
    sizes = [n for n, p in best.parameters.items() if p.unit == "Ang" and not p.fixed and p.error]
    row: dict[str, Any] = {"index": index, "model": best.name, "success": False}
    if sizes:
        name = sizes[index // 6 % len(sizes)]
        p = best.parameters[name]
        aim = float(np.clip(AIM * (p.error or 0.0) / p.value, *AIMS))
        plan = next_measurement(
            result, parameter=name, aim=aim, solvents=SOLVENTS, instrument=INSTRUMENT, time=FIRST_TIME
        )
        final = plan.ranked[0].final
        foreseen = final.errors[best.short_name, name][1]
        joint = _fit_both(index, seed, [plan.ranked[0].name], final.time, models=(best.model,))
        found = [fit.parameters[name].error for fit in joint.fits if name in fit.parameters]
        row |= {"size": name, "now": p.error, "foreseen": foreseen, "found": found[0] if found else None}
        row["success"] = bool(found and found[0] and 1 / WITHIN <= found[0] / foreseen <= WITHIN)
    return row | {"seconds": time.process_time() - began}


def _fit_both(index: int, seed: int, names: Sequence[str], seconds: float, **options: Any) -> Any:
    """The fit of the first curve and of these measurements, which share the time."""
    from sasnet_plugin.data.sample.described import sample_of
    from sasnet_plugin.fitting.api import fit_sample
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.materials import densities

    _, _, of_solvent, largest = draw(index)
    curves, solvents = [_first(index, seed)], [D2O]
    for i, (offer, solvent) in enumerate(map(find_offer, names)):
        curve = measured(of_solvent, largest, offer, solvent, seconds / len(names), [index, seed, 2, i])
        curves.append(replace(curve, file=f"{i + 2} {curve.file}"))
        solvents.append(solvent)
    described = {"solvents": {str(i + 1): value for i, value in enumerate(solvents)}}
    sample = sample_of(
        curves, described, sld=densities(None), share=(), own_names=(), ties=(), source="sample"
    )
    return fit_sample(this_process(), sample, FitOptions(time_limit=LIMIT, **options))


def _joint(index: int, seed: int, names: Sequence[str], seconds: float) -> dict[str, Any]:
    """The likeliest model once these were measured as well."""
    began = time.process_time()
    result, right = _fit_both(index, seed, names, seconds), draw(index)[1]
    weights = {fit.name: fit.weight for fit in result.fits if fit.weight > 0.01}
    model = max(weights, key=weights.__getitem__, default="")
    return {
        "model": model, "success": model in right, "weights": weights, "explained": result.explained,
        "joint_seconds": time.process_time() - began, "seconds": time.process_time() - began,
    }  # fmt: skip


def _undecided(work: Path, index: int, seed: int) -> dict[str, Any]:
    """Whether a plan for two models with the same formula says that nothing decides."""
    from sasnet_plugin.planning.next_measurement import next_measurement

    ball = work / "ball.py"
    ball.write_text(BALL, encoding="utf-8")
    began = time.process_time()
    results = [_fit_first(6 * index, seed, models=(name,)) for name in ("sphere", str(ball))]
    fits = tuple(replace(result.fits[0], weight=0.5) for result in results)
    plan = next_measurement(replace(results[0], fits=fits), solvents=("H2O", "60%D2O"))
    text = " ".join(plan.lines())
    return {
        "index": index, "model": text, "promised": plan.ranked[0].final.chance,
        "success": plan.recommended is None, "named": "no counting time separates" in text,
        "seconds": time.process_time() - began,
    }  # fmt: skip


def table(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Shares of ambiguous samples whose right form leads, and whether promises hold."""
    planned = [row for row in rows[PLANNED] if row["ambiguous"]]
    lines = [["before", _share([row["before"] for row in planned])]]
    lines += [[PLANNED, _share([row["success"] for row in planned])]]
    for other in OTHERS:
        found = {row["index"]: row["success"] for row in rows[other]}
        both = [row["success"] for row in planned if row["index"] in found]
        lines.append([f"{other}, in twice the time", _share(list(found.values()))])
        if len(both) < len(planned):
            lines.append([f"{PLANNED}, of the same samples", _share(both)])
    for said, chosen in (
        ("where 95 % is promised", [row for row in planned if row["reached"]]),
        ("the right form among the possible ones", [row for row in planned if row["among"]]),
        ("both", [row for row in planned if row["among"] and row["reached"]]),
    ):
        lines.append([f"{PLANNED}, {said}", _share([row["success"] for row in chosen])])
    text = markdown(["measurement", "samples", "right form leads %"], [[a, *b] for a, b in lines])
    sized = [row for row in rows[SIZE] if "foreseen" in row]
    count, within = _share([row["success"] for row in sized])
    _, smaller = _share([bool(row["found"]) and row["found"] < row["foreseen"] / WITHIN for row in sized])
    same = rows[SAME]
    plans = [row["plan_seconds"] for row in planned] or [np.nan]
    return f"""{len(planned)} of {len(rows[PLANNED])} samples are ambiguous; the whole benchmark has {COUNT}.

{text}
Of {count} predicted errors of sizes {within} % are within a factor of {WITHIN:g} of those of the fit;
in {smaller} % the fit's are smaller. Of {len(same)} undecidable samples,
{sum(row["success"] for row in same)} are said to be undecidable.

A plan of 12 measurements takes {np.median(plans):.0f} CPU-seconds (median; largest {max(plans):.0f}).
"""


def _share(found: Sequence[bool]) -> tuple[str, str]:
    """Of how many, and which share of them, per cent, with its standard error."""
    if not found:
        return "0", "–"
    share, n = float(np.mean(found)), len(found)
    return f"{n}", f"{100 * share:.0f} ± {100 * np.sqrt(max(share * (1 - share), 0.25 / n) / n):.0f}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of(__doc__, work=True, count=COUNT, seed=1, workers=1)
    parser.add_argument("--third", type=int, choices=(0, 1, 2), help="only every third sample")
    parser.add_argument("--only", choices=(PLANNED, SIZE, SAME, *OTHERS), help="compute only this part")
    asked = parser.parse_args(arguments)
    numbers = [i for i in range(asked.count) if asked.third is None or i // 6 % 3 == asked.third]
    rows: dict[str, Sequence[Mapping[str, Any]]] = {}
    for part in (PLANNED, SIZE, SAME, *OTHERS):
        chosen: Sequence[int] = {PLANNED: numbers, SAME: range(UNDECIDABLE)}.get(part, ())
        if part in (SIZE, *OTHERS):
            chosen = [r["index"] for r in rows[PLANNED] if r["ambiguous"] == (part != SIZE)]
        if part == SIZE:
            chosen = [r["index"] for r in rows[PLANNED] if r["index"] in chosen and r["before"]]
        if asked.only not in (None, part):  # what is kept
            chosen = [i for i in kept(asked.work / f"{part}-{asked.seed}.jsonl") if i in chosen]
        rows[part] = run(partial(solve, asked.work), part, chosen, asked.seed, asked.work, asked.workers)
    text = "# The next measurement\n\n" + table(rows)
    show(text, asked.write, __file__)
    return 0
