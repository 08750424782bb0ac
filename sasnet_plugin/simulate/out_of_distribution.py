"""Curves that no single model explains: mixtures, powders, reflectivity, junk, columns of something else.

They teach the network to say so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .grid import N_WIDE, WIDE_Q
from .library import MAX_SHIFT, Library

KINDS = ("mixture", "powder", "junk", "no scattering", "reflectivity")
#: What the rule against uninformative curves spares: a straight line carries no information, and that is it.
UNFILTERED = frozenset({"no scattering"})
#: Each part of a mixture is the stronger one over at least this share of the window, in log q:
#: a mixture whose second part is never seen is a pure curve.
MIXTURE_SHARE = 0.2
#: In training, what mixtures are of: any two models; a power law (aggregates, an upturn), the same form in
#: two sizes, whose Rg differ by `_SIZE_RATIO`, or a coil or Lorentzian (free polymer, solvent) beside a form.
_PAIRS = {"any": 0.4, "power law": 0.25, "two sizes": 0.2, "coil": 0.15}
_BESIDE = {
    "power law": ("power_law",),
    "coil": ("mono_gauss_coil", "poly_gauss_coil", "polymer_excl_volume", "lorentz"),
}
_SIZE_RATIO = 2.0
#: Sums that a model of sasmodels is, by its documentation (the unified one but for how its levels go over
#: into one another); in training they are no mixtures.
KNOWN_SUMS = {
    "broad_peak": (("power_law", "peak_lorentz"), ("porod", "peak_lorentz")),
    "correlation_length": (("power_law", "lorentz"), ("porod", "lorentz")),
    "two_lorentzian": (("lorentz", "lorentz"),),
    "gauss_lorentz_gel": (("guinier", "lorentz"),),
    "unified_power_Rg": (("guinier", "power_law"), ("guinier", "porod"), ("guinier", "guinier")),
}
_NO_MIXTURES = frozenset(frozenset(pair) for pairs in KNOWN_SUMS.values() for pair in pairs)
_LOG_Q = np.log(WIDE_Q)
# Squares of the Miller indices' norm, in order (International Tables for Crystallography).
_LATTICES = {
    "lamellar": np.arange(1, 9) ** 2,
    "hexagonal": np.array([1, 3, 4, 7, 9, 12, 13, 16, 19]),
    "simple cubic": np.array([1, 2, 3, 4, 5, 6, 8, 9, 10, 11]),
    "body-centred": np.array([2, 4, 6, 8, 10, 12, 14, 16, 18]),
    "face-centred": np.array([3, 4, 8, 11, 12, 16, 19, 20, 24]),
    "Ia3d": np.array([6, 8, 14, 16, 20, 22, 24, 26]),
    "Pn3m": np.array([2, 3, 4, 6, 8, 9, 10, 11, 12, 14]),
}
#: Edges of a crystal's cell, Å, its angles, degrees, and how far its grains are whole, Å. More lines than so
#: many run into one another.
_EDGES, _ANGLES, _GRAINS, _LINES = (5.0, 60.0), (75.0, 110.0), (150.0, 3000.0), 60


def draw_unknown(
    kinds: NDArray[np.intp],
    window: tuple[int, int],
    library: Library,
    rng: np.random.Generator,
    *,
    wide: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[tuple[int, ...]]]:
    """Simulate clean curves (k, N_WIDE) of out-of-scope `KINDS`; `window` are first and last grid points
    measured, `wide` adds realistic mixtures (training).
    """
    # Also returns where a visible mixture was found, and models of the library that are a right first answer:
    # a mixture's parts, but for a power law.
    out = np.ones((len(kinds), N_WIDE))
    good = np.ones(len(kinds), dtype=bool)
    names_of_parts: list[tuple[int, ...]] = [() for _ in kinds]
    for row, kind in enumerate(kinds):
        name = KINDS[kind]
        if name == "mixture":
            mixed = mixture(window, library, rng, wide=wide)
            good[row] = mixed is not None
            if mixed is not None:
                out[row], names_of_parts[row] = mixed
        else:
            simulate = {"powder": powder, "no scattering": no_scattering, "reflectivity": reflectivity}
            out[row] = simulate.get(name, junk)(window, rng)
    return out, good, names_of_parts


def mixture(
    window: tuple[int, int], library: Library, rng: np.random.Generator, *, wide: bool = False
) -> tuple[NDArray[np.float64], tuple[int, ...]] | None:
    """Sum two models, or two sizes of one, of equal strength somewhere in the window, (N_WIDE,)."""
    low, high = window
    for _ in range(6):
        forms = _pair(library, rng) if wide else rng.choice(len(library), size=2, replace=False)
        if forms is None:
            continue
        draws = library.draw(forms, high + 1, rng, low=low, max_shift=MAX_SHIFT)
        if np.any(draws.n_valid <= high):
            continue
        apart = abs(draws.log_rg[1] - draws.log_rg[0])
        if forms[0] == forms[1] and not apart > np.log10(_SIZE_RATIO):
            continue
        cross = int(rng.integers(low + (high - low) // 6, high - (high - low) // 6, endpoint=True))
        first, second = draws.intensity
        second = second * (first[cross] / max(second[cross], 1e-300))
        share = np.mean(first[low:high] > second[low:high])
        if MIXTURE_SHARE <= share <= 1 - MIXTURE_SHARE and np.all(np.isfinite(second)):
            named_forms = [int(form) for form in forms if library.forms[form] not in _BESIDE["power law"]]
            return np.asarray(first + second), tuple(sorted(set(named_forms)))
    return None


def _pair(library: Library, rng: np.random.Generator) -> NDArray[np.intp] | None:
    """Indices of the models of a mixture in training; None if it is what a single model is."""
    pair = _any_pair(library, rng)
    return None if frozenset(library.forms[index] for index in pair) in _NO_MIXTURES else pair


def _any_pair(library: Library, rng: np.random.Generator) -> NDArray[np.intp]:
    kind = str(rng.choice(list(_PAIRS), p=list(_PAIRS.values())))
    first = int(rng.integers(len(library)))
    if kind == "two sizes":
        return np.array([first, first])
    partners = [library.forms.index(name) for name in _BESIDE.get(kind, ()) if name in library.forms]
    if partners:
        second = int(rng.choice(partners))
        if second != first:
            return np.array([first, second])
    return rng.choice(len(library), size=2, replace=False)


def powder(window: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Bragg peaks of a lattice, or at any place, over a falling power law and a constant."""
    low, high = window
    names = (*_LATTICES, "any", "molecular", "cell", "cell")
    name = names[int(rng.integers(len(names)))]
    if name == "cell":
        return _draw_cell(window, rng)
    log_first = rng.uniform(_LOG_Q[low] + 0.1 * (_LOG_Q[high] - _LOG_Q[low]), _LOG_Q[high] - 0.8)
    if name in ("any", "molecular"):
        # Cells of molecules and frameworks have tens of lines below 1 Å⁻¹.
        count = int(rng.integers(4, 15) if name == "any" else rng.integers(15, 80))
        centres = np.sort(np.exp(rng.uniform(log_first, _LOG_Q[high], count)))
    else:
        squares = _LATTICES[name]
        centres = np.exp(log_first) * np.sqrt(squares / squares[0])
    heights = np.exp(rng.normal(0, 1.0, centres.size)) * (centres / centres[0]) ** -rng.uniform(0, 3)
    width = np.exp(rng.uniform(np.log(0.003), np.log(0.03)))
    # Nothing is asked for outside the window.
    q = WIDE_Q[low : high + 1]
    x = (q - centres[:, None]) / (width * centres[:, None])
    lorentz = rng.random()
    peaks = lorentz / (1 + x**2) + (1 - lorentz) * np.exp(-0.5 * x**2)
    base = (q / centres[0]) ** -rng.uniform(0.5, 4.2) * np.exp(rng.uniform(np.log(0.03), np.log(3)))
    intensity = np.ones(N_WIDE)
    intensity[low : high + 1] = heights @ peaks + base + np.exp(rng.uniform(np.log(1e-3), np.log(0.1)))
    return intensity


def _draw_cell(window: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Lines of a triclinic cell of many atoms over an amorphous halo, a power law and a constant."""
    # Intensities as of atoms at random, exponential (Wilson, Acta Cryst. 2 (1949) 318), with the Lorentz
    # factor of a powder; every line as wide as the grains are small (Scherrer) and the beam is.
    low, high = window
    q = WIDE_Q[low : high + 1]
    centres = _reflections(q[0], q[-1], rng)
    heights = rng.exponential(1.0, centres.size) * (centres / centres[0]) ** -2.0
    grain = np.exp(rng.uniform(np.log(_GRAINS[0]), np.log(_GRAINS[1])))
    width = np.hypot(0.9 * np.pi / grain, rng.uniform(0.0, 0.02) * centres)[:, None]
    x = (q - centres[:, None]) / width
    lorentz = rng.random()
    peaks = (heights / width[:, 0]) @ (lorentz / (1 + x**2) + (1 - lorentz) * np.exp(-np.log(2) * x**2))
    peaks /= peaks.max()
    halo = rng.uniform(0.0, 0.4) * np.exp(-0.5 * ((q - rng.uniform(0.6, 1.5)) / rng.uniform(0.2, 0.5)) ** 2)
    upturn = 10 ** rng.uniform(-3.5, 0) * (q / centres[0]) ** -rng.uniform(1.5, 4.2)
    intensity = np.ones(N_WIDE)
    intensity[low : high + 1] = peaks + halo + upturn + 10 ** rng.uniform(-3, -1)
    return intensity


def _reflections(low: float, high: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """q of the first lines of a cell between two q, Å⁻¹, ascending; one in the middle where it has none."""
    edges = np.exp(rng.uniform(np.log(_EDGES[0]), np.log(_EDGES[1]), 3))
    cosines = np.cos(np.radians(rng.uniform(_ANGLES[0], _ANGLES[1], 3)))
    metric = np.ones((3, 3))
    for (i, j), cosine in zip(((1, 2), (0, 2), (0, 1)), cosines, strict=True):
        metric[i, j] = metric[j, i] = cosine
    inverse = np.linalg.inv(metric * np.outer(edges, edges))
    # One of each pair hkl and -h-k-l.
    hkl = np.mgrid[0:6, -5:6, -5:6].reshape(3, -1)
    positions = 2 * np.pi * np.sqrt(np.maximum(np.einsum("in,ij,jn->n", hkl, inverse, hkl), 0.0))
    inside = np.unique(positions[(positions > 1.05 * low) & (positions < high)])[:_LINES]
    return inside if inside.size else np.array([np.sqrt(low * high)])


def reflectivity(window: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Specular reflectivity of one to five layers, rough at every interface, to first order in contrasts."""
    # Fresnel's of the substrate times |Σ Δρ exp(i Q z − Q²σ²/2)|², Q = √(q² − qc²) (J. Als-Nielsen and D.
    # McMorrow, Elements of Modern X-ray Physics, 2nd ed., 2011, ch. 3); at most 1, with a constant.
    low, high = window
    q = WIDE_Q[low : high + 1]
    count = int(rng.integers(1, 6))
    contrast = rng.normal(0, 1.0, count + 1)
    contrast /= contrast.sum() if abs(contrast.sum()) > 0.3 else 1.0
    depth = np.append(0.0, np.cumsum(np.exp(rng.uniform(np.log(20), np.log(1000), count))))
    rough = rng.uniform(1, 18, count + 1)[:, None]
    edge = q[0] * rng.uniform(0.2, 3.0)
    inside = np.sqrt(np.maximum(q**2 - edge**2, (1e-3 * edge) ** 2))
    waves = contrast @ np.exp(1j * inside * depth[:, None] - 0.5 * (inside * rough) ** 2)
    # As q becomes large beside the edge this is the Fresnel law, (edge / 2q)⁴.
    fresnel = np.abs((q - inside) / (q + inside)) ** 2
    intensity = np.ones(N_WIDE)
    level = 10 ** rng.uniform(-8, -5)
    intensity[low : high + 1] = np.minimum(fresnel * np.abs(waves) ** 2, 1.0) + level
    return intensity


def junk(window: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Smooth random curves, steps, oscillations and humps with no physics in them."""
    low, high = window
    width = _LOG_Q[high] - _LOG_Q[low]
    x = (_LOG_Q - _LOG_Q[low]) / width
    kind = int(rng.integers(4))
    log_i = -rng.uniform(-1, 4) * width * x
    if kind == 0:  # a random walk of random roughness
        walk = np.cumsum(rng.standard_normal(N_WIDE))
        span = int(rng.integers(12, max(24, (high - low) // 6)))
        walk = np.convolve(walk, np.ones(span) / span, mode="same")
        inside = walk[low : high + 1]
        log_i = log_i + rng.uniform(0.5, 4) * (walk - inside.mean()) / max(float(inside.std()), 1e-9)
    elif kind == 1:  # steps, as of configurations that do not join
        for _ in range(int(rng.integers(1, 4))):
            log_i = log_i + rng.choice((-1, 1)) * rng.uniform(0.4, 2.5) * (x > rng.uniform(0.1, 0.9))
    elif kind == 2:  # an oscillation that is periodic in log q, which no size gives
        log_i = log_i + rng.uniform(0.2, 1.5) * np.sin(2 * np.pi * (rng.uniform(2, 9) * x + rng.random()))
    else:  # rising humps, and intensity that falls and rises by decades
        for _ in range(int(rng.integers(2, 6))):
            hump = np.exp(-0.5 * ((x - rng.random()) / rng.uniform(0.02, 0.2)) ** 2)
            log_i = log_i + rng.choice((-1, 1)) * rng.uniform(0.5, 3) * hump
    return np.exp(np.clip(log_i - np.max(log_i[low : high + 1]), -40, 10))


def no_scattering(window: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Columns of something else against something else: rising lines and powers, exponentials, logs of a
    temperature with its steps and cycles, counts about a constant.
    """
    low, high = window
    x = np.clip((WIDE_Q - WIDE_Q[low]) / (WIDE_Q[high] - WIDE_Q[low]), 0.0, 1.0)
    kind = int(rng.integers(5))
    if kind == 0:
        y = 1 + np.exp(rng.uniform(np.log(0.2), np.log(300))) * x
    elif kind == 1:
        y = (WIDE_Q / WIDE_Q[low]) ** rng.uniform(0.3, 4.0) + np.exp(rng.uniform(-6, 2)) * rng.integers(2)
    elif kind == 2:
        y = np.exp(rng.choice((-1, 1)) * rng.uniform(0.5, 12) * x) + np.exp(rng.uniform(-8, 0))
    elif kind == 3:
        y = 300 + np.cumsum(rng.standard_normal(4)) @ (x > rng.random((4, 1))) * rng.uniform(0, 30)
        y = y + rng.uniform(-60, 60) * (1 - np.exp(-x / rng.uniform(0.02, 0.5)))
        y = y + rng.uniform(0, 5) * np.sin(2 * np.pi * (rng.uniform(1, 30) * x + rng.random()))
    else:
        y = 1 + rng.uniform(0, 0.1) * np.sin(2 * np.pi * rng.uniform(0.5, 5) * x)
    return np.asarray(np.maximum(y, 1e-3 * np.max(y[low : high + 1])))
