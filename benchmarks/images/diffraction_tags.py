"""The packaged network on simulated shots it never saw, by number of photons: each tag's figures.

``python -m benchmarks images/diffraction_tags --number 600`` writes the table beside this file. Shots are
drawn as in training, where rare kinds are frequent; `docs/diffraction.md` has the shares.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sasnet_plugin.domains.diffraction import LABELS
from sasnet_plugin.kinds.diffraction import DIFFRACTION
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.predict.tags import TagsFinding
from sasnet_plugin.simulate.diffraction.simulator import SIMULATOR

from ..asked import parser_of

PHOTONS = (1e2, 1e3, 1e4, 1e6)
_BINS = 10


def calibration_error(p: np.ndarray, truth: np.ndarray) -> float:
    """Expected calibration error over ten bins of equal width."""
    which = np.minimum((p * _BINS).astype(int), _BINS - 1)
    gaps = [
        (which == b).mean() * abs(p[which == b].mean() - truth[which == b].mean())
        for b in range(_BINS)
        if (which == b).any()
    ]
    return float(sum(gaps))


def main() -> None:
    """Simulate, ask, and write the table."""
    parser = parser_of(__doc__, write=False, number=600, seed=77)
    options = parser.parse_args()
    from sklearn.metrics import average_precision_score, precision_recall_fscore_support

    rng = np.random.default_rng(options.seed)
    rows = [SIMULATOR.clean(SIMULATOR.sample(rng)) for _ in range(options.number)]
    predictor = open_predictor(DIFFRACTION.name)
    lines = [
        "# Tags of diffraction images",
        "",
        f"The packaged network on {options.number} new shots of its prior, at a given number of photons.",
        "",
        "| photons | tag | in | precision | recall | F1 | average precision | calibration error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for photons in PHOTONS:
        images, targets = SIMULATOR.measure(rows, rng, exposure=photons)
        answers = predictor.answers(images)
        tags = [answer.finding(TagsFinding) for answer in answers]
        p = np.array([[one.probability.get(name, 0.0) for name in LABELS] for one in tags if one])
        said = np.array([[name in one.present for name in LABELS] for one in tags if one])
        truth = targets["tags"] > 0.5
        found = []
        for column, name in enumerate(LABELS):
            y = truth[:, column]
            precision, recall, f1, _ = precision_recall_fscore_support(
                y, said[:, column], average="binary", zero_division=0
            )
            ap = average_precision_score(y, p[:, column]) if y.any() else np.nan
            found.append((precision, recall, f1, ap, calibration_error(p[:, column], y)))
            cells = " | ".join(f"{x:.2f}" for x in found[-1][:4])
            lines.append(f"| {photons:.0e} | {name} | {y.mean():.0%} | {cells} | {found[-1][4]:.3f} |")
        mean = np.nanmean(found, axis=0)
        cells = " | ".join(f"{x:.2f}" for x in mean[:4])
        refused = np.mean([not answer.known for answer in answers])
        lines.append(
            f"| {photons:.0e} | **mean** ({refused:.0%} called out of scope) | | {cells} | {mean[4]:.3f} |"
        )
        print(lines[-1], flush=True)
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
