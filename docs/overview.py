"""README's picture: a measured curve, the models that the network ranks, and the best fit with its residuals.

    python docs/overview.py

The measurement is that of the tutorial (`pictures`), SANS of sodium dodecyl sulfate micelles.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pictures import FILE, FOLDER

#: So many models are listed.
LISTED = 6
INK, DATA, BEST = "#333333", "#7a8794", "#c0392b"


def main() -> None:
    """Classify, fit and draw."""
    import sasdata

    import sasnet_plugin

    (curve,) = sasnet_plugin.load(Path(sasdata.__file__).parent / "example_data" / "1d_data" / FILE)
    suggestion, result = sasnet_plugin.suggest(curve, top=LISTED), sasnet_plugin.fit(curve)
    if result.limit_met:
        raise SystemExit("The time limit ended the search early; run again on an idle machine.")
    path = FOLDER / "overview.png"
    figure(suggestion, result).savefig(path, dpi=110)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB; {result.best.short_model}")


def figure(suggestion: Any, result: Any) -> Any:
    """The ranking on the left, with the model whose fit is on the right, above its residuals."""
    from matplotlib.figure import Figure

    from sasnet_plugin.types import product_name

    made = Figure(figsize=(8.6, 3.5), layout="constrained")
    left, right = made.subfigures(1, 2, width_ratios=(1, 1.25))
    bars = left.subplots()
    names = [f"{m.name} × {m.structure_factor}" if m.structure_factor else m.name for m in suggestion.models]
    full = [product_name(m.name, m.structure_factor) for m in suggestion.models]
    share = 100 * np.array([m.probability for m in suggestion.models])
    bars.barh(range(len(names)), share, color=[BEST if one == result.best.name else DATA for one in full])
    bars.set_yticks(range(len(names)), names, fontsize=8)
    bars.invert_yaxis()
    bars.set_xlabel("probability / %")
    bars.set_title("sasnet classify", fontsize=9, color=INK)
    bars.spines[["top", "right"]].set_visible(False)

    best, measured = result.best, result.curve
    residuals = (measured.intensity - best.theory) / result.dintensity
    upper, lower = right.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    error = {"fmt": ".", "ms": 3, "lw": 0.7, "color": DATA}
    upper.errorbar(measured.q, measured.intensity, result.dintensity, label="measured", **error)
    upper.plot(measured.q, best.theory, color=BEST, lw=1.3, label=best.name)
    upper.set(xscale="log", yscale="log", ylabel="I / cm⁻¹", ylim=(0.008, None))
    upper.legend(fontsize=8, frameon=False)
    upper.set_title("sasnet fit", fontsize=9, color=INK)
    lower.axhline(0, color=INK, lw=0.6)
    lower.plot(measured.q, residuals, ".", ms=3, color=BEST)
    lower.set(xlabel="q / Å⁻¹", ylabel="residual / σ")
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
    return made


if __name__ == "__main__":
    main()
