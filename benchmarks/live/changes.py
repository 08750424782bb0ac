"""Are changes of a sample found within three frames, and how often is one found where there is none?

``python -m benchmarks live/changes`` simulates 60 series of 80 frames, 15 of each kind of change, and series
in which nothing happens but that intensity and background drift. Stated uncertainties are wrong by a factor
of 0.5 to 2. One odd frame (half of its intensity missing at low q) is in every fifth quiet series.
``--write`` puts the table into ``benchmarks/live/changes.md``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sasnet_plugin.model_free.changes import Change, Detector

from ..asked import parser_of
from ..tables import markdown, percent
from .series import KINDS, Series, drawn, measured

WITHIN = 3


def found(series: Series, rng: np.random.Generator, *, odd: bool = False) -> list[Change]:
    """Changes that are reported of a series; what goes on with one before is none of its own."""
    detector, changes = Detector(), []
    spoilt = int(rng.integers(10, series.frames - 10)) if odd else 0
    for number, frame in enumerate(measured(series, rng), start=1):
        intensity = np.array(frame.intensity)
        if number == spoilt:
            intensity[: intensity.size // 4] *= 0.5
        assert frame.dintensity is not None
        change = detector.add(number, frame.q, intensity, frame.dintensity)
        if change is not None and not change.goes_on:
            changes.append(change)
    return changes


def main() -> None:
    """Print the table, or write it."""
    parser = parser_of(
        __doc__,
        each=(15, "series of each kind"),
        quiet=(40, "series without a change, of 250 frames"),
        seed=1,
    )
    options = parser.parse_args()
    rows, hits, total, extra = [], 0, 0, 0
    for index, kind in enumerate(KINDS):
        named, late, more = 0, [], 0
        for number in range(options.each):
            rng = np.random.default_rng([options.seed, index, number])
            series = drawn(kind, rng)
            changes = found(series, rng)
            near = [one for one in changes if abs(one.first - series.first) <= WITHIN]
            named += bool(near)
            late += [one.seen - series.first for one in near[:1]]
            more += len(changes) - len(near[:1])
        after = [f"{np.quantile(late, share):.0f}" if late else "–" for share in (0.5, 0.9)]
        rows.append([kind, str(options.each), percent(named / options.each), *after, str(more)])
        hits, total, extra = hits + named, total + options.each, extra + more
    false = frames = 0
    for number in range(options.quiet):
        rng = np.random.default_rng([options.seed, 9, number])
        series = drawn("nothing", rng, frames=250)
        false += len(found(series, rng, odd=number % 5 == 0))
        frames += series.frames
    header = [
        "change",
        "series",
        f"named within {WITHIN} frames / %",
        "seen after, median",
        "90 %",
        "besides",
    ]
    text = markdown(header, rows)
    text += (
        f"\nOf all {total} series {percent(hits / total)} % are named within {WITHIN} frames of the change;"
    )
    text += f" besides {extra} changes that are none. In {frames:,} frames without a change: {false}"
    text += f" ({1000 * false / max(frames, 1):.2f} in 1,000).\n"
    print(text)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
