"""The packaged network for diffraction images, from a file to the answer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.images.diffraction.prediction import Bank, profiles
from sasnet_plugin.images.diffraction.simulation import (
    KINDS,
    PIXELS,
    SIMULATOR,
    draw_sample,
    shot,
    simulate_measurement,
)
from sasnet_plugin.images.diffraction.specification import LABELS
from sasnet_plugin.types import Image

#: A stack comes from one detector, and its reader finds hole and gaps in the sum of all frames.
DETECTOR = {"hole": 0.08, "gap": 0.0, "beside": 0.0, "dead": 0.0, "saturation": 0.0}
#: Frames of each kind; of empty ones more, as none may be given a tag that it has not.
FRAMES = {"round": 12, "streak_bent": 12, "empty": 60}


def images(kind: str, exposure: float) -> list[Image]:
    """Of one kind, with nothing on top."""
    rng = np.random.default_rng(11)
    rows = [SIMULATOR.clean(draw_sample(rng, {kind: 1}, {}, 1)) for _ in range(FRAMES[kind])]
    return [shot(row, rng, exposure, DETECTOR) for row in rows]


def classified(stack: list[np.ndarray], folder: Path, *options: str) -> list[dict]:
    np.save(folder / "run.npy", np.stack(stack).astype(np.uint32))
    arguments = ["classify", str(folder / "run.npy"), "--domain", "diffraction", "--json", *options]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def present(answer: dict) -> set[str]:
    return {tag["name"] for tag in answer["tags"] if tag["present"]}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict]]:
    """Of shots of each of some kinds, all in one stack."""
    kinds = {"round": 1e6, "streak_bent": 1e6, "empty": 1e4}
    shots = {kind: images(kind, exposure) for kind, exposure in kinds.items()}
    rng = np.random.default_rng(3)
    strange = [
        simulate_measurement(KINDS[name](PIXELS, rng), rng, 1e6, fixed=DETECTOR)
        for name in KINDS
        if name != "speckle"
        for _ in range(4)
    ]
    stack = [image.counts for some in (*shots.values(), strange) for image in some]
    known = ("wavelength=574", "distance=70", "pixel_size=0.8", "direct_beam=[47.5,47.5]")
    options = [word for one in known for word in ("--geometry", one)]
    found = iter(classified(stack, tmp_path_factory.mktemp("shots"), *options))
    frames = FRAMES | {"strange": len(strange)}
    return {name: [next(found) for _ in range(number)] for name, number in frames.items()}


def test_an_answer_has_the_keys_that_programs_read(answers: dict[str, list[dict]]) -> None:
    one = answers["round"][0]
    assert list(one) == ["file", "entry", "tags", "quantities", "in_scope", "notes"]
    assert one["entry"] == "frame 1"
    known = next(answer for answer in answers["round"] if answer["tags"])
    assert [tag["name"] for tag in known["tags"]] == list(LABELS)
    assert set(known["tags"][0]) == {"name", "probability", "present"}


def test_spheres_and_streaks_are_told_and_sized(answers: dict[str, list[dict]]) -> None:
    said = [present(answer) for answer in answers["round"]]
    assert sum("Spherical/Oblate" in tags for tags in said) >= 8
    assert sum("Prolate" in tags for tags in said) <= 1
    assert sum("Prolate" in present(answer) for answer in answers["streak_bent"]) >= 8
    sizes = [a["quantities"]["radius"] for a in answers["round"] if "radius" in a["quantities"]]
    assert len(sizes) >= 8
    assert all(size["unit"] == "nm" and size["error"] < size["value"] for size in sizes)


def test_an_empty_frame_never_has_a_confident_wrong_tag(answers: dict[str, list[dict]]) -> None:
    for answer in answers["empty"]:
        wrong = [t for t in answer["tags"] if t["name"] != "Empty" and t["probability"] > 0.9]
        assert wrong == []
        assert "size" not in answer["quantities"] or "Empty" not in present(answer)
    said = [present(answer) for answer in answers["empty"]]
    # Said to be empty, or refused.
    assert sum(tags <= {"Empty"} for tags in said) >= 55
    assert sum(tags == {"Empty"} for tags in said) >= 20


def test_powder_crystals_and_stripes_are_mostly_refused(answers: dict[str, list[dict]]) -> None:
    refused = [answer for answer in answers["strange"] if not answer["tags"]]
    assert len(refused) >= 7
    assert all(any("outside the training data of this model" in note for note in a["notes"]) for a in refused)
    assert all(not present(answer) for answer in refused)


def test_a_standard_s_rings_are_called_unlike_anything_simulated(tmp_path: Path) -> None:
    """Sharp rings at equal distances on a smooth ground: sure to be something, and surely no particle."""
    row, column = np.mgrid[:120, :120] - 59.5
    radius = np.hypot(row, column)
    shape = (
        2
        + 20 * np.exp(-radius / 15)
        + sum(60 * np.exp(-0.5 * ((radius - 9 * k) / 0.7) ** 2) for k in (2, 4, 6))
    )
    frame = np.random.default_rng(4).poisson(20 * shape * (radius > 4))
    (answer,) = classified([frame], tmp_path, "--geometry", "direct_beam=[59.5,59.5]")
    assert answer["tags"] == []
    assert answer["in_scope"] == 0.0
    assert any("unlike all simulated shots" in note for note in answer["notes"])


def test_distance_from_the_bank_does_not_depend_on_exposure_and_grows_with_a_new_feature() -> None:
    known = profiles(images("round", 1e6))
    nothing = np.zeros(0)
    bank = Bank(known.decades, known.seen, np.zeros(FRAMES["round"], bool), nothing, nothing, nothing)
    np.testing.assert_allclose(bank.distances(known), 0, atol=1e-4)
    brighter = replace(known, decades=known.decades + 2)
    np.testing.assert_allclose(bank.distances(brighter), 0, atol=1e-3)
    ring = known.decades.copy()
    ring[:, 20] += 1.5
    assert bank.distances(replace(known, decades=ring)).min() > 2
