"""When is a curve counted long enough, how often is that said wrongly, and is the forecast of it right?

``python -m benchmarks live/settled`` counts simulated samples in 20 steps from 0.3 % to the whole of a
measurement as the protocol has it. Settling: a group of models above the threshold for some looks in a row,
the rule of `batch/live/settled.py`. Forecast: samples that are not settled after 2 % of the counts are looked
at once, and what is said of 50 times the counts is compared with what comes. ``--write`` puts both into
``benchmarks/live/settled.md``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sasnet_plugin.batch.live.settled import SETTLED
from sasnet_plugin.batch.recognise import Sequential
from sasnet_plugin.predict.counting import Outlook, group_shares, outlook
from sasnet_plugin.predict.curves import open_classifier
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import SasnetError

from ..tables import markdown, percent
from .counted import counted, samples

STEPS = np.geomspace(0.003, 1.0, 20)
#: Step at which the forecast is asked, and the times of the counts that are then left.
ASKED = 6
BINS = ((0.0, 0.15), (0.15, 0.5), (0.5, 0.8), (0.8, 1.01))


def main() -> None:
    """Print both tables, or write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--asked", type=int, default=80, help="samples of which a forecast is asked")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    from sasnet_plugin.fitting.api import bank_path

    predictor, bank = open_classifier().predictor, Bank(bank_path())
    rng, choice = np.random.default_rng(options.seed), predictor.choice(len(predictor.manifest.labels))
    head = predictor.manifest.heads[0]
    group_of = {name: group.name for group in head.groups for name in group.members}  # type: ignore[union-attr]
    looked, when, wrong, forecasts = 0, [], 0, []
    for sample in samples(options.samples, options.seed):
        curves = counted(sample, STEPS, rng)
        try:
            answers = predictor.answers(curves, choice)
        except SasnetError:
            continue
        looked += 1
        rule, at = Sequential(SETTLED), None
        for step, answer in enumerate(answers):
            if rule.look(group_shares(answer), answer.known):
                at = step
                break
        if at is not None:
            when.append(float(STEPS[at]))
            wrong += rule.settled != group_of[sample.model]
        if len(forecasts) < options.asked and (at is None or at > ASKED):
            said = outlook(curves[ASKED], predictor, bank, SETTLED.probability, np.random.default_rng(looked))
            if said is not None:
                forecasts.append((said, at is not None))
    text = _settling(looked, when, wrong) + "\n" + _forecast(forecasts)
    print(text)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


def _settling(looked: int, when: list[float], wrong: int) -> str:
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
    times = float(STEPS[-1] / STEPS[ASKED])
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
    return f"## Forecast at {100 * STEPS[ASKED]:.1f} % of the counts\n\n" + markdown(header, rows)


if __name__ == "__main__":
    main()
