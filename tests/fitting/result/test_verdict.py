"""The noun of what is said: its lines, and its keys in JSON."""

from __future__ import annotations

import json

from sasnet_plugin.fitting.result.verdict import DOES_NOT, DOUBTS, Verdict

FULL = Verdict(DOUBTS, "Spheres.", ("It may be wrong.", "A little."), "sasnet fit a.dat", "to look")


def test_three_lines_and_fewer_where_there_is_less() -> None:
    assert FULL.lines() == ["Spheres.", "Caution: It may be wrong.", "Next: sasnet fit a.dat  # to look"]
    assert Verdict("explains", "Spheres.").lines() == ["Spheres."]
    assert str(FULL) == "Spheres. Caution: It may be wrong."


def test_json_has_the_three_and_what_they_are_made_of() -> None:
    said = json.loads(json.dumps(FULL.as_dict()))
    assert (said["headline"], said["doubt"], said["next"]) == (
        "Spheres.",
        "It may be wrong.",
        "sasnet fit a.dat",
    )
    assert said["doubts"] == ["It may be wrong.", "A little."]
    assert (said["verdict"], said["purpose"]) == (DOUBTS, "to look")


def test_before_anything_is_said_nothing_explains() -> None:
    assert Verdict().level == DOES_NOT
    assert Verdict().doubt == ""
