"""Several samples in one table, under the names that people give them, in the orders that programs write."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .samples import Array, File, Measurement, Truth
from .units import PER_NM, text

#: How an intensity and its uncertainty are named; {} is the sample.
STYLES = (
    ("I_{}", "e_{}"), ("I_{}", "sigma_{}"), ("{}", "{}_err"), ("I({})", "dI({})"), ("{}", "error {}"),
    ("Intensity {}", "Uncertainty {}"), ("{} I", "{} dI"), ("I{}", "sig{}"),
    ("I_{}", "Err_{}"),
)  # fmt: skip
#: What samples are called.
LABELS = (
    ("1", "2", "3", "4"), ("5 mg/ml", "2.5 mg/ml", "1.25 mg/ml", "0.6 mg/ml"), ("20C", "30C", "40C", "50C"),
    ("lys", "bsa", "gi", "hsa"), ("A12", "A13", "B1", "B2"), ("D2O", "H2O", "mix", "match"),
)  # fmt: skip
ORDERS = (
    "no uncertainties", "each beside its own", "uncertainties together at the end", "q before each",
    "q before each, no uncertainties",
)  # fmt: skip


def sets(number: int, m: Measurement) -> list[Truth]:
    """The same sample at several levels, each with noise of its own."""
    t, found = m.truth.pinhole_less, []
    for k in range(number):
        level = m.model * (1.0 + 0.7 * k)
        error = np.asarray(t.error) * (1.0 + 0.5 * k)
        noise = np.clip(m.rng.standard_normal(t.q.size), -2.5, 2.5)
        found.append(Truth(t.q, level + error * noise, error))
    return found


def laid_out(order: str, found: list[Truth], names: list[tuple[str, str]]) -> tuple[list[str], list[Array]]:
    """Names and columns in that order; q in nm⁻¹."""
    q = found[0].q * PER_NM
    pairs = [((i, e), (t.intensity, np.asarray(t.error))) for (i, e), t in zip(names, found, strict=True)]
    if order == "no uncertainties":
        return ["q (1/nm)", *(n[0] for n, _ in pairs)], [q, *(c[0] for _, c in pairs)]
    if order == "uncertainties together at the end":
        heads = [n[k] for k in (0, 1) for n, _ in pairs]
        return ["q (1/nm)", *heads], [q, *(c[k] for k in (0, 1) for _, c in pairs)]
    if order == ORDERS[4]:
        return [h for n, _ in pairs for h in ("q (1/nm)", n[0])], [x for _, c in pairs for x in (q, c[0])]
    if order == "q before each":
        return [h for n, _ in pairs for h in ("q (1/nm)", *n)], [c for _, two in pairs for c in (q, *two)]
    return ["q (1/nm)", *(h for n, _ in pairs for h in n)], [q, *(c for _, two in pairs for c in two)]


def beside(order: str, style: tuple[str, str], m: Measurement) -> File:
    number = int(m.rng.integers(2, 5))
    labels = LABELS[int(m.rng.integers(len(LABELS)))][:number]
    found = sets(number, m)
    names, columns = laid_out(order, found, [(style[0].format(x), style[1].format(x)) for x in labels])
    gap = m.pick("\t", ",", ";")
    content = m.pick("", "# ") + gap.join(names) + "\n" + text(columns, m.digits(6, 8), gap)
    right = tuple(t.bare if "no uncertainties" in order else t for t in found)
    return File(m.pick(".csv", ".txt", ".dat"), content.encode(), (right,), ("sample", "data set", "column"))


def ways() -> dict[str, Callable[[Measurement], File]]:
    return {
        f"samples: {order}, `{style[0]}`{'' if 'no unc' in order else f' `{style[1]}`'}": partial(
            beside, order, style
        )
        for order in ORDERS
        for style in STYLES[:: 1 if order == ORDERS[1] else 3]
    }
