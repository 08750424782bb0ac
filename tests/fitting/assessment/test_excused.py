"""What a systematic error excuses is said as the table of fits has it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.assessment.assess import (
    NONE_EXPLAINS,
    describe_excused,
    none_explains,
    not_the_least,
    rank_behind_explaining,
    reject_inexcusable,
    select_within_uncertainties,
)
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter, Verification
from sasnet_plugin.fitting.result.residuals import SharedError

ERROR = SharedError(0.02, 0.3, 1.0)


def fit(name: str, reduced_chisq: float, parameters: int) -> ModelFit:
    free = {f"p{i}": Parameter(1.0, 0.1, "", False, 0.0, 2.0) for i in range(parameters)}
    return ModelFit(name, None, free, {}, 1.0, reduced_chisq, 1.0, 0.0, 0.0, np.ones(1))


def test_what_only_an_error_makes_as_good_is_said_with_it() -> None:
    best, simple = fit("onion", 1.0, 8), fit("sphere", 1.7, 4)
    (said,) = describe_excused(best, [simple], {"sphere": ERROR})
    assert said == (
        "Within a systematic error of 2 % of I, also indistinguishable from onion: sphere; sphere has 4"
        " parameters instead of 8."
    )
    assert describe_excused(best, [], {}) == []


def test_an_error_larger_than_measurements_have_puts_none_before_what_explains() -> None:
    """As lamellae of reduced χ² 79 stood, within 18 % of I, before a peak of 1.1 to the errors given."""
    smooth = replace(fit("lamellar", 79.0, 2), weight=0.9)
    peak = replace(fit("broad_peak", 1.1, 8), weight=0.06)
    within = replace(fit("onion", 1.7, 6), weight=0.04)
    errors = {"lamellar": replace(ERROR, relative=0.18), "broad_peak": ERROR, "onion": ERROR}
    order = rank_behind_explaining([smooth, peak, within], errors, 100)
    assert [one.name for one in order] == ["broad_peak", "onion", "lamellar"]
    assert np.allclose([one.weight for one in order], [0.6, 0.4, 0.0])
    # Where none explains, what is smooth stays the first.
    assert rank_behind_explaining([smooth, within], errors, 100)[0] is smooth


def test_why_the_first_is_not_the_nearest_is_what_the_table_shows() -> None:
    far = replace(fit("lamellar", 9.6, 3), bic=40.0)
    near = replace(fit("onion", 1.0, 6), bic=1.0, probability=0.3)
    (said,) = not_the_least([far, near], SharedError())
    assert said.endswith("lamellar ranks first, because it has 3 instead of 6 parameters.")
    (said,) = not_the_least(
        [replace(far, log_evidence=-9.0), replace(near, log_evidence=-8.0)], SharedError()
    )
    assert said.endswith("because it has 3 instead of 6 parameters and it is the more common model.")
    (said,) = not_the_least([far, near], ERROR)
    assert said.endswith("because its residuals are smooth, like a systematic error.")


def test_errors_that_are_no_noise_decide_little() -> None:
    best, sphere, far = (
        fit("vesicle", 0.21, 4),
        replace(fit("sphere", 0.3, 4), probability=0.4),
        fit("rod", 1.3, 4),
    )
    onion = fit("onion", 0.23, 6)
    waves = Verification(0.0, -5.8, (0.01, 0.02), True, ())
    assert select_within_uncertainties([best, onion, sphere, far], waves, ()) == [sphere, onion]
    assert select_within_uncertainties([best, onion, sphere, far], replace(waves, runs=0.3), ()) == []
    assert select_within_uncertainties([fit("vesicle", 0.8, 4), sphere], waves, ()) == []


def test_what_no_measurement_shares_is_not_explained_by_signs_that_look_random() -> None:
    good, sphere = Verification(1.0, -0.4, (0.01, 0.02), True, ()), fit("sphere", 1.72, 4)
    large = replace(ERROR, relative=0.13)
    found = reject_inexcusable(good, sphere, large, 200)
    assert not found.explained
    assert found.sentences[0].startswith(
        "Neighbouring residuals share a systematic error of 13 % of I, more than"
    )
    assert (
        reject_inexcusable(good, sphere, ERROR, 200)
        == reject_inexcusable(good, sphere, SharedError(), 200)
        == good
    )
    assert reject_inexcusable(good, fit("sphere", 1.02, 4), large, 200) == good


def test_none_explains_is_said_where_none_does() -> None:
    sphere, onion = fit("sphere", 1.7, 4), fit("onion", 1.0, 8)
    errors = {"sphere": ERROR, "onion": replace(ERROR, relative=0.0)}
    # The second explains the data to its noise; the first does with the error.
    (said,) = none_explains([sphere, onion], {"onion"}, errors, 200)
    assert said.startswith(
        "Within the given errors onion fits the data; within a systematic error of 2 % of I,"
    )
    (said,) = none_explains([sphere, fit("ellipsoid", 1.6, 5)], set(), errors, 200)
    assert said.startswith("None of these models fits the data within the given errors; within")
    assert said.endswith("sphere does.")
    # One whose residuals share nothing is not excused by another's error.
    (said,) = none_explains([onion_far := fit("raspberry", 9.0, 8), sphere], {"sphere"}, errors, 200)
    assert said.endswith("within a systematic error of 2 % of I, sphere does.")
    assert none_explains([onion_far], set(), errors, 200) == [NONE_EXPLAINS]
    # Nor is one whose noise is still five times the given, nor a background that is half of the curve.
    assert none_explains([sphere], set(), {"sphere": replace(ERROR, noise=5.0)}, 200) == [NONE_EXPLAINS]
    assert none_explains([sphere], set(), {"sphere": replace(ERROR, background=0.5)}, 200) == [NONE_EXPLAINS]
    # What a measurement does not have excuses nothing.
    large = {"sphere": replace(ERROR, relative=0.4)}
    assert none_explains([sphere], set(), large, 200) == [NONE_EXPLAINS]
    assert none_explains([sphere, onion], set(), large, 200) == []


def test_noise_somewhat_larger_than_stated_puts_no_fit_behind() -> None:
    """Independent noise of 1.2 times the stated is a usual misstatement, which the evidence weighs."""
    network = replace(fit("lorentz+power_law", 1.37, 5), weight=0.9)
    sphere = replace(fit("sphere+power_law", 1.34, 6), weight=0.1)
    errors = {"lorentz+power_law": SharedError(noise=1.17), "sphere+power_law": ERROR}
    assert rank_behind_explaining([network, sphere], errors, 147) == [network, sphere]
    # Noise of twice the stated is not excused by another fit's.
    noisy = errors | {"lorentz+power_law": SharedError(noise=2.0)}
    assert rank_behind_explaining([network, sphere], noisy, 147)[0].name == "sphere+power_law"
