"""The molecular weight of a protein from its sequence."""

from __future__ import annotations

from pathlib import Path

from ..types import DataError

#: Da, mean masses of residues (IUPAC 2021 atomic weights).
_RESIDUES = {
    "A": 71.079, "R": 156.189, "N": 114.104, "D": 115.089, "C": 103.139, "Q": 128.131, "E": 129.116,
    "G": 57.052, "H": 137.142, "I": 113.160, "L": 113.160, "K": 128.175, "M": 131.193, "F": 147.177,
    "P": 97.117, "S": 87.078, "T": 101.105, "W": 186.214, "Y": 163.176, "V": 99.133, "U": 150.038,
}  # fmt: skip
_WATER = 18.015


def read_sequence(text: str) -> str:
    """Return the letters of a sequence, or of the first one of a FASTA file that the text names.

    Raises
    ------
    DataError
        The file cannot be read, or a letter is no amino acid.
    """
    name = "the sequence"
    if not text.replace("*", "").isalpha() or Path(text).is_file():
        name = text
        try:
            content = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise DataError(f"{text}: cannot be read as a FASTA file; check the path.") from None
        lines = content.strip().splitlines()
        first = next((k for k, line in enumerate(lines) if line.startswith(">")), -1)
        after = next((k for k, line in enumerate(lines) if line.startswith(">") and k > first), len(lines))
        text = "".join(lines[first + 1 : after])
    letters = "".join(text.upper().split()).rstrip("*")
    unknown = sorted(set(letters) - set(_RESIDUES))
    if unknown or not letters:
        what = f"has {', '.join(unknown)}, which is no amino acid" if unknown else "is empty"
        raise DataError(f"{name}: the sequence {what}; write one-letter codes.")
    return letters


def sequence_mass(letters: str) -> float:
    """Return the molecular weight, kDa."""
    return (sum(_RESIDUES[letter] for letter in letters) + _WATER) / 1000
