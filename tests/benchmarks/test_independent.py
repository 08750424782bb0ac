"""The independent formulas have the limits that physics demands, and answers are judged by what they say."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from benchmarks.independent_curves import form_factors as form
from benchmarks.independent_curves import phenomenological as law
from benchmarks.independent_curves import structure_factors as structure
from benchmarks.independent_curves.instruments import INSTRUMENTS, Sample, measure, resolution_shape, smeared
from benchmarks.independent_curves.kinds import BY_NAME, KINDS, curve_of
from benchmarks.independent_curves.reflectivity import reflected_amplitude
from benchmarks.independent_curves.scoring import CAUTIONED, REFUSED, RIGHT, WRONG, stated, values, verdict
from benchmarks.independent_curves.size_distributions import sizes_of

Array = np.ndarray


def guinier_rg(form_factor: object, rg: float) -> float:
    """Radius of gyration by the slope of ln P between two small q."""
    q = np.array([0.02, 0.06]) / rg
    values = np.log(form_factor(q))  # type: ignore[operator]
    return float(np.sqrt(-3 * (values[1] - values[0]) / (q[1] ** 2 - q[0] ** 2)))


@pytest.mark.parametrize(
    ("form_factor", "rg"),
    [
        (lambda q: form.sphere_amplitude(q, 60) ** 2, np.sqrt(0.6) * 60),
        (lambda q: form.ellipsoid_moments(q, 90, 30)[1], np.sqrt((90**2 + 2 * 30**2) / 5)),
        (lambda q: form.cylinder_form(q, 20, 300), np.sqrt(20**2 / 2 + 300**2 / 12)),
        (lambda q: form.cylinder_form(q, 150, 30), np.sqrt(150**2 / 2 + 30**2 / 12)),
        (lambda q: form.box_form(q, 30, 60, 90), np.sqrt((30**2 + 60**2 + 90**2) / 12)),
        (lambda q: form.debye((q * 80) ** 2), 80),
        (lambda q: form.schulz_zimm_coils(q, 80, 1.7), 80),
        (lambda q: form.swollen_coil(q, 80, 0.588), 80),
        (lambda q: form.star_polymer(q, 80, 8), 80),
        (lambda q: form.janus_form(q, 60, 1.0, 1.0), np.sqrt(0.6) * 60),
        (lambda q: law.guinier_porod(q, 50, 3.5), 50),
        (lambda q: law.lorentzian(q, 50), np.sqrt(3) * 50),
        (lambda q: law.debye_bueche(q, 50), np.sqrt(6) * 50),
    ],
)
def test_guinier_law_gives_the_known_radius_of_gyration(form_factor: object, rg: float) -> None:
    assert form_factor(np.array([1e-4 / rg]))[0] == pytest.approx(1, abs=1e-4)  # type: ignore[operator]
    assert guinier_rg(form_factor, rg) == pytest.approx(rg, rel=2e-3)


@pytest.mark.parametrize(
    ("form_factor", "volume", "surface"),
    [
        (lambda q: form.sphere_amplitude(q, 60) ** 2, 4 / 3 * np.pi * 60**3, 4 * np.pi * 60**2),
        (
            lambda q: form.cylinder_form(q, 60, 90),
            np.pi * 60**2 * 90,
            2 * np.pi * 60**2 + 2 * np.pi * 60 * 90,
        ),
        (
            lambda q: form.box_form(q, 40, 60, 90),
            40 * 60 * 90,
            2 * (40 * 60 + 40 * 90 + 60 * 90),
        ),
    ],
)
def test_porods_law_gives_the_surface(form_factor: object, volume: float, surface: float) -> None:
    q = np.linspace(0.4, 0.8, 300)
    limit = np.mean(form_factor(q) * q**4) * volume**2  # type: ignore[operator]
    assert limit == pytest.approx(2 * np.pi * surface, rel=0.04)


def test_an_ellipsoid_of_equal_axes_is_a_sphere_and_a_cube_has_the_invariant_of_its_volume() -> None:
    q = np.linspace(0.001, 0.4, 200)
    assert form.ellipsoid_moments(q, 50, 50)[1] == pytest.approx(form.sphere_amplitude(q, 50) ** 2, abs=1e-9)
    q = np.linspace(1e-4, 0.8, 500)
    box = form.box_form(q, 40, 40, 40)
    invariant = np.trapezoid(q**2 * box, q) + np.mean(box[-100:] * q[-100:] ** 4) / q[-1]
    assert invariant * 40**3 == pytest.approx(2 * np.pi**2, rel=0.02)


def test_a_janus_sphere_of_opposite_halves_scatters_nothing_forward() -> None:
    form_factor = form.janus_form(np.array([1e-3, 0.05]), 60, 1.0, -0.999)
    assert form_factor[0] / form_factor[1] < 0.02


def test_large_q_limits_of_chains() -> None:
    q = np.array([1.0])
    assert form.debye((q * 80) ** 2) * (q * 80) ** 2 == pytest.approx(2, rel=1e-3)
    ratio = form.swollen_coil(np.array([0.2, 0.4]), 100, 0.6)
    assert np.log(ratio[0] / ratio[1]) / np.log(2) == pytest.approx(1 / 0.6, abs=0.03)
    assert form.swollen_coil(q, 80, 0.5) == pytest.approx(form.debye((q * 80) ** 2), rel=1e-2)
    near = np.geomspace(0.003, 0.1, 20)
    assert form.schulz_zimm_coils(near, 80, 1.01) == pytest.approx(form.debye((near * 80) ** 2), rel=0.015)
    # J. S. Pedersen 1997, no. 22: the closed form of the same distribution.
    u = 0.7
    x = (near * 80) ** 2 / (1 + 2 * u)
    closed = 2 * ((1 + u * x) ** (-1 / u) + x - 1) / ((1 + u) * x**2)
    assert form.schulz_zimm_coils(near, 80, 1.7) == pytest.approx(closed, rel=2e-3)


def test_a_wormlike_chain_is_a_coil_at_low_q_and_a_rod_at_high_q() -> None:
    contour, kuhn = 500.0, 100.0
    q = np.array([1e-4, 0.006, 0.15, 0.2])
    found = form.wormlike_chains(q, contour, kuhn, 0.1, np.random.default_rng(1), chains=80)
    n = contour / kuhn  # H. Benoit, P. Doty, J. Phys. Chem. 57 (1953) 958, in persistence lengths kuhn / 2
    p = kuhn / 2
    rg2 = contour * p / 3 - p**2 + 2 * p**3 / contour - 2 * p**4 / contour**2 * (1 - np.exp(-2 * n))
    assert found[0] == pytest.approx(1, rel=0.01)
    assert -3 * np.log(found[1] / found[0]) / (q[1] ** 2 - q[0] ** 2) == pytest.approx(rg2, rel=0.15)
    assert (found * q * contour)[2:] == pytest.approx(np.pi, rel=0.12)


def test_a_micelle_without_chains_is_its_core() -> None:
    q = np.linspace(0.001, 0.3, 50)
    bare = form.micelle(q, 40, 60, 20, 1.0, 1e-12)
    assert bare == pytest.approx(form.sphere_amplitude(q, 40) ** 2, abs=1e-8)
    assert form.micelle(np.array([1e-5]), 40, 60, 20, 1e5, 500)[0] == pytest.approx(1, rel=1e-3)


def test_shells_of_one_contrast_are_a_sphere() -> None:
    q = np.linspace(0.001, 0.3, 50)
    shells = form.layered_sphere_amplitude(q, np.array([30.0, 50.0]), np.array([2.0, 2.0]))
    assert shells == pytest.approx(2 * form.sphere_volume(50) * form.sphere_amplitude(q, 50))


@pytest.mark.parametrize("shape", ["gaussian", "schulz", "lognormal"])
@pytest.mark.parametrize("relative", [0.05, 0.2, 0.3])
def test_size_distributions_have_their_mean_and_deviation(shape: str, relative: float) -> None:
    sizes, numbers = sizes_of(shape, 50, relative)
    mean = (sizes * numbers).sum()
    deviation = np.sqrt(((sizes - mean) ** 2 * numbers).sum()) / mean
    assert mean == pytest.approx(50, rel=2e-3)
    assert deviation == pytest.approx(relative, rel=0.02)


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.4])
def test_hard_spheres_have_the_compressibility_of_percus_and_yevick(fraction: float) -> None:
    q = np.array([1e-5, 0.03, 0.06, 0.2])
    found = structure.hard_spheres(q, 50, fraction)
    assert found[0] == pytest.approx((1 - fraction) ** 4 / (1 + 2 * fraction) ** 2, rel=1e-4)
    mixed = structure.hard_sphere_mixture(
        q, np.array([50.0, 50.0 + 1e-9]), np.array([0.5, 0.5]), fraction, np.ones((4, 2))
    )
    assert mixed == pytest.approx(found, rel=1e-4)


def test_the_solved_equation_agrees_with_percus_and_yevick() -> None:
    q = np.linspace(0.01, 0.2, 40)
    solved = structure.liquid(q, 100, 0.2, closure="py")
    assert solved == pytest.approx(structure.hard_spheres(q, 50, 0.2), abs=0.01)
    assert structure.liquid(np.array([1.5]), 100, 0.05, 6.0, 20.0) == pytest.approx(1, abs=0.02)


def test_charges_lower_the_forward_intensity_and_stickiness_raises_it() -> None:
    q = np.array([0.003])
    bare = structure.hard_spheres(q, 25, 0.04)
    assert structure.liquid(q, 50, 0.04, 6.0, 20.0) < bare < structure.sticky_spheres(q, 25, 0.04, 0.15)
    # R. J. Baxter 1968: far from sticky is hard.
    assert structure.sticky_spheres(q, 25, 0.04, 1e5) == pytest.approx(bare, rel=1e-3)


def test_peaks_of_stacks_and_lattices_lie_where_bragg_says() -> None:
    q = np.linspace(0.05, 0.16, 2000)
    for stack in (
        structure.paracrystalline_stack(q, 20, 60, 0.03),
        structure.caille_stack(q, 20, 60, 0.1),
    ):
        assert q[np.argmax(stack)] == pytest.approx(2 * np.pi / 60, rel=0.01)
        assert stack.mean() == pytest.approx(1, abs=0.2)
    lattice = structure.cubic_lattice(q, 150, "fcc", 5, 3000, 0.2)
    assert q[np.argmax(lattice)] == pytest.approx(2 * np.pi / 150 * np.sqrt(3), rel=0.01)
    far = np.linspace(0.3, 0.6, 4000)
    still = structure.cubic_lattice(far, 150, "fcc", 0, 1500, 0.7)  # peaks merge into the mean, 1
    assert still.mean() == pytest.approx(1, abs=0.05)


def test_a_microemulsion_peaks_where_teubner_and_strey_say() -> None:
    q = np.linspace(0.001, 0.1, 5000)
    period, length = 200.0, 90.0
    top = np.sqrt((2 * np.pi / period) ** 2 - 1 / length**2)
    assert q[np.argmax(law.teubner_strey(q, period, length))] == pytest.approx(top, rel=1e-3)


def test_a_fractal_has_its_dimension_as_slope_and_single_particles_at_the_end() -> None:
    q = np.array([0.01, 0.02])
    factor = law.mass_fractal_factor(q, 5, 2.0, 2000)
    assert np.log((factor[0] - 1) / (factor[1] - 1)) / np.log(2) == pytest.approx(2.0, abs=0.05)
    assert law.mass_fractal_factor(np.array([50.0]), 5, 2.0, 2000) == pytest.approx(1, abs=0.01)


def test_below_the_critical_edge_all_is_reflected_and_far_above_fresnels_law_holds() -> None:
    density = 2.07e-6
    critical = 4 * np.sqrt(np.pi * density)
    none = np.array([])
    q = np.array([0.5 * critical, 20 * critical])
    found = np.abs(reflected_amplitude(q, np.array([0.0, density]), none, np.zeros(1))) ** 2
    assert found == pytest.approx([1, (1 / (2 * 20)) ** 4], rel=0.01)
    # A layer of the substrate's density changes nothing.
    layered = np.array([0.0, density, density]), np.array([80.0]), np.zeros(2)
    same = np.abs(reflected_amplitude(q[1:], *layered)) ** 2
    assert same == pytest.approx(found[1:])


def test_resolution_has_the_stated_width_and_ends() -> None:
    z, weights = resolution_shape()
    assert weights @ z == pytest.approx(0, abs=1e-12)
    assert weights @ z**2 == pytest.approx(1, rel=1e-3)
    assert weights @ z**4 == pytest.approx(3, abs=0.4)


def test_resolution_and_a_slit_average_as_integrals_do() -> None:
    sample = Sample(lambda q: np.exp(-0.5 * ((q - 0.06) / 0.004) ** 2), 1000, (0.01, 0.2))
    q = np.linspace(0.05, 0.07, 21)
    wide = smeared(sample, q, np.full(21, 0.003), None)
    assert wide == pytest.approx(0.8 * np.exp(-0.5 * ((q - 0.06) / 0.005) ** 2), abs=0.01)
    narrow = Sample(lambda q: np.exp(-0.5 * ((q - 0.06) / 0.0008) ** 2), 8000, (0.01, 0.2))
    broad = smeared(narrow, q, np.full(21, 0.008), None)
    assert np.all(np.diff(broad[:11]) > 0)  # smooth, though the peak is a tenth as wide as the resolution
    assert broad == pytest.approx(broad[::-1], rel=1e-3)
    whole = np.hypot(0.0008, 0.008)
    assert broad == pytest.approx(0.0008 / whole * np.exp(-0.5 * ((q - 0.06) / whole) ** 2), rel=0.06)
    constant = Sample(lambda q: np.ones_like(q), 100, (0.01, 0.2))
    assert smeared(constant, q, None, 0.1) == pytest.approx(1)
    steep = Sample(lambda q: q**-4, 100, (0.01, 0.2))
    long = smeared(steep, np.array([0.01, 0.02]), None, 2.0)
    assert np.log(long[0] / long[1]) / np.log(2) == pytest.approx(3, abs=0.01)  # O. Glatter, O. Kratky 1982


@pytest.mark.parametrize("instrument", list(INSTRUMENTS))
def test_noise_is_as_large_as_stated_where_nothing_is_wrong(instrument: str) -> None:
    sample = Sample(lambda q: 5 / (1 + (40 * q) ** 2), 40, (0.006, 0.3))
    chisq = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        found = measure(sample, instrument, rng, faults=False)
        assert found.dintensity is not None
        clean = smeared(sample, found.q, found.dq, found.slit)
        residual = (found.intensity - clean) / found.dintensity
        best = np.sum(residual / found.dintensity) / np.sum(found.dintensity**-2)  # the background
        chisq.append(np.mean((residual - best / found.dintensity) ** 2))
    assert np.mean(chisq) == pytest.approx(1, abs=0.12)


#: Kinds whose samples take seconds to calculate.
SLOW = {"wormlike chains", "boxes", "cubes", "sticky spheres", "Janus spheres"}


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.name not in SLOW])
def test_every_kind_can_be_measured(kind: str) -> None:
    curve = curve_of(BY_NAME[kind], 1)
    assert np.all(np.isfinite(curve.measurement.intensity))
    assert curve.measurement.q.size >= 60
    assert curve.drawn.values


@pytest.mark.parametrize("kind", ["spheres, Schulz", "multilamellar vesicles"])
def test_a_seed_gives_the_same_file_again(kind: str, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        curve_of(BY_NAME[kind], seed).measurement.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


def test_nothing_is_shared_with_sasmodels_or_the_package(repository: Path) -> None:
    for path in (repository / "benchmarks" / "independent_curves").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level < 2:
                names = [node.module or ""]
            assert not [n for n in names if n.startswith(("sasmodels", "sasnet_plugin", "sasdata", "bumps"))]


def _answer(model: str, headline: str, doubt: str = "", level: str = "explains") -> dict[str, object]:
    form_model, _, factor = model.partition("@")
    fit = {"model": form_model, "structure_factor": factor or None, "weight": 1.0, "reduced_chisq": 1.0}
    return {"headline": headline, "doubt": doubt, "verdict": level, "fits": [fit]}


def test_verdicts() -> None:
    coils = BY_NAME["coils, Schulz"]
    assert (
        verdict(_answer("poly_gauss_coil", "Polymer coils: Rg 80 ± 1 Å. Explains the data."), coils) == RIGHT
    )
    beside = "Coil-like; mono_gauss_coil cannot be told from poly_gauss_coil here. Explains the data."
    assert verdict(_answer("mono_gauss_coil", beside), coils) == RIGHT
    alone = _answer("lorentz", "A network: correlation length 80 ± 1 Å. Explains the data.")
    assert verdict(alone, coils) == WRONG
    caution = "Another shape, swollen polymer coils, explains the data as well (polymer_excl_volume)."
    assert verdict(alone | {"doubt": caution}, coils) == CAUTIONED
    assert verdict(alone | {"doubt": "The time limit left sphere unfitted."}, coils) == WRONG
    assert verdict(alone | {"verdict": "does not explain"}, coils) == CAUTIONED
    assert verdict({"error": "looks like reflectometry"}, coils) == REFUSED
    upturn = BY_NAME["spheres with an upturn"]
    assert verdict(_answer("power_law+sphere", "A sum. Explains the data."), upturn) == RIGHT
    dilute = BY_NAME["hard spheres, dilute"]
    assert verdict(_answer("sphere@hardsphere", "Spheres. Explains the data."), dilute) == RIGHT
    slit = BY_NAME["slit not stated"]
    assert (
        verdict(_answer("sphere", "Spheres. Explains the data.", "A slit may smear these data."), slit)
        == RIGHT
    )


def test_values_of_a_headline() -> None:
    found = stated("Spheres: radius 37.1 ± 0.2 Å, 16.7 ± 0.3 % polydisperse (Gaussian). Explains the data.")
    assert [(v.name, v.value, v.below) for v in found] == [("radius", 37.1, 0.2), ("", 0.167, 0.003)]
    (asymmetric,) = stated("Coils: Rg 80 (+5 −3) Å.")
    first, second = stated(
        "Best fit: A and B (sphere+lorentz), radius (component A) 60 ± 1 Å, x (B) 20 ± 2 Å."
    )
    assert (first.name, first.value, second.name) == ("radius (component A)", 60.0, "x (B)")
    assert asymmetric.pull(83) == pytest.approx(-0.6)
    assert asymmetric.pull(74) == pytest.approx(2)


def test_a_median_is_compared_as_the_mean() -> None:
    text = "Spheres: median radius 60.0 ± 0.5 Å, 30 ± 1 % polydisperse (log-normal). Explains the data."
    truth = {"radius": 60 * np.exp(0.045), "relative deviation": np.sqrt(np.expm1(0.09))}
    found = values(_answer("sphere", text), truth)
    assert found["radius"]["pull"] == pytest.approx(0, abs=1e-9)
    assert found["relative deviation"]["pull"] == pytest.approx(0, abs=1e-9)


def test_which_side_of_a_box_is_called_a_is_a_convention() -> None:
    truth = {"shortest side": 40.0}
    for text in (
        "Boxes (parallelepiped): side a 151 ± 1 Å, side b 40.2 ± 0.2 Å, side c 58.4 ± 0.3 Å.",
        "Boxes (parallelepiped): side a 40.2 ± 0.2 Å, side b 58.4 ± 0.3 Å, side c 151 ± 1 Å.",
        "Boxes: side a 201 ± 1 Å, ratio of sides b/a 0.200 ± 0.001, ratio of sides c/a 0.5 ± 0.1.",
    ):
        found = values(_answer("parallelepiped", text), truth)["shortest side"]
        assert found["value"] == pytest.approx(40.2)
        assert 0.2 <= found["error"] < 0.3
