"""What a curve of a protein says, checked against particles whose size, shape and mass are known."""

import itertools
import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.model_free import Refused
from sasnet_plugin.protein import protein
from sasnet_plugin.protein.molecular_weight import combine, find_oligomer, forward_mass, read_table
from sasnet_plugin.protein.pair_posterior import SETTINGS, aggregate, draw_walk
from sasnet_plugin.protein.quality import longest_run_probability
from sasnet_plugin.protein.results import MolecularWeight, Value
from sasnet_plugin.protein.sequence import read_sequence, sequence_mass
from sasnet_plugin.types import Curve, DataError

Q = np.arange(0.008, 0.3, 0.001)
RNG_SEED = 5


def ellipsoid(q, a, ratio):
    """I(q) over I(0) of an ellipsoid of revolution, averaged over its orientations."""
    cosines, weights = np.polynomial.legendre.leggauss(60)
    x = 0.5 * (cosines + 1)
    r = a * np.sqrt(1 + x**2 * (ratio**2 - 1))
    z = np.multiply.outer(q, r)
    amplitude = 3 * (np.sin(z) - z * np.cos(z)) / z**3
    return (amplitude**2) @ weights / 2


def measured(intensity, noise=0.003, seed=RNG_SEED, q=Q, **more):
    sigma = noise * np.sqrt(np.abs(intensity) + 0.02)
    intensity = intensity + sigma * np.random.default_rng(seed).standard_normal(q.size)
    return Curve(q, intensity, sigma, **more)


@pytest.fixture(scope="module")
def of_ellipsoid():
    return protein(measured(ellipsoid(Q, 22.0, 1.6)))


def test_size_of_an_ellipsoid(of_ellipsoid):
    rg = 22.0 * math.sqrt((2 + 1.6**2) / 5)
    assert abs(of_ellipsoid.rg.value - rg) < max(2 * of_ellipsoid.rg.error, 0.01 * rg)
    assert of_ellipsoid.rg.error < 0.02 * rg
    assert abs(of_ellipsoid.i0.value - 1) < max(3 * of_ellipsoid.i0.error, 0.01)
    assert abs(of_ellipsoid.d_max.value - 2 * 22.0 * 1.6) < 2 * of_ellipsoid.d_max.error
    assert of_ellipsoid.compactness.kind == "compact"


def test_mass_of_an_ellipsoid_with_the_density_of_proteins(of_ellipsoid):
    volume = 4 / 3 * math.pi * 22.0**3 * 1.6
    # Its shell counts to the volume of a real protein: the dry mass is between 60 and 100 % of this.
    dry = volume / 1210
    assert 0.6 * dry < of_ellipsoid.molecular_weight.value < 1.1 * dry


@pytest.mark.parametrize("constant", [-0.003, 0.003])
def test_a_constant_left_by_the_subtraction_is_within_the_errors(of_ellipsoid, constant):
    moved = protein(measured(ellipsoid(Q, 22.0, 1.6) + constant))
    assert (
        abs(moved.rg.value - of_ellipsoid.rg.value) < 2 * of_ellipsoid.rg.error + 1e-3 * of_ellipsoid.rg.value
    )
    change = math.log(moved.molecular_weight.value / of_ellipsoid.molecular_weight.value)
    assert abs(change) < of_ellipsoid.molecular_weight.relative_error


def test_disturbed_first_points_are_excluded(of_ellipsoid):
    intensity = ellipsoid(Q, 22.0, 1.6)
    intensity[:4] *= [1.6, 1.3, 1.15, 1.1]
    disturbed = protein(measured(intensity))
    assert disturbed.quality.disturbed_points >= 3
    assert abs(disturbed.rg.value - of_ellipsoid.rg.value) < 2 * math.hypot(
        disturbed.rg.error, of_ellipsoid.rg.error
    )


def test_two_copies_far_longer_than_one_are_heavier():
    light = protein(measured(ellipsoid(Q, 18.0, 1.2))).molecular_weight
    heavy = protein(measured(ellipsoid(Q, 27.0, 1.2))).molecular_weight
    expected = 3 * math.log(27 / 18)
    assert abs(math.log(heavy.value / light.value) - expected) < light.relative_error + heavy.relative_error


def test_a_curve_that_is_noise_has_no_signal():
    result = protein(measured(np.zeros_like(Q)))
    assert isinstance(result.rg, Refused)
    assert "no signal above the buffer" in result.rg.reason


def test_a_curve_that_begins_late_has_no_guinier_region():
    late = np.arange(0.06, 0.3, 0.001)
    result = protein(measured(ellipsoid(late, 60.0, 1.2), q=late))
    assert "no Guinier region" in result.rg.reason


def test_a_peak_has_no_guinier_region():
    result = protein(measured(np.exp(-(((Q - 0.1) / 0.05) ** 2)) + 0.01))
    assert "does not fall" in result.rg.reason


def test_a_concentration_without_absolute_scale_leaves_the_other_numbers():
    curve = measured(ellipsoid(Q, 22.0, 1.6))
    result = protein(curve, concentration=2.0)
    assert result.molecular_weight.methods[-1].method != "I(0) and concentration"
    assert any("cm⁻¹" in problem for problem in result.problems)
    assert protein(curve, concentration=2.0, absolute=True).problems == ()


def test_forward_intensity_and_concentration_give_the_mass():
    # 1 mg/ml of a protein of 66 kDa scatters 0.05 cm⁻¹ (D. Orthaber et al. 2000, within their error of 5 %).
    log_mass, error = forward_mass(0.0494, 0.0005, 1.0, 0.02)
    assert math.exp(log_mass) == pytest.approx(66.0, rel=0.1)
    assert 0.08 < error < 0.15
    assert forward_mass(0.0988, 0.001, 2.0, 0.04)[0] == pytest.approx(log_mass)


def test_a_way_that_contradicts_the_others_is_named():
    table = read_table()
    spread = 1e-3 * np.random.default_rng(0).standard_normal((50, table.centre.size))
    columns = table.centre + spread
    alone = combine(columns)
    wrong = combine(columns, (math.log(3 * alone.value), 0.05))
    assert alone.distrusted == ""
    assert wrong.distrusted
    assert wrong.relative_error > 0.05


def test_ways_that_agree_make_the_error_smaller():
    table = read_table()
    spread = 1e-3 * np.random.default_rng(0).standard_normal((50, table.centre.size))
    columns = table.centre + spread
    alone = combine(columns)
    both = combine(columns, (math.log(alone.value), alone.relative_error))
    assert both.relative_error == pytest.approx(alone.relative_error / math.sqrt(2), rel=0.05)


def test_number_of_monomers():
    oligomer = find_oligomer(MolecularWeight(170.0, 15.0, 155.7, 185.6, ()), 43.2)
    assert oligomer.number == 4
    assert sum(oligomer.probabilities.values()) == pytest.approx(1, abs=0.02)
    assert isinstance(find_oligomer(MolecularWeight(5.0, 0.3, 4.7, 5.3, ()), 43.2), Refused)


def test_a_monomer_that_does_not_fit_the_mass_is_said():
    curve = measured(ellipsoid(Q, 22.0, 1.6))
    mass = protein(curve).molecular_weight
    assert isinstance(mass, MolecularWeight)
    none = protein(curve, monomer=20 * mass.value)
    assert isinstance(none.oligomer, Refused)
    assert any(problem.startswith("No number of monomers") for problem in none.problems)
    off = protein(curve, monomer=mass.value + 2.5 * mass.error)
    assert off.oligomer.number == 1
    assert any("more than two errors off" in caution for caution in off.cautions)
    assert not any("errors off" in caution for caution in protein(curve, monomer=mass.value).cautions)


@pytest.mark.parametrize("run", [2, 3, 5, 9])
def test_probability_of_a_run(run):
    points = 9
    longest = [
        max(len(list(group)) for _, group in itertools.groupby(sides))
        for sides in itertools.product((0, 1), repeat=points)
    ]
    assert longest_run_probability(points, run) == pytest.approx(np.mean(np.array(longest) >= run))


def test_frames_that_change_are_damaged():
    clean = ellipsoid(Q, 22.0, 1.6)
    alike = [measured(clean, seed=k) for k in range(3)]
    grown = [*alike, measured(1.02 * clean, noise=0.003, seed=7)]
    assert protein(alike[0], frames=alike).quality.frames_p_value > 0.01
    assert protein(alike[0], frames=grown).quality.frames_p_value < 1e-3


def test_mass_of_a_sequence(tmp_path):
    # Glycine and alanine: 75.067 + 89.094 − 18.015 Da.
    assert sequence_mass("GA") == pytest.approx(0.146146, abs=1e-5)
    fasta = tmp_path / "one.fasta"
    fasta.write_text(">first\nGA\n>second\nWWWW\n")
    assert read_sequence(str(fasta)) == "GA"
    with pytest.raises(DataError, match="no amino acid"):
        read_sequence("GAB1".replace("1", "J"))


@pytest.fixture
def file(tmp_path):
    curve = measured(ellipsoid(Q, 22.0, 1.6))
    path = tmp_path / "particle.dat"
    np.savetxt(path, np.column_stack([curve.q, curve.intensity, curve.dintensity]))
    return path


def test_command_prints_json(file):
    done = CliRunner().invoke(app, ["protein", str(file), "--json", "--monomer", "20"])
    assert done.exit_code == 0
    record = json.loads(done.stdout)
    for name in ("rg", "i0", "d_max", "molecular_weight"):
        assert {"value", "error", "unit"} <= set(record[name])
    assert {"methods"} <= set(record["molecular_weight"])
    assert record["oligomer"]["number"] >= 1
    assert record["quality"]["disturbed_points"] == 0


def test_command_says_what_it_cannot(file, tmp_path):
    done = CliRunner().invoke(app, ["protein", str(file), "--concentration", "2 mg/ml"])
    assert done.exit_code == 1
    assert "Rg" in done.stdout
    assert "concentration was not used" in done.stderr
    assert CliRunner().invoke(app, ["protein", str(file), "--concentration", "2"]).exit_code == 2
    noise = tmp_path / "noise.dat"
    values = np.random.default_rng(1).standard_normal(Q.size)
    np.savetxt(noise, np.column_stack([Q, values, np.ones_like(Q)]))
    done = CliRunner().invoke(app, ["protein", str(noise)])
    assert done.exit_code == 1
    assert "No signal above the buffer" in done.stderr


def test_command_writes_a_page(file, tmp_path):
    done = CliRunner().invoke(app, ["protein", str(file), "--report", str(tmp_path / "pages")])
    assert done.exit_code == 0
    page = (tmp_path / "pages" / "particle.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    assert "q·Rg" in page


def test_a_monomer_in_da_is_refused():
    with pytest.raises(DataError, match="in kDa, not in Da"):
        protein(measured(ellipsoid(Q, 22.0, 1.6)), monomer=77800.0)


def test_aggregates_are_walks_of_particles_that_do_not_overlap():
    settings = SETTINGS.walk
    for seed in range(50):
        places = draw_walk(np.random.default_rng(seed), settings)
        assert 2 <= len(places) <= settings.particles[1]
        distances = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(len(places), 1)]
        assert distances.min() > settings.apart
    table = aggregate(settings)
    assert table.mean[0] == pytest.approx(1.0)  # each pair scatters in phase
    assert abs(table.mean[table.x > 15]).max() < 0.05


def test_rg_is_that_of_the_particle_and_not_of_its_aggregates():
    """Pairs and triples of touching spheres add 30 % to the forward intensity."""
    q = np.arange(0.008, 0.3, 0.0015)
    radius = 30.0
    x = q * radius
    sphere = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    pairs = np.sinc(2 * x / np.pi)
    triples = (2 * pairs + np.sinc(3.5 * x / np.pi)) / 3
    intensity = sphere * (1 + 0.1 * pairs + 0.2 * triples) + 1e-3
    sigma = 2e-3 * np.sqrt(intensity + 0.02)
    noisy = intensity + sigma * np.random.default_rng(2).standard_normal(q.size)
    result = protein(Curve(q, noisy, sigma))
    assert isinstance(result.rg, Value)
    assert result.rg.value == pytest.approx(np.sqrt(0.6) * radius, rel=0.01)
    assert result.quality.aggregation
