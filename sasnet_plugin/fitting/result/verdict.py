"""The verdict on an answer: a level, a headline, a caution, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...wording import template

# --- The verdict.

#: The levels: green, yellow and red.
EXPLAINS, DOUBTS, DOES_NOT = "explains", "explains with doubts", "does not explain"


@dataclass(frozen=True)
class Verdict:
    """What is said first, the same in the terminal, in JSON, on the page, in SasView and in Bumps."""

    #: `EXPLAINS`, where there is nothing that would hurt; `DOUBTS`, where something may; or `DOES_NOT`.
    level: str = DOES_NOT
    #: Whether the data are explained, by what, with values and errors.
    headline: str = "No model could be fitted."
    doubts: tuple[str, ...] = ()  #: What may be wrong, the most harmful first; one sentence each.
    #: A command of ``sasnet`` with every option that was given; empty where there is no file to name.
    next: str = ""
    purpose: str = ""  #: What that is for, a phrase.
    #: Where that only shows the answer, what follows for who reads it already, and for what; None elsewhere.
    after_report: tuple[str, str] | None = None

    @property
    def doubt(self) -> str:
        """The one that would hurt most; empty where there is none."""
        return self.doubts[0] if self.doubts else ""

    @property
    def caution(self) -> str:
        """The caution that matters most; empty where there is none."""
        return self.doubt

    def lines(self) -> list[str]:
        """Three lines for people, or fewer where there is no caution or nothing to do."""
        lines = [self.headline]
        if self.doubt:
            lines.append(f"Caution: {self.doubt}")
        if self.next:
            lines.append(f"Next: {self.next}{f'  # {self.purpose}' if self.purpose else ''}")
        return lines

    def __str__(self) -> str:
        return " ".join(self.lines()[: 2 if self.doubt else 1])

    def as_dict(self) -> dict[str, Any]:
        """For JSON; ``doubt`` and ``doubts`` are former names of the cautions, until the next release."""
        return {
            "headline": self.headline,
            "caution": self.caution,
            "next": self.next,
            "verdict": self.level,
            "purpose": self.purpose,
            "cautions": list(self.doubts),
            "doubt": self.doubt,
            "doubts": list(self.doubts),
        }


#: Why a fit ranks before one with a smaller χ².
SMOOTH = template("its residuals are smooth, as a systematic error would be")
