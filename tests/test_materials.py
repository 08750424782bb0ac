"""Scattering length densities against published ones, and solvents by name."""

from __future__ import annotations

import pytest

from sasnet_plugin.materials import SOLVENTS, scattering_length_density, solvent
from sasnet_plugin.types import SasnetError

#: Bound coherent scattering lengths, fm: V. F. Sears, Neutron News 3 (1992) 26.
SEARS = {"H": -3.739, "D": 6.671, "C": 6.646, "O": 5.803, "Si": 4.149, "Al": 3.449}
#: Standard atomic weights (IUPAC), g/mol.
WEIGHT = {"H": 1.008, "D": 2.0141, "C": 12.011, "O": 15.999, "Si": 28.085, "Al": 26.982}


@pytest.mark.parametrize(
    ("text", "atoms", "density"),
    [
        ("SiO2@2.2", {"Si": 1, "O": 2}, 2.2),
        ("C8H8@1.05", {"C": 8, "H": 8}, 1.05),
        ("Al", {"Al": 1}, 2.699),
        ("water", {"H": 2, "O": 1}, 0.997),
        ("d2o", {"D": 2, "O": 1}, 1.1044),
        ("toluene", {"C": 7, "H": 8}, 0.862),
        # Bottles of the deuterated solvents say 0.943 and 0.985 g/cm³ at 25 °C.
        ("d8-toluene", {"C": 7, "D": 8}, 0.943),
        ("d-THF", {"C": 4, "D": 8, "O": 1}, 0.985),
    ],
)
def test_neutrons_from_tables_of_scattering_lengths(text: str, atoms: dict[str, int], density: float) -> None:
    length = sum(n * SEARS[a] for a, n in atoms.items()) * 1e-5  # Å
    volume = sum(n * WEIGHT[a] for a, n in atoms.items()) / (density * 0.602214)  # Å³
    # The molar volume of a deuterated solvent is a guess, good to 0.7 %.
    assert scattering_length_density(text) == pytest.approx(1e6 * length / volume, rel=0.007)


@pytest.mark.parametrize(
    ("text", "published", "tolerance"),
    # The calculator of the NIST Center for Neutron Research, https://www.ncnr.nist.gov/resources/activation/,
    # at 1.00, 1.107, 1.11 and 2.2 g/cm³; D2O at 25 °C is 0.3 % lighter than at 1.107 g/cm³.
    [("H2O@1", -0.561, 2e-3), ("D2O@1.107", 6.37, 0.01), ("D2O@1.11", 6.39, 0.01), ("D2O", 6.37, 0.02),
     ("SiO2@2.2", 3.47, 0.01)],
)  # fmt: skip
def test_neutrons_as_published(text: str, published: float, tolerance: float) -> None:
    assert abs(scattering_length_density(text) - published) < tolerance


@pytest.mark.parametrize(
    ("text", "published", "tolerance"),
    # SiO2: NIST, as above, Cu K-alpha. Water: 0.334 electrons/Å³ of 2.818e-5 Å each.
    [("SiO2@2.2", 18.8, 0.1), ("H2O", 0.334e6 * 2.818e-5, 0.05)],
)
def test_x_rays_as_published(text: str, published: float, tolerance: float) -> None:
    assert abs(scattering_length_density(text, "xray", 1.54) - published) < tolerance


def test_a_mixture_is_the_mean_by_volume() -> None:
    heavy, light = scattering_length_density("D2O"), scattering_length_density("H2O")
    mean = 0.4 * heavy + 0.6 * light
    for text in ("0.4*D2O+0.6*H2O", "40%D2O", "40% D2O + 60% H2O", "40%d2o", "0.4 * D2O"):
        assert scattering_length_density(text) == pytest.approx(mean)
    # The match point of silica lies at about 58 % D2O.
    silica = scattering_length_density("SiO2@2.2")
    assert 0.55 < (silica - light) / (heavy - light) < 0.60
    # A hydrate is a formula with a plus sign, no mixture.
    assert scattering_length_density("CaSO4+2H2O@2.32") == pytest.approx(
        scattering_length_density("CaSO6H4@2.32")
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Xx2@1", "neither a chemical formula"),
        ("d3-toluene", "neither a chemical formula"),
        ("SiO2", "density is not known; add it in g/cm³, such as SiO2@2.2"),
        ("SiO2@", "not a density"),
        ("SiO2@-1", "positive number"),
        ("SiO2@0", "positive number"),
        ("SiO2@nan", "positive number"),
        ("@2.2", "neither a chemical formula"),
        (" ", "empty"),
        ("0.4*D2O+0.5*H2O", "sum to 0.9"),
        ("40%toluene", "sum to 0.4"),
        ("140%D2O", "sum to 1.4"),
        ("0.4*D2O+H2O", "no fraction"),
        ("Og@10", "no scattering lengths"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(SasnetError, match=r"\.$") as caught:
        scattering_length_density(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "formula"),
    [("D2O", "D2O"), ("heavy water", "D2O"), ("Water", "H2O"), ("d-toluene", "C7D8"), ("d8-THF", "C4D8O"),
     ("d2-water", "D2O"), ("isopropanol", "C3H8O"), ("2-Propanol", "C3H8O"), ("d4-methanol", "CD4O")],
)  # fmt: skip
def test_names_of_solvents(name: str, formula: str) -> None:
    found = solvent(name)
    assert found is not None
    assert found[0] == formula


def test_a_deuterated_solvent_has_the_molar_volume_of_the_common_one() -> None:
    deuterated = solvent("d-toluene")
    assert deuterated is not None
    # periodictable takes a density with an n as that of the natural isotopes.
    assert deuterated[1] == f"{SOLVENTS['toluene'][1]:g}n"


@pytest.mark.parametrize("name", ["d3-toluene", "d-d2o", "kerosene", "d-", ""])
def test_what_is_no_solvent(name: str) -> None:
    assert solvent(name) is None


@pytest.mark.parametrize("name", ["D20", "H20", "D20@1.1"])
def test_water_with_a_digit_for_its_oxygen_is_refused(name: str) -> None:
    with pytest.raises(SasnetError, match="with the letter O"):
        scattering_length_density(name)
