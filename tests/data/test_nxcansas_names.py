"""NXcanSAS whose attributes name the uncertainty and the resolution, and entries that a link gives twice."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from sasnet_plugin.data import load

Q = np.geomspace(0.05, 3.0, 60)
INTENSITY = 20.0 / (1 + (6 * Q) ** 2) ** 2 + 0.1
ERROR = 0.03 * INTENSITY
WIDTH = 0.02 * Q


def write(path: Path, attributes: dict[str, dict[str, object]], *, elsewhere: bool = False) -> Path:
    with h5py.File(path, "w") as file:
        entry = file.create_group("merged")
        entry.attrs["canSAS_class"], entry.attrs["NX_class"] = "SASentry", "NXentry"
        entry["title"] = "gel"
        data = entry.create_group("result")
        data.attrs.update({"canSAS_class": "SASdata", "NX_class": "NXdata", "signal": "I", "I_axes": "Q"})
        for name, values in {"Q": Q, "I": INTENSITY, "IE": ERROR, "QE": WIDTH, "Other": 9 * ERROR}.items():
            data[name] = values
            data[name].attrs.update(attributes.get(name, {}))
        file["again"] = entry
        if elsewhere:
            file["raw"] = h5py.ExternalLink("raw.nxs", "/entry")
    return path


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("as_array", [False, True])
def test_attributes_name_what_goes_with_a_curve(tmp_path: Path, *, elsewhere: bool, as_array: bool) -> None:
    error, width = (["IE"], ["QE"]) if as_array else ("IE", "QE")
    said = {"I": {"uncertainties": error}, "Q": {"resolutions": width, "units": "1/nm"}}
    (curve,) = load(write(tmp_path / "merged.nxs", said, elsewhere=elsewhere))
    np.testing.assert_allclose(curve.q, Q / 10)
    assert curve.dintensity is not None
    assert curve.dq is not None
    np.testing.assert_allclose(curve.dintensity, ERROR)
    np.testing.assert_allclose(curve.dq, WIDTH / 10)


def test_names_that_no_attribute_says_are_not_guessed(tmp_path: Path) -> None:
    said = {"I": {"uncertainties": "gone"}, "Q": {"units": "1/nm"}}
    (curve,) = load(write(tmp_path / "merged.nxs", said))
    assert curve.dintensity is None
    assert curve.dq is None
