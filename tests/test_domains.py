"""A domain's page names functions that exist and fit together."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.domains import PAGES, Domain, page, recognised, resolve
from sasnet_plugin.domains.gisas_growth import GISAS_GROWTH
from sasnet_plugin.domains.gisas_hex import GISAS_HEX
from sasnet_plugin.domains.sas1d import SAS1D
from sasnet_plugin.types import Curve, SasnetError

NEW = {
    "title",
    "features",
    "features_version",
    "simulator",
    "heads",
    "network",
    "symmetries",
    "refine",
    "sections",
}
VALUES = {"name", "preprocess_version", "reservoir", "reuse", "quantities"} | NEW
OF_KERAS = {"net", "build_net"}  # imported by the tests of training
OPTIONAL = {"recognise", "settings", "augment", "verify", "quantities", "report"} | NEW


@pytest.mark.parametrize("page", [SAS1D, GISAS_HEX, GISAS_GROWTH], ids=lambda page: page.name)
def test_every_name_on_the_page_is_a_function(page: Domain) -> None:
    named = {f.name for f in fields(Domain) if getattr(page, f.name)} - VALUES - OF_KERAS
    for name in named:
        assert callable(resolve(getattr(page, name))), name


@pytest.mark.parametrize("page", [SAS1D, GISAS_HEX, GISAS_GROWTH], ids=lambda page: page.name)
def test_every_step_is_on_the_page(page: Domain) -> None:
    assert all(getattr(page, f.name) for f in fields(Domain) if f.name not in OPTIONAL)


def test_pages_go_by_their_names() -> None:
    assert all(page(name).name == name for name in PAGES)
    with pytest.raises(SasnetError, match=r"sans2d: no such kind of measurement; choose one of sas1d"):
        page("sans2d")


def test_files_are_told_apart_by_their_first_bytes(tmp_path: Path) -> None:
    curve, picture = tmp_path / "curve.dat", tmp_path / "picture.npy"
    curve.write_text("0.01 1.0\n0.02 0.9\n")
    np.save(picture, np.zeros((8, 8)))
    assert [recognised(path) for path in (curve, picture, tmp_path / "missing")] == [
        "sas1d",
        "gisas_hex",
        "sas1d",
    ]


def test_parameters_are_those_of_the_priors() -> None:
    from sasnet_plugin.domains.gisas_growth import FILM
    from sasnet_plugin.domains.gisas_hex import GEOMETRY
    from sasnet_plugin.simulate.gisas.nuisance import QUANTITIES as OF_A_LATTICE
    from sasnet_plugin.simulate.growth.quantities import QUANTITIES as OF_A_FILM

    for parameters, quantities in ((GEOMETRY, OF_A_LATTICE), (FILM, OF_A_FILM)):
        for parameter, quantity in zip(parameters, quantities, strict=True):
            assert (parameter.name, parameter.unit) == (quantity.name, quantity.unit)
            assert (parameter.odd, parameter.floor) == (quantity.odd, quantity.floor)
            for x in quantity.low, quantity.high:
                assert parameter.scaled(x) == quantity.scaled(x)
                assert parameter.value(parameter.scaled(x), 0.1) == quantity.value(quantity.scaled(x), 0.1)


def test_simulate_and_preprocess_fit_together() -> None:
    from sasnet_plugin.simulate.grid import WIDE_Q

    clean = resolve(SAS1D.simulate)("sphere", np.random.default_rng(1))
    q = WIDE_Q[400 : clean.n_valid]
    curve = Curve(q, np.exp(clean.log_intensity[400 : clean.n_valid]))
    features = resolve(SAS1D.preprocess)([curve])
    assert features.shape[0] == 1
    assert np.all(np.isfinite(features))
