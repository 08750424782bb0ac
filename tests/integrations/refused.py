"""Fits that make no sense, and a word of the sentence that says so: of `sasnet serve` and `sasnet mcp`."""

from __future__ import annotations

from typing import Any

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"models": ["sfere"]}, "sphere"),
    ({"structure_factor": "hard"}, "no such structure factor"),
    ({"exclude": ["sfere"]}, "sphere"),
    ({"solvent": "Unobtainium"}, "neither a chemical formula"),
    ({"models": ["sphere"], "fixed": {"colour": 1.0}}, "colour"),
    ({"probe": "muon", "solvent": "D2O"}, "muon"),
]
