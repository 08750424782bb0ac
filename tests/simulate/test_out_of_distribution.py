"""Out-of-scope curves: mixtures that show both parts, powder patterns at the lattice's q, smooth junk."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from sasmodels.core import load_model
from sasmodels.data import empty_data1D
from sasmodels.direct_model import DirectModel
from scipy.signal import find_peaks

from sasnet_plugin.simulate import out_of_distribution
from sasnet_plugin.simulate.grid import N_WIDE, WIDE_Q
from sasnet_plugin.simulate.library import Draw, Library
from sasnet_plugin.simulate.out_of_distribution import (
    _LATTICES,
    KINDS,
    MIXTURE_SHARE,
    junk,
    mixture,
    powder,
    reflectivity,
)

WINDOW = (int(np.searchsorted(WIDE_Q, 0.004)), int(np.searchsorted(WIDE_Q, 0.4)))


class Recorder:
    """A library that remembers what it drew last."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.last: Draw | None = None
        self.forms = library.forms

    def __len__(self) -> int:
        return len(self.library)

    def draw(self, *args: object, **options: object) -> Draw:
        self.last = self.library.draw(*args, **options)  # type: ignore[arg-type]
        return self.last


def test_each_part_of_a_mixture_is_the_stronger_one_over_a_fifth_of_the_window(library: Library) -> None:
    recorder, rng = Recorder(library), np.random.default_rng(1)
    inside = slice(*WINDOW)
    found = 0
    for _ in range(60):
        mixed = mixture(WINDOW, recorder, rng)  # type: ignore[arg-type]
        if mixed is None:
            continue
        mixed, named = mixed
        found += 1
        assert recorder.last is not None
        assert recorder.last.form[0] != recorder.last.form[1]
        # Either part is a right first answer, but a power law says nothing of a sample.
        assert set(named) == {f for f in recorder.last.form if library.forms[f] != "power_law"}
        first, second = recorder.last.intensity[:, inside]
        amount = (mixed[inside] - first) / second
        # A sum of the two with one factor for the whole curve (where the difference keeps its digits).
        clear = mixed[inside] - first > 1e-6 * mixed[inside]
        assert amount[clear] == pytest.approx(np.median(amount[clear]), rel=1e-6)
        share = np.mean(first > np.median(amount[clear]) * second)
        assert MIXTURE_SHARE <= share <= 1 - MIXTURE_SHARE
    assert found > 20


def _calculated(model: str, q: np.ndarray, **parameters: float) -> np.ndarray:
    data = empty_data1D(q, resolution=0.0)
    return np.asarray(DirectModel(data, load_model(model))(background=0.0, **parameters))


@pytest.mark.parametrize(
    ("whole", "values", "parts"),
    [
        (
            "broad_peak",
            {"porod_scale": 1e-5, "porod_exp": 3, "peak_scale": 5, "peak_pos": 0.1, "correlation_length": 40},
            {
                "power_law": {"scale": 1e-5, "power": 3},
                "peak_lorentz": {"scale": 5.0, "peak_pos": 0.1, "peak_hwhm": 1 / 40.0},
            },
        ),
        (
            "correlation_length",
            {"porod_scale": 1e-5, "porod_exp": 3, "lorentz_scale": 5, "cor_length": 40, "lorentz_exp": 2},
            {"power_law": {"scale": 1e-5, "power": 3}, "lorentz": {"scale": 5.0, "cor_length": 40.0}},
        ),
    ],
)
def test_a_known_sum_is_the_sum(
    whole: str, values: dict[str, float], parts: dict[str, dict[str, float]]
) -> None:
    assert tuple(parts) in out_of_distribution.KNOWN_SUMS[whole]
    q = np.geomspace(0.005, 0.5, 50)
    found = _calculated(whole, q, **values)
    assert found == pytest.approx(sum(_calculated(name, q, **own) for name, own in parts.items()), rel=1e-6)


def test_what_a_model_is_by_itself_is_no_mixture_in_training(library: Library) -> None:
    rng = np.random.default_rng(2)
    pairs = [out_of_distribution._pair(library, rng) for _ in range(3000)]
    named = {frozenset(library.forms[i] for i in pair) for pair in pairs if pair is not None}
    known = {frozenset(p) for sums in out_of_distribution.KNOWN_SUMS.values() for p in sums}
    assert len(named) > 10
    assert not named & known


def _norms(kind: str) -> list[int]:
    """Squared norms of the allowed reflections, from the lattice's selection rule."""
    if kind == "lamellar":
        return [h * h for h in range(1, 30)]
    if kind == "hexagonal":
        return sorted({h * h + h * k + k * k for h, k in product(range(9), repeat=2)} - {0})
    rules = {
        "simple cubic": lambda h, k, m: True,
        "body-centred": lambda h, k, m: (h + k + m) % 2 == 0,
        "face-centred": lambda h, k, m: len({h % 2, k % 2, m % 2}) == 1,
        # Ia-3d (No. 230): body-centred; 0kl: k, l even; hhl: 2h + l = 4n; h00: h = 4n.
        "Ia3d": lambda h, k, m: (
            (h + k + m) % 2 == 0
            and all(a or (b % 2 == 0 and c % 2 == 0) for a, b, c in ((h, k, m), (k, h, m), (m, h, k)))
            and all(a != b or (2 * a + c) % 4 == 0 for a, b, c in ((h, k, m), (h, m, k), (k, m, h)))
        ),
        # Pn-3m (No. 224): 0kl: k + l even; h00: h even.
        "Pn3m": lambda h, k, m: all(a or (b + c) % 2 == 0 for a, b, c in ((h, k, m), (k, h, m), (m, h, k))),
    }
    allowed = (t for t in product(range(9), repeat=3) if any(t) and rules[kind](*t))
    return sorted({h * h + k * k + m * m for h, k, m in allowed})


@pytest.mark.parametrize("kind", sorted(_LATTICES))
def test_lattices_have_the_reflections_of_their_selection_rule(kind: str) -> None:
    listed = list(_LATTICES[kind])
    assert listed == _norms(kind)[: len(listed)]


def test_powder_patterns_have_sharp_peaks_in_the_window() -> None:
    rng = np.random.default_rng(2)
    counts = []
    for _ in range(50):
        curve = powder(WINDOW, rng)
        assert curve.shape == (N_WIDE,)
        assert np.all(np.isfinite(curve) & (curve > 0))
        peaks, _ = find_peaks(np.log(curve[WINDOW[0] : WINDOW[1]]), prominence=0.05)
        counts.append(len(peaks))
    assert np.mean(np.array(counts) >= 2) > 0.7


class _CubicCell:
    """A generator whose cells have edges of 30 Å and right angles."""

    def uniform(self, low: float, high: float, size: int) -> np.ndarray:
        return np.full(size, 90.0 if high > 60 else np.log(30.0))


def test_a_cubic_cell_has_the_lines_of_a_cube() -> None:
    found = out_of_distribution._reflections(0.01, 0.65, _CubicCell())  # type: ignore[arg-type]
    expected = 2 * np.pi / 30 * np.sqrt([1, 2, 3, 4, 5, 6, 8, 9])
    assert len(np.unique(found.round(9))) == 8
    assert np.unique(found.round(9)) == pytest.approx(expected)


def test_reflectivity_is_total_up_to_an_edge_and_falls_as_fresnels_beyond() -> None:
    rng = np.random.default_rng(8)
    curves = np.stack([reflectivity(WINDOW, rng)[slice(*WINDOW)] for _ in range(60)])
    assert np.all((curves > 0) & (curves < 1.0001))
    total = curves[:, 0] > 0.9
    assert 0.2 < total.mean() < 0.95  # of a window that begins below the edge, and above it
    # Rough interfaces: never less steep than q⁻⁴ on the average, from the edge on.
    assert np.median(curves[:, -1]) < 1e-3


def test_junk_is_finite_positive_and_never_twice_the_same() -> None:
    rng = np.random.default_rng(3)
    curves = np.stack([junk(WINDOW, rng)[slice(*WINDOW)] for _ in range(40)])
    assert np.all(np.isfinite(curves) & (curves > 0))
    shapes = np.log(curves) - np.log(curves).mean(axis=1, keepdims=True)
    spread = np.abs(shapes[:, None] - shapes[None]).max(axis=2) + 1e9 * np.eye(len(shapes))
    assert spread.min() > 0.1


def test_curves_of_every_kind_come_with_a_flag(library: Library) -> None:
    kinds = np.arange(len(KINDS)).repeat(6)
    curves, good, named = out_of_distribution.draw_unknown(kinds, WINDOW, library, np.random.default_rng(4))
    assert np.all(good[kinds != KINDS.index("mixture")])
    assert good[kinds == KINDS.index("mixture")].any()
    inside = curves[good, WINDOW[0] : WINDOW[1] + 1]
    assert np.all(np.isfinite(inside) & (inside > 0))
    again, _, _ = out_of_distribution.draw_unknown(kinds, WINDOW, library, np.random.default_rng(4))
    assert curves.tobytes() == again.tobytes()
    assert [bool(forms) for forms in named] == list(good & (kinds == KINDS.index("mixture")))


def test_no_mixture_is_claimed_where_curves_are_not_known(library: Library) -> None:
    class Short(Recorder):
        def draw(self, *args: object, **options: object) -> Draw:
            drawn = super().draw(*args, **options)
            drawn.n_valid[:] = WINDOW[1]
            return drawn

    assert mixture(WINDOW, Short(library), np.random.default_rng(5)) is None  # type: ignore[arg-type]
