"""An answer: the findings of all heads about one measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from ..domains.heads import Scope
from .wording import percent

F = TypeVar("F")


@dataclass(frozen=True)
class Answer:
    """What is said of one measurement.

    Parameters
    ----------
    file, entry : str
        Where it came from.
    in_scope : float
        0..1; how much it looks like anything that the network knows.
    findings : tuple of Finding
        In the order of the domain's heads.
    notes : tuple of str
        What was done to the data and what to be careful about, one plain sentence each.
    scope : Scope
        What is said of the scope.
    known : bool
        Whether `in_scope` is above the model's threshold.
    keys : tuple of str
        Entries of ``--json`` in their order, None where there is no such finding; empty: as they come.
    """

    file: str
    entry: str
    in_scope: float
    findings: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    scope: Scope = Scope()
    known: bool = True
    keys: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        found: dict[str, Any] = {"file": self.file, "entry": self.entry}
        for finding in self.findings:
            found |= finding.as_dict()
        found |= {"in_scope": round(float(self.in_scope), 6), "notes": list(dict.fromkeys(self.notes))}
        return {key: found.get(key) for key in self.keys} if self.keys else found

    def finding(self, kind: type[F], name: str = "") -> F | None:
        """The first finding of a type, and of a head of this name."""
        for one in self.findings:
            if isinstance(one, kind) and name in ("", one.head.name):  # type: ignore[attr-defined]
                return one
        return None

    def sentences(self) -> list[str]:
        """What is said below the tables: verdict, scope, the rest, and the notes that are not among them."""
        said = [list(finding.sentences()) for finding in self.findings]
        verdict = said[0] if said else []
        if self.known:
            scope = f"{self.scope.inside}: {percent(self.in_scope)}."
        else:
            scope = self.scope.outside
            # Without a verdict of its own such a finding is silent.
            verdict = [f"If it is one of the known kinds all the same: {one}" for one in verdict]
        first = [*verdict, scope, *(sentence for rest in said[1:] for sentence in rest)]
        rest = [note for note in dict.fromkeys(self.notes) if not any(one.endswith(note) for one in first)]
        return [*first, *(f"Note: {note}" for note in rest)]
