"""Structures against curves: scale and constant come back, moved domains are refused, bad files are named."""

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.model_free import Refused
from sasnet_plugin.protein import StructureFit, protein
from sasnet_plugin.protein.text import lines_of_protein
from sasnet_plugin.types import Curve

pytest.importorskip("gemmi")
pytest.importorskip("pyausaxs")
from sasnet_plugin.protein.structures import (
    compute_curves,
    place_waters,
    read_structure,
)

Q = np.arange(0.008, 0.3, 0.001)
#: Atoms of a glycine and an alanine, in turn.
NAMES = (("N", "GLY"), ("CA", "GLY"), ("C", "GLY"), ("O", "GLY")) + tuple(
    (name, "ALA") for name in ("N", "CA", "C", "O", "CB")
)


def ball(centre, radius=17.0):
    """Atoms in a sphere at the density of proteins, on a lattice."""
    edge = 15.5 ** (1 / 3)  # Å³ of a heavy atom of glycine and alanine with its hydrogens
    steps = np.arange(-radius, radius + edge, edge)
    points = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points + np.random.default_rng(3).uniform(-0.4, 0.4, points.shape)
    return points[np.linalg.norm(points, axis=1) < radius] + centre


def write_pdb(path, places):
    rows = []
    for k, place in enumerate(places):
        name, residue = NAMES[k % len(NAMES)]
        number = 1 + 2 * (k // len(NAMES)) + (residue == "ALA")
        x, y, z = place
        rows.append(
            f"ATOM  {k + 1:5d}  {name:<3s} {residue} A{number:4d}    "
            f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00 20.00          {name[0]:>2s}\n"
        )
    path.write_text("".join(rows) + "END\n", encoding="ascii")
    return path


def domains(distance):
    return np.concatenate([ball([0, 0, 0]), ball([distance, 0, 0])])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("structures")
    return {
        name: write_pdb(folder / f"{name}.pdb", domains(distance))
        for name, distance in (("closed", 35.0), ("open", 50.0))
    }


@pytest.fixture(scope="module")
def curve(files):
    """The curve of the closed structure times 1e-8, plus a constant, with noise of 0.3 %."""
    computed = compute_curves(read_structure(files["closed"]), Q)
    clean = 1e-8 * computed.interpolate(0.1, 1.0)
    clean /= clean[0]
    sigma = 0.003 * np.sqrt(clean + 0.02)
    noise = np.random.default_rng(1).standard_normal(Q.size)
    return Curve(Q, clean + 2e-3 + sigma * noise, sigma), 1 / computed.interpolate(0.1, 1.0)[0]


@pytest.fixture(scope="module")
def fitted(curve, files):
    return {name: protein(curve[0], structure=path) for name, path in files.items()}


def test_a_structure_explains_its_own_curve(fitted, curve):
    fit = fitted["closed"].structure
    assert isinstance(fit, StructureFit)
    assert fit.explains
    assert fit.p_value > 0.01
    assert abs(fit.scale.value / curve[1] - 1) < 3 * fit.scale.error / fit.scale.value
    assert abs(fit.constant.value - 2e-3) < 3 * fit.constant.error
    # 0.1 of the density of water.
    assert abs(fit.hydration.value - 0.0301) < 3 * fit.hydration.error
    assert fit.rg == pytest.approx(fitted["closed"].rg.value, rel=0.03)
    assert "explains the curve" in lines_of_protein(fitted["closed"])[1]


def test_a_moved_domain_does_not_explain_it(fitted):
    fit = fitted["open"].structure
    assert not fit.explains
    assert fit.reduced_chisq > 3
    # Two spheres at 35 and at 50 Å differ below q = 2π / 35.
    assert fit.misfit.q < 0.2
    lines = lines_of_protein(fitted["open"])
    assert "does not explain the curve: largest misfit at q = " in lines[1]
    assert "Rg of the structure in solution" in lines[2]


def test_the_structure_changes_no_other_number(fitted, curve):
    assert protein(curve[0]).as_dict() == fitted["closed"].as_dict() | {"structure": None}


def test_the_answer_is_the_same_each_time(fitted, curve, files):
    again = protein(curve[0], structure=files["closed"])
    assert again.as_dict() == fitted["closed"].as_dict()


def test_orientation_of_the_structure_hardly_matters(fitted, curve, tmp_path):
    angle = 0.7
    turn = np.array(
        [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]]
    )
    path = write_pdb(tmp_path / "turned.pdb", domains(35.0) @ turn.T + [300, -200, 10])
    fit, other = protein(curve[0], structure=path).structure, fitted["closed"].structure
    assert fit.explains
    assert fit.reduced_chisq == pytest.approx(other.reduced_chisq, rel=0.1)


def test_mmcif_gives_what_pdb_gives(fitted, curve, files, tmp_path):
    import gemmi

    structure = gemmi.read_structure(str(files["closed"]))
    structure.setup_entities()
    structure.make_mmcif_document().write_file(str(tmp_path / "closed.cif"))
    fit = protein(curve[0], structure=tmp_path / "closed.cif").structure
    assert fit.reduced_chisq == pytest.approx(fitted["closed"].structure.reduced_chisq, rel=1e-4)


def test_waters_of_the_shell_have_the_density_of_water():
    places = ball([0, 0, 0])
    waters = place_waters(places)
    radius = np.linalg.norm(waters, axis=1)
    volume = 4 / 3 * math.pi * ((17 + 6) ** 3 - (17 + 3) ** 3)
    # The outermost atoms lie a little within the sphere.
    assert len(waters) * 29.9 == pytest.approx(volume, rel=0.15)
    assert radius.min() > 17
    assert radius.max() < 23


def test_water_hydrogens_and_other_models_are_not_read(files, tmp_path):
    text = files["closed"].read_text(encoding="ascii").replace("END\n", "")
    extra = (
        "HETATM 9998  O   HOH A9998      80.000  80.000  80.000  1.00 20.00           O\n"
        "ATOM   9999  H   ALA A9999      80.000  80.000  80.000  1.00 20.00           H\n"
    )
    path = tmp_path / "two.pdb"
    path.write_text(
        f"MODEL        1\n{text}{extra}ENDMDL\nMODEL        2\n{text}ENDMDL\nEND\n", encoding="ascii"
    )
    assert len(read_structure(path).labels) == len(read_structure(files["closed"]).labels)


ATOM = "ATOM      1  {name:<3s} GLY A   1      10.000  10.000  10.000  1.00 10.00          {element:>2s}\n"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("unknown.pdb", ATOM.format(name="X1", element="X"), "1 atoms of unknown elements (X1)"),
        ("uranium.pdb", ATOM.format(name="U", element="U"), "1 atoms of unknown elements (U)"),
        ("hydrogen.pdb", ATOM.format(name="H", element="H"), "has no atoms"),
        ("empty.pdb", "", "give a PDB or mmCIF file"),
        ("text.pdb", "q I dI\n0.1 2 3\n", "has no atoms"),
        ("bytes.pdb", "\x00\xff\x01" * 100, "no"),
        ("broken.cif", "data_x\nloop_\n_atom_site.id\n'", "cannot be read as a structure"),
        ("small.cif", "data_x\n_cell_length_a 3\n", "has no atoms"),
        ("letters.pdb", "ATOM      1  N   GLY A   1      1x.y00  10.000  10.000\n", "has only 1 atoms"),
    ],
)
def test_a_file_that_is_no_structure(tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    refused = read_structure(path)
    assert isinstance(refused, Refused)
    assert sentence in refused.reason
    assert name in refused.reason


def test_a_missing_file_leaves_the_other_numbers(curve, tmp_path):
    result = protein(curve[0], structure=tmp_path / "no.pdb")
    assert "there is no such structure file" in result.problems[0]
    assert result.rg.value > 0


def test_without_the_package_a_sentence_says_what_to_install(curve, files, monkeypatch):
    monkeypatch.setattr("sasnet_plugin.protein.structures.find_spec", lambda name: None)
    result = protein(curve[0], structure=files["closed"])
    assert "is not installed" in result.problems[0]
    assert "protein" in result.problems[0]
    assert result.rg.value > 0


def test_a_curve_without_rg_is_not_compared(files):
    noise = Curve(Q, np.random.default_rng(0).standard_normal(Q.size), np.ones_like(Q))
    result = protein(noise, structure=files["closed"])
    assert "gives no Rg" in result.problems[1]


def test_command(curve, files, tmp_path):
    data = tmp_path / "closed.dat"
    np.savetxt(data, np.column_stack([curve[0].q, curve[0].intensity, curve[0].dintensity]))
    command = ["protein", str(data), "--structure"]
    done = CliRunner().invoke(
        app, [*command, str(files["closed"]), "--json", "--report", str(tmp_path / "pages")]
    )
    assert done.exit_code == 0
    record = json.loads(done.stdout)["structure"]
    assert record["explains"]
    assert {"q", "relative"} <= set(record["misfit"])
    page = (tmp_path / "pages" / "closed.html").read_text(encoding="utf-8")
    assert "explains the curve" in page
    done = CliRunner().invoke(app, [*command, str(tmp_path / "no.pdb")])
    assert done.exit_code == 1
    assert "Rg" in done.stdout
    assert "there is no such structure file" in done.stderr
