"""The temperature of a sample: what the charge of its particles means depends on it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sasmodels.direct_model import call_kernel
from scipy.optimize import minimize_scalar

from sasnet_plugin.fitting.api import fit, fit_together
from sasnet_plugin.fitting.asked import check_names, options_of
from sasnet_plugin.fitting.problem.free_parameters import dielectric_constant_of_water
from sasnet_plugin.fitting.request import FitRequest
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.types import Curve, SasnetError

WARM, USUAL = 350.0, 298.15  # K
CHARGE, SALT = 40.0, 0.01  # e; mol/l


Q = np.geomspace(0.008, 0.25, 120)


def calculate(charge: float, temperature: float) -> NDArray[np.float64]:
    """I(q) of charged spheres in water with some salt, without noise."""
    values = {
        "radius": 30.0, "volfraction": 0.02, "charge": charge, "sld": 0.0, "sld_solvent": 6.36,
        "temperature": temperature, "dielectconst": dielectric_constant_of_water(temperature),
        "background": 0.01, "concentration_salt": SALT, "radius_effective_mode": 1.0,
    }  # fmt: skip
    found: NDArray[np.float64] = call_kernel(load_model("sphere@hayter_msa").make_kernel([Q]), values)
    return found


def find_same_charge(temperature: float) -> float:
    """The charge at another temperature that changes the curve least."""
    seen = calculate(CHARGE, WARM)
    misfit = lambda charge: np.sum((calculate(charge, temperature) / seen - 1) ** 2)  # noqa: E731
    return float(minimize_scalar(misfit, bounds=(30.0, 50.0), method="bounded").x)


def micelles(seed: int) -> Curve:
    """Charged spheres in warm water, as measured."""
    clean = calculate(CHARGE, WARM)
    sigma = 0.01 * clean
    return Curve(Q, clean + sigma * np.random.default_rng(seed).standard_normal(Q.size), sigma)


ASKED = {
    "models": "sphere", "structure_factor": "hayter_msa", "workers": 1, "time_limit": 30.0, "progress": False,
    "fixed": {"sld": 0.0, "sld_solvent": 6.36, "volfraction": 0.02, "concentration_salt": SALT},
}  # fmt: skip


def test_a_given_temperature_gives_the_charge() -> None:
    """The potential between two particles in kT goes with z²/(εT), its reach with √(εT) (Hayter & Penfold,
    Mol. Phys. 42 (1981) 109): of water at 350 K, εT is 8 % below that at 298 K.
    """
    curve = micelles(3)
    given, assumed = (fit(curve, **ASKED, **how) for how in ({"temperature": "76.85 C"}, {}))
    assert given.best is not None
    assert assumed.best is not None
    at, usual = given.best.parameters, assumed.best.parameters
    assert (at["temperature"].value, usual["temperature"].value) == (WARM, USUAL)
    assert at["dielectconst"].value == pytest.approx(dielectric_constant_of_water(WARM))
    charge, error = at["charge"].value, at["charge"].error
    assert error is not None
    assert abs(charge - CHARGE) < 4 * error
    assert charge == pytest.approx(CHARGE, rel=0.01)
    # The charge for which sasmodels' curve at 298 K is nearest to that at 350 K: 5 % less.
    assert usual["charge"].value == pytest.approx(find_same_charge(USUAL), rel=0.01)
    assert find_same_charge(USUAL) < 0.96 * CHARGE
    assert "(at 350 K, dielectric constant 61." in given.headline
    assert "(assumed: 298 K, dielectric constant 78.3" in assumed.headline


def test_several_curves_have_the_temperature_too() -> None:
    found = fit_together([micelles(1), micelles(2)], kind="settings", temperature=WARM, **ASKED)
    assert found.best is not None
    parameters = found.best.make_curve_fit(0).parameters
    assert parameters["temperature"].value == WARM
    assert parameters["charge"].value == pytest.approx(CHARGE, rel=0.05)


@pytest.mark.parametrize("written", ["25 C", "25°C", "25 °C", "298.15 K", "298.15", 298.15])
def test_a_temperature_is_read_as_people_write_it(written: str | float) -> None:
    assert options_of(FitRequest(temperature=written)).temperature == pytest.approx(USUAL)


@pytest.mark.parametrize("wrong", ["warm", "25 F", 25, "-5 C", "120 C", float("nan"), True])
def test_what_is_no_temperature_of_water_is_refused(wrong: object) -> None:
    with pytest.raises(SasnetError, match="in K or °C"):
        FitRequest(temperature=wrong)  # type: ignore[arg-type]


def test_a_dielectric_constant_that_is_given_stays_and_a_second_temperature_is_refused() -> None:
    options = options_of(FitRequest(temperature="25 C", fixed={"dielectconst": 40.0}))
    check_names(options)
    assert options.fixed == {"dielectconst": 40.0}
    with pytest.raises(SasnetError, match="leave out one of both"):
        check_names(options_of(FitRequest(temperature="25 C", fixed={"temperature": 310.0})))
