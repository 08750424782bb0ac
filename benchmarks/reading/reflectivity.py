"""Are specular reflectivities recognised by their shape, and is no small-angle curve taken for one?

``python -m benchmarks reading/reflectivity`` simulates reflectivities of many samples and instruments, and
five times as many small-angle curves, most of them scaled to 1 (`reflectivity_curves`); no words in the file
tell one from the other. ``--write`` puts the table into ``benchmarks/reading/reflectivity.md``. The settings
of `data.reflectivity` were chosen on seeds 7, 11, 12, 21 and 22.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sasnet_plugin.data.reflectivity import likeness

from ..asked import parser_of
from ..tables import markdown, percent
from .reflectivity_curves import Sample, small_angle, specular


def table(samples: Sequence[Sample]) -> str:
    """The figures in Markdown."""
    found = [likeness(sample.q, sample.intensity, sample.dintensity) for sample in samples]
    rows = []
    for words, chosen in _PARTS.items():
        part = [one for one, sample in zip(found, samples, strict=True) if chosen(sample)]
        if part:
            shares = [percent(part.count(one) / len(part)) for one in ("certain", "possible")]
            rows.append([words, str(len(part)), *shares])
    header = ["curves", "number", "refused, %", "read with a caution, %"]
    return "# Reflectivities\n\n" + markdown(header, rows)


_PARTS = {
    "reflectivities": lambda one: one.kind == "specular",
    "reflectivities, neutrons, scaled to 1": lambda one: (
        one.kind == "specular" and one.sample.startswith("neutrons") and one.scaled and not one.footprint
    ),
    "reflectivities, X-rays, scaled to 1": lambda one: (
        one.kind == "specular" and one.sample.startswith("X-rays") and one.scaled and not one.footprint
    ),
    "reflectivities at another scale": lambda one: one.kind == "specular" and not one.scaled,
    "reflectivities with a footprint": lambda one: one.kind == "specular" and one.footprint,
    "small angle": lambda one: one.kind == "small angle",
    "small angle, scaled to 1": lambda one: one.kind == "small angle" and one.scaled,
}


def main() -> None:
    """Simulate, judge, print the table."""
    asked = parser_of(__doc__, each=(200, "reflectivities"), seed=2026).parse_args()
    samples = [
        make(np.random.default_rng([asked.seed, row, number]))
        for row, (make, times) in enumerate(((specular, 1), (small_angle, 5)))
        for number in range(asked.each * times)
    ]
    text = table(samples)
    print(text)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
