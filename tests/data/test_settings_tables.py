"""Settings from TOML files and from texts: the same for every kind of image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sasnet_plugin.data.toml_files import (
    check_names,
    overlay_settings,
    parse_assignments,
    read_sidecar_settings,
)
from sasnet_plugin.types import DataError


@dataclass(frozen=True)
class Two:
    """Settings."""

    length: float | None = None
    mask_file: str | None = None

    def over(self, other: Two) -> Two:
        """These over others."""
        found: Two = overlay_settings(self, other)
        return found


def two(table: dict[str, Any], file: str) -> Two:
    check_names(table, ("length", "mask_file"), file)
    return Two(**table)


def test_the_file_of_the_same_name_goes_before_that_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "geometry.toml").write_text('length = 1.0\nmask_file = "mask.tif"\n')
    assert read_sidecar_settings(tmp_path / "a.tif", two) == Two(1.0, str(tmp_path / "mask.tif"))
    (tmp_path / "a.toml").write_text("length = 2.0\n")
    assert read_sidecar_settings(tmp_path / "a.tif", two).length == 2.0
    assert read_sidecar_settings(tmp_path / "no" / "a.tif", two) == Two()


def test_texts_are_values_as_in_toml_and_words() -> None:
    assert parse_assignments(["a=1.5", "b = [1, 2]", "c=word"], "a=1") == {"a": 1.5, "b": [1, 2], "c": "word"}


def test_a_length_takes_a_unit_of_length_alone() -> None:
    texts = ["distance=4 m", "pixel_size = 5.3mm", "wavelength=0.6 nm", "collimation=1e3"]
    lengths = {"distance": 4000.0, "pixel_size": 5.3, "wavelength": 6.0, "collimation": 1000.0}
    assert parse_assignments(texts, "") == pytest.approx(lengths)
    for text in ("distance=4 ft", "distance=far"):
        with pytest.raises(DataError, match="give a number in mm, or with one of m, cm, mm"):
            parse_assignments([text], "")


@pytest.mark.parametrize("text", ["a", "=1", "a="])
def test_a_text_without_name_or_value_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DataError, match="such as a=1"):
        parse_assignments([text], "a=1")


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did you mean length"):
        check_names({"lenght": 1}, ("length", "mask_file"), "a.toml")
    (tmp_path / "a.toml").write_text("length = \n")
    with pytest.raises(DataError, match="not valid TOML"):
        read_sidecar_settings(tmp_path / "a.tif", two)
