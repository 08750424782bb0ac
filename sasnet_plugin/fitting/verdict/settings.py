"""Thresholds of the verdict: from which value on a caution is given, or a fit is shown or named."""

from __future__ import annotations

from dataclasses import dataclass

from ..settings import setting


@dataclass(frozen=True)
class VerdictSettings:
    """Of `verdict`: which fits are shown, what gets a caution, and what is named next."""

    comparable: float = setting(
        0.25, "Of a size: an equal fit that differs by more means another particle, and is named.", "share"
    )
    misstated: float = setting(
        2.3,
        (
            "Uncertainties, or residuals, over the scatter of neighbouring points, or its inverse, beyond"
            " which it is reported. Uncertainties over the residuals, too: χ² then hardly rejects any model."
        ),
    )
    nearer: float = setting(
        10.0, "Reduced χ² of the first over that of another, which is then named for any evidence."
    )
    rounding: float = setting(
        0.2, "Of an error: one significant digit where it is changed by no more, else two.", "share"
    )


VERDICT = VerdictSettings()
