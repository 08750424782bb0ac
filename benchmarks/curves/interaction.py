"""Does the network see the interaction between bodies, name its type, and say where a window cannot show it?

``python -m benchmarks curves/interaction`` simulates bodies with and without each structure factor, and
windows that begin below or beyond q = 0.8 π/R_eff, the effective radius being what sasmodels takes for S(q).
Parameters, windows and noise are written here and nowhere else. ``--write`` puts the table into
``benchmarks/curves/interaction.md``. Another zoo: SASNET_MODEL_ZOO=FOLDER.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("SAS_OPENCL", "none")

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.types import Curve

from ..asked import parser_of
from ..tables import markdown, percent

FACTORS = ("hardsphere", "hayter_msa", "squarewell", "stickyhardsphere")
BODIES = ("sphere", "core_shell_sphere", "ellipsoid", "cylinder", "vesicle", "fuzzy_sphere")
#: A window that begins below this times π/R_eff can show a structure factor.
SHOWN_BELOW = 0.8
#: Share of curves without structure factor that may be said to have one.
FALSE = 0.1
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """A simulated curve and what is true of it."""

    curve: Curve
    factor: str  #: Structure factor, empty for none.
    shown: bool  #: Whether its window begins below 0.8 π/R_eff.


def body(name: str, rng: np.random.Generator) -> dict[str, float]:
    """Parameters of a body of 20 to 120 Å in sasmodels' units, with a width of 2 to 15 %."""
    size = float(np.exp(rng.uniform(np.log(20.0), np.log(120.0))))
    shell = size * float(rng.uniform(0.15, 0.6))
    shapes = {
        "sphere": {"radius": size},
        "core_shell_sphere": {"radius": size, "thickness": shell},
        "ellipsoid": {"radius_polar": size * float(rng.uniform(0.5, 2.0)), "radius_equatorial": size},
        "cylinder": {"radius": size, "length": 2 * size * float(rng.uniform(0.5, 2.5))},
        "vesicle": {"radius": size, "thickness": shell},
        "fuzzy_sphere": {"radius": size, "fuzziness": size * float(rng.uniform(0.05, 0.25))},
    }
    found = shapes[name]
    first = "radius_equatorial" if name == "ellipsoid" else "radius"
    return found | {f"{first}_pd": float(rng.uniform(0.02, 0.15)), f"{first}_pd_n": 21}


def interaction(name: str, rng: np.random.Generator) -> dict[str, float]:
    """Parameters of a structure factor at volume fractions of 0.1 to 0.4."""
    own = {
        "hardsphere": {},
        "hayter_msa": {
            "charge": float(rng.uniform(5, 40)),
            "concentration_salt": float(10 ** rng.uniform(-4, -1.5)),
        },
        "squarewell": {"welldepth": float(rng.uniform(0.3, 1.2)), "wellwidth": float(rng.uniform(1.1, 1.6))},
        "stickyhardsphere": {"stickiness": float(rng.uniform(0.12, 0.5)), "perturb": 0.05},
    }[name]
    return own | {"volfraction": float(rng.uniform(0.1, 0.4))}


def example(index: int, seed: int, *, factor: str, shown: bool) -> Example | None:
    """One curve; None where sasmodels gives none."""
    from sasmodels.core import load_model
    from sasmodels.direct_model import call_kernel

    rng = np.random.default_rng([seed, index, FACTORS.index(factor) + 1 if factor else 0, shown])
    form = BODIES[index % len(BODIES)]
    # R_eff is known once S(q) has been calculated for the body, of whatever type.
    product = load_model(f"{form}@{factor or 'hardsphere'}", dtype="double", platform="dll")
    pars: dict[str, Any] = body(form, rng) | {"background": 0.0, "radius_effective_mode": 1}
    pars |= {"volfraction": 0.1} | (interaction(factor, rng) if factor else {})
    probe = product.make_kernel([np.array([0.01])])
    call_kernel(probe, pars)
    radius = float(probe.results()["radius_effective"])
    below = np.exp(rng.uniform(np.log(0.1), np.log(0.7))) if shown else rng.uniform(1.3, 4.0)
    first = SHOWN_BELOW * np.pi / radius * float(below)
    q = np.geomspace(first, min(first * 10 ** rng.uniform(1.0, 2.0), 1.0), int(rng.integers(80, 300)))
    if q[-1] < 3 * first:
        return None
    model = product if factor else load_model(form, dtype="double", platform="dll")
    if not factor:
        pars = {k: v for k, v in pars.items() if k not in ("radius_effective_mode", "volfraction")}
    with np.errstate(all="ignore"):
        clean = np.asarray(call_kernel(model.make_kernel([q]), pars))
    if not np.all(np.isfinite(clean)) or np.any(clean < 0) or not clean.max() > 0:
        return None
    clean = clean / clean.max() + 10 ** rng.uniform(-4, -2)
    sigma = clean * np.hypot(0.01, 10 ** rng.uniform(-2.5, -1.5) / np.sqrt(clean / clean.max()))
    return Example(Curve(q, clean + sigma * rng.standard_normal(q.size), sigma), factor, shown)


def examples(each: int, seed: int) -> list[Example]:
    """For either kind of window as many with a factor as without one."""
    asked = [(i, factor, shown) for i in range(each) for factor in FACTORS for shown in (True, False)]
    asked += [(i, "", shown) for i in range(len(FACTORS) * each) for shown in (True, False)]
    found = (example(i, seed, factor=factor, shown=shown) for i, factor, shown in asked)
    return [one for one in found if one is not None]


def figures(every: Sequence[Example]) -> dict[str, float]:
    """What the network says of them."""
    from sasnet_plugin.predict.curves import open_classifier
    from sasnet_plugin.predict.tags import InteractionFinding

    predictor = open_classifier().predictor
    answers = predictor.answers([one.curve for one in every], predictor.choice(5, prior="uniform"))
    said = [found for answer in answers if (found := answer.finding(InteractionFinding)) is not None]
    score = np.array([one.interacting for one in said])
    has = np.array([bool(one.factor) for one in every])
    shown = np.array([one.shown for one in every])
    right = np.array([found.kind == one.factor for found, one in zip(said, every, strict=True)])
    cannot = np.array([found.window_shows is False for found in said])
    threshold = np.quantile(score[shown & ~has], 1 - FALSE)
    seen = shown & has & (score > threshold)
    return {
        "curves": float(len(every)),
        "detected": float(np.mean(score[shown & has] > threshold)),
        "detected beyond": float(np.mean(score[~shown & has] > np.quantile(score[~shown & ~has], 1 - FALSE))),
        "said at 0.5, with": float(np.mean(score[shown & has] > 0.5)),
        "said at 0.5, without": float(np.mean(score[shown & ~has] > 0.5)),
        "type right": float(np.mean(right[seen])),
        "cannot, beyond": float(np.mean(cannot[~shown])),
        "cannot, below": float(np.mean(cannot[shown])),
    }


def page(found: dict[str, float]) -> str:
    """The figures in Markdown."""
    words = {
        "detected": f"detected at {100 * (1 - FALSE):.0f} % specificity, q_min < 0.8 π/R_eff",
        "detected beyond": "the same, beyond (chance: 10 %)",
        "said at 0.5, with": "said to interact, with a structure factor, q_min < 0.8 π/R_eff",
        "said at 0.5, without": "said to interact, without one",
        "type right": "type right, of those detected",
        "cannot, beyond": "“this window cannot show it”, windows beyond",
        "cannot, below": "the same, windows below",
    }
    rows = [[text, percent(found[key])] for key, text in words.items()]
    start = f"# Interaction between bodies\n\n{found['curves']:.0f} curves, volume fractions 0.1 to 0.4.\n\n"
    return start + markdown(["", "%"], rows)


def main() -> None:
    """Simulate, ask, print the table."""
    parser = parser_of(__doc__, each=(60, "curves of a structure factor and window"), seed=2026)
    asked = parser.parse_args()
    text = page(figures(examples(asked.each, asked.seed)))
    print(text)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
