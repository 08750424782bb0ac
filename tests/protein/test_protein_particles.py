"""Compact particles without a fitting model, and the kind of sample "protein": the same on every surface."""

import csv
import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.fitting.asked import options_of
from sasnet_plugin.fitting.request import FitRequest
from sasnet_plugin.predict.sample_kinds import PROTEIN, SAMPLE_KINDS
from sasnet_plugin.protein import protein
from sasnet_plugin.protein.particles import describe_particles, find_particles, shows_interaction
from sasnet_plugin.types import Curve, SasnetError

Q = np.linspace(0.01, 0.35, 120)


def sphere(q, radius):
    """I(q) over I(0)."""
    x = q * radius
    return (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2


def measured(intensity, noise=0.01, seed=3):
    sigma = noise * np.sqrt(np.abs(intensity) * (np.abs(intensity) + 0.02)) + 1e-4
    values = intensity + sigma * np.random.default_rng(seed).standard_normal(Q.size)
    return Curve(Q, values, sigma, file="curve.dat")


def dimer(q, radius=22.0):
    """Two touching spheres: compact, and no model of the library."""
    distance = 2 * radius
    return sphere(q, radius) * 0.5 * (1 + np.sinc(q * distance / np.pi))


#: No separate compact particles: chain, gel, two random phases, lamellae, chain in a good solvent.
OTHERS = {
    "coil": 2 * (np.exp(-((50 * Q) ** 2)) - 1 + (50 * Q) ** 2) / (50 * Q) ** 4,
    "gel": 1 / (1 + (40 * Q) ** 2) + 1e-3,
    "random phases": 1 / (1 + (30 * Q) ** 2) ** 2 + 1e-3,
    "lamellae": (Q / 0.01) ** -2 * np.sinc(20 * Q / np.pi) ** 2,
    "swollen chain": (1 + (60 * Q) ** 2 / 2.5) ** -0.83,
}


def test_two_touching_spheres_are_compact_particles():
    particles = find_particles(protein(measured(dimer(Q))))
    assert particles is not None
    rg = math.sqrt(0.6 * 22.0**2 + 22.0**2)
    assert abs(particles.rg.value - rg) < max(3 * particles.rg.error, 0.02 * rg)
    text = describe_particles(particles)
    assert text.startswith("Compact particles, Rg ")
    assert "longest distance" in text
    assert "if a protein" in text


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_compact_particle_gets_no_such_sentence(name):
    assert find_particles(protein(measured(OTHERS[name]))) is None


def test_no_mass_by_neutrons_and_of_large_particles():
    result = protein(measured(dimer(Q)))
    assert find_particles(result, is_neutron=True).molecular_weight is None
    given = describe_particles(find_particles(result, is_protein=True))
    assert "molecular weight" in given
    assert "if a protein" not in given


def test_the_kind_chooses_models_and_no_gel_or_lattice():
    options = options_of(FitRequest(sample_kind="protein"))
    for name in ("ellipsoid", "polymer_excl_volume", "vesicle"):
        assert options.allows(name)
    for name in ("gel_fit", "bcc_paracrystal", "lamellar", "dab", "power_law", "correlation_length"):
        assert not options.allows(name)
    assert options.allows("ellipsoid", "power_law")
    assert not options.allows("ellipsoid", "lorentz")
    assert not options.allows("ellipsoid", None, "squarewell")
    # Models that a user names are fitted whatever the kind.
    assert options_of(FitRequest(sample_kind="protein", models=["dab"])).allows("dab")
    with pytest.raises(SasnetError, match="no such sample kind"):
        FitRequest(sample_kind="cheese")


def test_the_models_of_a_kind_are_known_to_the_network():
    from sasnet_plugin.predict import open_classifier

    classifier = open_classifier()
    for kind in SAMPLE_KINDS.values():
        assert set(kind.models) <= set(classifier.manifest.labels)
        assert set(kind.structure_factors) <= set(classifier.structure_factors)


def test_charges_are_fitted_only_where_the_curve_shows_repulsion():
    curve = measured(dimer(Q))
    assert not shows_interaction(curve, protein(curve))
    repelling = measured(dimer(Q) * (1 - 0.9 * np.exp(-((Q / 0.04) ** 2))))
    assert shows_interaction(repelling, None)


def test_command_batch_and_page_say_the_same(tmp_path):
    """One file by `protein`, `fit`, `batch` and on a page: the same numbers."""
    path = tmp_path / "dimer.dat"
    curve = measured(dimer(Q))
    np.savetxt(path, np.column_stack([curve.q, curve.intensity, curve.dintensity]), header="q(1/A) I dI")
    run = CliRunner().invoke
    alone = json.loads(run(app, ["protein", str(path), "--json"]).stdout)
    common = [str(path), "--sample-kind", "protein", "--time-limit", "2", "--workers", "1"]
    pages = tmp_path / "pages"
    fitted = json.loads(run(app, ["fit", *common, "--json", "--report", str(pages)]).stdout)
    assert fitted["sample_kind"] == PROTEIN
    for name in ("rg", "i0", "d_max", "molecular_weight", "quality"):
        assert fitted["protein"][name] == alone[name], name
    assert fitted["headline"].startswith("Compact particles, Rg ")
    # Molecules of a protein are all of one size.
    widths = [p for fit in fitted["fits"] for name, p in fit["parameters"].items() if name.endswith("_pd")]
    assert all(width["fixed"] and width["value"] == 0 for width in widths)
    assert {fit["model"].partition("+")[0] for fit in fitted["fits"]} <= set(SAMPLE_KINDS[PROTEIN].models)
    page = next(pages.glob("*.html")).read_text("utf-8")
    assert "<h2>Protein</h2>" in page
    assert fitted["headline"].split(".")[0] in page
    out = tmp_path / "night.h5"
    run(app, ["batch", *common, "--out", str(out)])
    with out.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    for name in ("rg", "i0", "d_max", "molecular_weight"):
        assert float(row[name]) == pytest.approx(alone[name]["value"], rel=1e-6)
        assert float(row[f"{name}_error"]) == pytest.approx(alone[name]["error"], rel=1e-6)
    assert row["quality"] == "good" or set(row["quality"].split()) <= {
        "aggregation", "repulsion", "disturbed_points", "understated_errors", "ways_disagree",
    }  # fmt: skip
    # Where the clock ends a fit, what follows may differ.
    assert row["headline"].split(" kDa.")[0] == fitted["headline"].split(" kDa.")[0]


def test_a_curve_that_no_model_fits_begins_with_its_particles():
    from sasnet_plugin import fit

    found = fit(measured(dimer(Q), 0.004), models=["lamellar"], structure_factor="none", workers=1)
    assert found.headline.startswith("Compact particles, Rg ")
    assert " %. Nearest: lamellae (lamellar), " in found.headline
    assert found.as_dict()["protein"]["rg"]["value"] == pytest.approx(found.particles.rg.value, rel=1e-3)
    gel = fit(measured(OTHERS["gel"], 0.004), models=["lamellar"], structure_factor="none", workers=1)
    assert gel.protein is None
    assert "particles, Rg" not in gel.headline
