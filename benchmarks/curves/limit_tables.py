"""Tables of the limit: best possible and network, structure factors by window, reliability."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tables import markdown

Floats = NDArray[np.float64]
#: What is kept of a curve, see `limit.answered`.
Row = Mapping[str, Any]
#: Of the samples that can interact, so many do here, for the structure factor's sake; figures of all curves
#: are weighted back to the protocol's.
INTERACTING, PROTOCOL = 0.5, 0.25
#: A true curve that takes longer is left out, s.
SLOWEST = 0.05
#: A window that begins below this times π/R can show a structure factor, R being the effective radius.
SHOWN_BELOW = 0.8
#: Edges of the largest posterior probability that the reliability is told in.
BINS = (0.0, 0.5, 0.8, 0.95, 0.995, 1.01)
_FORMS = (
    "Expected is the mean of the largest posterior probability among the models compared: what the best"
    " possible answer reaches. It is an upper bound, as rivals that were not compared, or not fitted where"
    " they are best, would take probability from the first, and as true resolution, uncertainties, masked"
    " faults and the type of size distribution and of interaction are given to all. In the next column what"
    " was not compared has the network's probability. Truth first is how often the true model has the most:"
    " where posteriors are right, the same. The network reads the same curves as a file has them."
)
_FACTORS = (
    "p of any: the posterior probability that there is any structure factor, a quarter beforehand. Half of"
    " these samples interact; means of all are weighted back to a quarter. Form, resolution and uncertainties"
    " are known: an upper bound, too."
)


def mean_of(values: Sequence[float] | Floats, weights: Floats) -> str:
    """A weighted mean in per cent with its standard error."""
    x = np.asarray(values, dtype=float)
    if x.size < 2:
        return "–"
    w = weights / weights.sum()
    mean = float(w @ x)
    error = float(np.sqrt(np.sum((w * (x - mean)) ** 2) * x.size / (x.size - 1)))
    return f"{100 * mean:.1f} ± {100 * error:.1f}"


def protocol_weights(rows: Sequence[Row]) -> Floats:
    """Of curves that interact, and of those that could but do not, as many as the protocol has."""
    up, down = PROTOCOL / INTERACTING, (1 - PROTOCOL) / (1 - INTERACTING)
    return np.array([up if r["factor"] else down if r["by_factor"] else 1.0 for r in rows])


def first_of(probability: Mapping[str, float]) -> str:
    """The most probable."""
    return max(probability, key=lambda name: probability[name])


def forms_table(rows: Sequence[Row]) -> str:
    """Best possible and network, first answers, by instrument."""
    header = ["curves", "number", "perfect: expected", "the same, all models", "perfect: truth first"]
    header += ["network: truth first", "network: expected"]
    groups: dict[str, list[Row]] = {"all": list(rows)}
    for row in sorted(rows, key=lambda row: str(row["instrument"])):
        groups.setdefault(str(row["instrument"]), []).append(row)
    columns: list[Callable[[Row], float]] = [
        lambda r: max(r["posterior"].values()),
        lambda r: max(r["posterior"].values()) * r["examined"],
        lambda r: float(r["success"]),
        lambda r: float(first_of(r["network"]) == r["model"]),
        lambda r: max(r["network"].values()),
    ]
    lines = []
    for name, some in groups.items():
        w = protocol_weights(some)
        lines.append([name, str(len(some)), *(mean_of([column(r) for r in some], w) for column in columns)])
    return markdown(header, lines)


def factors_table(rows: Sequence[Row]) -> str:
    """Structure factor: is there one, and its type, by the window."""
    can = [r for r in rows if r["by_factor"]]
    header = ["window", "curves", "perfect: expected", "perfect: truth first"]
    header += ["with one: type first", "network: that", "with one: p of any", "without: p of any"]
    windows: dict[str, Callable[[Row], bool]] = {
        "all that can interact": lambda r: True,
        f"begins below {SHOWN_BELOW} π/R": lambda r: r["reach"] < SHOWN_BELOW,
        "begins beyond": lambda r: r["reach"] >= SHOWN_BELOW,
    }
    lines = []
    for name, chosen in windows.items():
        some = [r for r in can if chosen(r)]
        has, none = [r for r in some if r["factor"]], [r for r in some if not r["factor"]]
        w, one, other = protocol_weights(some), np.ones(len(has)), np.ones(len(none))
        cells = [
            mean_of([max(r["by_factor"].values()) for r in some], w),
            mean_of([float(first_of(r["by_factor"]) == r["factor"]) for r in some], w),
            mean_of([float(first_of(r["by_factor"]) == r["factor"]) for r in has], one),
            mean_of([float(first_of(r["network_factor"]) == r["factor"]) for r in has], one),
            mean_of([1 - r["by_factor"][""] for r in has], one),
            mean_of([1 - r["by_factor"][""] for r in none], other),
        ]
        lines.append([name, str(len(some)), *cells])
    return markdown(header, lines)


def reliability(rows: Sequence[Row]) -> str:
    """Whether the truth is first as often as the posterior says, in bins of it."""
    lines = []
    w = protocol_weights(rows)
    top = np.array([max(r["posterior"].values()) for r in rows])
    right = np.array([float(r["success"]) for r in rows])
    for low, high in pairwise(BINS):
        some = (top >= low) & (top < high)
        said, was = mean_of(top[some], w[some]), mean_of(right[some], w[some])
        lines.append([f"{100 * low:.4g} to {100 * min(high, 1):.4g} %", str(int(some.sum())), said, was])
    return markdown(["largest posterior probability", "curves", "its mean / %", "truth first / %"], lines)


def page(rows: Sequence[Row], more: Sequence[Row]) -> str:
    """All tables with what they hold for; `more` curves of structure factors alone."""
    good = [r for r in rows if r.get("kept")]
    slow = sorted(str(r["model"]) for r in rows if r.get("slow"))
    effective = np.array([r["effective"] for r in good])
    apart = np.array([abs(r["laplace"] - r["sampled"]) for r in good if r["effective"] >= 5])
    examined = np.array([r["examined"] for r in good])
    names = ", ".join(f"{n} {slow.count(n)}" for n in dict.fromkeys(slow)) or "none"
    return "\n".join(
        [
            "# The limit: how often a perfect classifier would be right",
            "",
            f"{len(good)} curves of the realistic protocol, all form models in turn; % ± standard error.",
            "",
            forms_table(good),
            _FORMS,
            "",
            "Structure factor, the form being known:",
            "",
            factors_table(more or good),
            _FACTORS,
            "",
            "Whether the posterior can be believed:",
            "",
            reliability(good),
            f"{100 * np.mean(effective >= 5):.0f} % of the true models' evidences are by samples (median of"
            f" {np.median(effective):.0f} effective ones); there Laplace's formula is {np.median(apart):.2f}"
            f" off in ln p at the median, {np.quantile(apart, 0.9):.1f} at nine tenths. The models compared"
            f" hold {100 * examined.mean():.1f} % of the network's probability at the mean, all but 1 % for"
            f" {100 * np.mean(examined > 0.99):.0f} % of the curves. Curves left out, as one"
            f" calculation takes more than {1000 * SLOWEST:.0f} ms: {names}. All together took"
            f" {sum(float(r['seconds']) for r in (*rows, *more)):,.0f} CPU-seconds.",
            "",
        ]
    )
