"""When is a curve counted long enough, how often is that said wrongly, and is the forecast of it right?

``python -m benchmarks live/settled`` counts simulated samples in 300 frames of equal time up to the whole of
a measurement as the protocol has it, and looks after each of the first frames and then whenever the counts
have grown by 8 %. Settling: a group of models above the threshold while the counts grow, the rule of
`batch/live/settled.py`. Forecast: samples that are not settled after 2 % of the counts are looked at once,
and what is said of 50 times the counts is compared with what comes. Samples of several seeds are put
together. ``--write`` puts both into ``benchmarks/live/settled.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.batch.live.settled import SETTLED
from sasnet_plugin.batch.recognise import Sequential
from sasnet_plugin.predict.counting import Outlook, group_shares, outlook
from sasnet_plugin.predict.curves import open_classifier
from sasnet_plugin.predict.predictor import Predictor
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import SasnetError

from ..asked import parser_of
from ..tables import markdown, percent
from .counted import counted, samples

#: Frames of a whole measurement, and by how much the counts grow between two looks, but for the first.
FRAMES, GROWTH = 300, 1.08
#: Share of the counts after which the forecast is asked.
ASKED_AT = 0.02
BINS = ((0.0, 0.15), (0.15, 0.5), (0.5, 0.8), (0.8, 1.01))


@dataclass
class Found:
    """What was found."""

    looked: int = 0
    when: list[float] = field(default_factory=list)  #: Shares of the counts at which answers were settled.
    wrong: int = 0  #: Of these.
    #: And whether it was settled in the end.
    forecasts: list[tuple[Outlook, bool]] = field(default_factory=list)


def looks() -> NDArray[np.float64]:
    """Shares of the counts after which it is looked, those of whole frames."""
    frames = [1]
    while frames[-1] < FRAMES:
        frames.append(min(FRAMES, max(frames[-1] + 1, math.ceil(frames[-1] * GROWTH))))
    return np.array(frames) / FRAMES


def settle(found: Found, number: int, asked: int, seed: int, predictor: Predictor, bank: Bank) -> None:
    """Count samples of a seed until they are settled or the measurement is over."""
    rng, choice = np.random.default_rng(seed), predictor.choice(len(predictor.manifest.labels))
    head = predictor.manifest.heads[0]
    group_of = {name: group.name for group in head.groups for name in group.members}  # type: ignore[union-attr]
    shares = looks()
    early = int(np.searchsorted(shares, ASKED_AT))
    for sample in samples(number, seed):
        curves = counted(sample, shares, rng)
        try:
            answers = predictor.answers(curves, choice)
        except SasnetError:
            continue
        found.looked += 1
        rule = Sequential(SETTLED)
        pairs = zip(shares, answers, strict=True)
        at = next(
            (share for share, one in pairs if rule.look(group_shares(one), one.known, float(share))), np.inf
        )
        if rule.settled:
            found.when.append(float(at))
            found.wrong += rule.settled != group_of[sample.model]
        if len(found.forecasts) < asked and at > ASKED_AT:
            ahead = np.random.default_rng(found.looked)
            said = outlook(curves[early], predictor, bank, SETTLED.probability, ahead)
            if said is not None:
                found.forecasts.append((said, bool(rule.settled)))


def main() -> None:
    """Print both tables, or write them."""
    parser = parser_of(
        __doc__, samples=(800, "of each seed"), asked=(80, "samples of which a forecast is asked")
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 11, 29])
    options = parser.parse_args()
    from sasnet_plugin.fitting.api import bank_path

    predictor, bank = open_classifier().predictor, Bank(bank_path())
    found = Found()
    for seed in options.seeds:
        settle(found, options.samples, options.asked, seed, predictor, bank)
        text = _settling(found) + "\n" + _forecast(found.forecasts)
        print(text, flush=True)
        if options.write:
            Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


def _settling(found: Found) -> str:
    looked, when, wrong = found.looked, found.when, found.wrong
    early = float(np.mean(np.array(when) <= 0.3)) if when else float("nan")
    rows = [
        ["samples", str(looked)],
        ["settled within the whole of the counts / %", percent(len(when) / max(looked, 1))],
        ["of these at 30 % of the counts or before / %", percent(early)],
        ["of these wrong / %", percent(wrong / max(len(when), 1))],
        ["share of the counts when settled, median / %", percent(float(np.median(when))) if when else "–"],
    ]
    return "## Settling\n\n" + markdown(["", ""], rows)


def _forecast(forecasts: list[tuple[Outlook, bool]]) -> str:
    times = 1 / ASKED_AT
    chance = np.array([
        np.interp(np.log(times), np.log(said.levels), said.settled) for said, _ in forecasts
    ])  # fmt: skip
    came = np.array([settled for _, settled in forecasts])
    rows = []
    for low, high in BINS:
        inside = (chance >= low) & (chance < high)
        mean = percent(float(chance[inside].mean())) if inside.any() else "–"
        share = percent(float(came[inside].mean())) if inside.any() else "–"
        rows.append([f"{low:.2f} to {min(high, 1.0):.2f}", str(int(inside.sum())), mean, share])
    header = [f"chance that was said of {times:.0f} times the counts", "samples", "said / %", "settled / %"]
    return f"## Forecast at {100 * ASKED_AT:.0f} % of the counts\n\n" + markdown(header, rows)


if __name__ == "__main__":
    main()
