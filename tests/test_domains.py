"""A domain's specification names functions that exist and fit together, and no one else names the domain."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import sasnet_plugin
from sasnet_plugin import domains
from sasnet_plugin.domains import PAGES, Domain, ReadOptions, Simulator, recognise_domain, specification
from sasnet_plugin.domains.sas1d import SAS1D
from sasnet_plugin.extensions import Deferred, DeferredValue, load
from sasnet_plugin.types import Curve, SasnetError

PACKAGE = Path(sasnet_plugin.__file__).parent


@pytest.mark.parametrize("name", PAGES)
def test_a_specification_is_known_by_its_name_and_its_functions_find_what_they_import(name: str) -> None:
    found = specification(name)
    assert found.name == name
    assert found.title
    assert found.heads
    simulator = found.open_simulator()
    assert isinstance(simulator, Simulator)
    assert simulator.layout.rows > 0
    steps = [getattr(found, f.name) for f in fields(Domain)]
    steps += [*found.symmetries, *found.variants, found.network.trunk]
    places = [step.place for step in steps if isinstance(step, Deferred | DeferredValue)]
    assert len(places) > 4
    for place in places:
        if ".train" not in place:  # that needs Keras
            assert load(place) is not None, place


def test_what_only_was_recorded_is_not_simulated() -> None:
    with pytest.raises(SasnetError, match="curves cannot be simulated"):
        replace(SAS1D, simulator=None).open_simulator()


def test_no_other_file_names_a_domain() -> None:
    """A kind of measurement is known by its specification; what it does hangs on its heads."""
    own = {PACKAGE / "images" / "__init__.py", *(PACKAGE / "domains").glob("*.py")}
    own.add(PACKAGE / "images" / "diffraction" / "sorting.py")  # the extra has the kind's name
    own |= set(PACKAGE.glob("images/*/specification.py"))
    named = re.compile(r"[\"'](?:" + "|".join(map(re.escape, PAGES)) + r")[\"']")
    guilty = [
        str(path.relative_to(PACKAGE))
        for path in sorted(PACKAGE.rglob("*.py"))
        if path not in own and named.search(path.read_text(encoding="utf-8"))
    ]
    assert guilty == []


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(SasnetError, match=r"sans3d: no such kind of measurement; choose one of sas1d"):
        specification("sans3d")


def test_files_are_told_apart_by_their_first_bytes(tmp_path: Path) -> None:
    curve, picture = tmp_path / "curve.dat", tmp_path / "picture.npy"
    curve.write_text("0.01 1.0\n0.02 0.9\n")
    np.save(picture, np.zeros((8, 8)))
    assert [recognise_domain(path) for path in (curve, picture, tmp_path / "missing")] == [
        "sas1d",
        "gisas_hex",
        "sas1d",
    ]


def test_who_tags_is_asked_by_those_with_tags_first(tmp_path: Path) -> None:
    """As `sasnet tag` asks: a plain image is one to tag, unless it states grazing incidence; curves stay."""
    curve, picture, grazing = tmp_path / "curve.dat", tmp_path / "picture.npy", tmp_path / "grazing.npy"
    curve.write_text("0.01 1.0\n0.02 0.9\n")
    for image in (picture, grazing):
        np.save(image, np.zeros((8, 8)))
    for beside, text in ((grazing, "alpha_i = 0.2"), (picture, "direct_beam = [4, 4]")):
        beside.with_suffix(".toml").write_text(text)
    found = [recognise_domain(path, tags=True) for path in (curve, picture, grazing, tmp_path / "missing")]
    assert found == ["sas1d", "xray_tags", "gisas_hex", "sas1d"]


def test_the_surest_domain_has_a_file_and_equals_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = tmp_path / "picture.npy"
    np.save(picture, np.zeros((8, 8)))
    for name, score in (("less", 0.4), ("alike", 1.0)):
        monkeypatch.setitem(PAGES, name, f"{__name__}:{name}")
        monkeypatch.setitem(globals(), name, replace(SAS1D, recognise=lambda path, score=score: score))
        if name == "less":
            assert domains.recognise_domain(picture) == "gisas_hex"
    with pytest.raises(SasnetError, match="can be read as any of gisas_hex, alike; choose one with --domain"):
        recognise_domain(picture)


def test_the_reader_on_the_page_reads_a_file_of_a_detector(tmp_path: Path, repository: Path) -> None:
    page = (repository / "docs" / "add_a_domain.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n([^`]*^def read.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"Pixels": lambda shape: SimpleNamespace(shape=shape, check=lambda name: None)}
    exec(block, names)
    counts = np.arange(30.0).reshape(5, 6)
    counts[1, 2] = np.nan
    np.save(tmp_path / "image.npy", counts)
    (image,) = names["read"](str(tmp_path / "image.npy"), ReadOptions())
    assert np.argwhere(~image.mask).tolist() == [[1, 2]]
    assert np.array_equal(image.counts[image.mask], counts[image.mask])


def test_parameters_are_those_of_the_priors() -> None:
    from sasnet_plugin.images.gisas.simulation import GEOMETRY as OF_A_LATTICE
    from sasnet_plugin.images.gisas.specification import GEOMETRY
    from sasnet_plugin.images.growth.simulation import FILM_PRIOR as OF_A_FILM
    from sasnet_plugin.images.growth.specification import FILM
    from sasnet_plugin.images.simulation import MEASUREMENT

    for parameters, priors in ((GEOMETRY, OF_A_LATTICE | MEASUREMENT), (FILM, OF_A_FILM)):
        for parameter in parameters:
            prior = priors.get(parameter.name)
            # What follows from several draws, and the spread that is drawn relative, are ranges of their own.
            if prior is None or parameter.name == "radius" and parameters is FILM:
                continue
            assert parameter.prior == prior.limits()
            assert parameter.unit == prior.unit
            assert parameter.log == prior.drawn.startswith("log") or parameters is FILM


def test_simulate_and_preprocess_fit_together() -> None:
    from sasnet_plugin.simulate.clean import simulate_clean
    from sasnet_plugin.simulate.grid import WIDE_Q

    clean = simulate_clean("sphere", np.random.default_rng(1))
    q = WIDE_Q[400 : clean.n_valid]
    curve = Curve(q, np.exp(clean.log_intensity[400 : clean.n_valid]))
    features = SAS1D.features([curve])["features"]
    assert features.shape[0] == 1
    assert np.all(np.isfinite(features))
