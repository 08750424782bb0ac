"""The benchmark of reading writes what it says, and sees what is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.reading import programs as reading_programs
from benchmarks.reading import reading
from benchmarks.reading import samples as reading_samples
from benchmarks.reading.samples import KINDS, File, measured
from sasnet_plugin.types import Curve


def as_read(kind: int = 0) -> tuple[Curve, reading_samples.Truth]:
    truth = measured(kind, 0).truth
    return Curve(q=truth.q, intensity=3 * truth.intensity, dintensity=3 * truth.error, dq=truth.dq), truth


def test_the_three_measurements_have_their_sizes() -> None:
    q = np.linspace(1e-4, 0.3, 30_000)
    for curve, rg in ((reading_samples.sphere, 60 * np.sqrt(0.6)), (reading_samples.coil, 60.0)):
        slope = np.polyfit(q[:40] ** 2, np.log(curve(q[:40])), 1)[0]
        assert np.sqrt(-3 * slope) == pytest.approx(rg, rel=1e-3)
    peak = q[np.argmax(np.where(q > 0.04, reading_samples.lamellae(q), 0))]
    assert 2 * np.pi / peak == pytest.approx(120, rel=0.005)


def test_the_same_numbers_on_another_scale_are_right() -> None:
    curve, truth = as_read()
    assert reading.compared(curve, truth).kind == "right"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"q": 10.0}, "q is 10"),
        ({"dintensity": 2.0}, "uncertainty is 2"),
        ({"dq": 2.3548}, "resolution is 2.35"),
    ],
)
def test_a_factor_is_seen(wrong: dict[str, float], why: str) -> None:
    curve, truth = as_read()
    ((name, factor),) = wrong.items()
    found = reading.compared(replace(curve, **{name: factor * getattr(curve, name)}), truth)
    assert found.kind == "silently wrong"
    assert why in found.why


def test_a_model_in_the_place_of_the_data_is_seen() -> None:
    curve, truth = as_read(1)
    model = measured(1, 0).model
    assert reading.compared(replace(curve, intensity=model), truth).kind == "silently wrong"


def test_what_is_left_out_must_be_said() -> None:
    curve, truth = as_read()
    bare = replace(curve, dintensity=None)
    assert reading.compared(bare, truth).kind == "lost"
    assert reading.compared(replace(bare, notes=("No uncertainties.",)), truth).kind == "right"
    fewer = Curve(q=curve.q[5:], intensity=curve.intensity[5:])
    assert reading.compared(fewer, truth).kind == "silently wrong"
    assert reading.compared(replace(fewer, notes=("5 rows dropped.",)), truth).kind == "lost"


def test_a_refusal_must_name_the_cause(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(b"nothing\n")
    file = File(".dat", b"", (), ("angle",))
    assert reading.judged(path, file).kind == "lost"
    truth = measured(0, 0).truth
    assert reading.judged(path, replace(file, right=((truth,),))).kind == "refused needlessly"
    assert reading.judged(path, replace(file, refusal=("table", "numbers"))).kind == "refused truly"


def test_a_plain_file_is_read_rightly(tmp_path: Path) -> None:
    found = reading.tried("FoXS profile", reading_programs.foxs_profile, 0, tmp_path)
    assert [outcome.kind for _, outcome in found] == ["right"] * len(KINDS)


def test_the_seed_decides_every_byte() -> None:
    ways = reading.ways()
    assert len(ways) >= 90
    for title, way in ways.items():
        first, again = (way(measured(2, 5)).content for _ in range(2))
        assert first == again, title
    plain = ways["columns: nameless q I dI"]
    assert plain(measured(0, 1)).content != plain(measured(0, 2)).content


def test_nothing_is_read_wrongly_in_silence(tmp_path: Path) -> None:
    for title, way in reading.ways().items():
        for name, outcome in reading.tried(title, way, 0, tmp_path / "files"):
            assert outcome.kind in reading.GOOD, f"{title}, {name}: {outcome.why}"
