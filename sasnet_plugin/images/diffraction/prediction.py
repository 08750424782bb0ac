"""What is said of diffraction images of single particles: quantities, elongation, novelty, points to sort
by.

The image of a body that is seen as an ellipse depends on direction by a stretch of q alone, so that all
counts on one ellipse have one mean; the ratio at which counts differ least within thin elliptical rings is
the body's.

A network answers anything with confidence, a powder's rings, too. So the profile around the beam is compared
with those of simulated shots: where the nearest is farther than it is for nearly all simulated ones, nothing
is in scope.

A network may call either a particle, or an empty frame. Fringes of one particle, or of two, are as wide as
the gaps between them; a ring that is narrower than its distance from the next is the work of many alike
distances, as in a powder. And what a particle scatters falls away from the beam.

Small networks read each ring and what the large network says, and name a body in two vocabularies, each of a
simulator that it was trained on. A point holds the square roots of these probabilities: their distance is
Hellinger's, so that two sure answers are as far apart as points can be, whatever their logits. No direction
tells simulators from each other, as each vocabulary was learned on its own images alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ...arrays import Floats
from ...data.advice import geometry
from ...domains import Finding, Seen
from ...predict.arithmetic import softmax
from ...predict.findings import Answer, QuantitiesFinding, Value
from ...predict.predictor import open_predictor
from ...predict.tags import TagsFinding
from ...types import Image
from ...wording import template
from ...zoo import zoo_folder
from .reading import LEAST_COUNTS, Rings, bin_images, rings
from .simulation import STREAK
from .specification import NAME

# --- How long a single particle looks: the axis ratio of the ellipses along which its image is
# --- alike.

#: Ratios that are tried; elliptical rings, about three to a fringe of the largest particle.
_RATIOS, _RINGS = np.geomspace(1.0, 4.0, 57), 90
#: Fall of the log likelihood at three standard deviations.
_WORSE = 4.5


_OPPOSITE = {"Spherical/Oblate": "Prolate", "Elliptical": "Streak"}
_OPPOSITE |= {new: old for old, new in _OPPOSITE.items()}


def correct_prolate(image: Image, tags: TagsFinding) -> tuple[TagsFinding, str]:
    """Retag a body tagged elliptical that is longer than those usually are, and say why (or "")."""
    # One ellipse alone does not tell oblate from prolate, but hardly any oblate body looks so long.
    ratio, least, most = measure_axis_ratio(image)
    if least <= STREAK or most >= _RATIOS[-1]:
        return tags, ""
    swapped = {name: _OPPOSITE.get(name, name) for name in tags.probability}
    probability = {name: tags.probability[tag] for name, tag in swapped.items()}
    present = tuple(name for name, tag in swapped.items() if tag in tags.present)
    reason = (
        f"The particle appears {ratio:.2f} times as long as wide, which is rare for an oblate particle."
        f" So the tag Elliptical was changed to Prolate and Streak."
    )
    return replace(tags, probability=probability, present=present), reason


def measure_axis_ratio(image: Image) -> tuple[float, float, float]:
    """Axis ratio, and the ends of its range of three standard deviations; the grid's where none is told."""
    window = image.geometry
    y, x = np.indices(image.counts.shape, dtype=np.float64)
    x, y = (x - window.centre[0]) / window.edge, (y - window.centre[1]) / window.edge
    inside = image.mask & (np.hypot(x, y) <= 1.0)
    x, y, counts = x[inside], y[inside], image.counts[inside]
    axis = _axis(image)
    c, s = np.cos(axis), np.sin(axis)
    along, across = (c * x + s * y) ** 2, (c * y - s * x) ** 2
    trials = []
    for major, minor in ((along, across), (across, along)):
        likely = np.array([_likelihood(np.sqrt(k * major + minor / k), counts) for k in _RATIOS])
        trials.append((float(likely.max()), likely, major, minor))
    best, likely, major, minor = max(trials, key=lambda trial: trial[0])
    ratio = float(_RATIOS[int(np.argmax(likely))])
    # Of counts that differ within a ring by more than chance, a likelihood is as much less certain.
    worse = _WORSE * _dispersion(np.sqrt(ratio * major + minor / ratio), counts)
    good = np.flatnonzero(likely > best - worse)
    # Half a step of the grid to either side is not told apart.
    step = float(np.sqrt(_RATIOS[1] / _RATIOS[0]))
    return ratio, float(_RATIOS[good[0]] / step), float(_RATIOS[good[-1]] * step)


def _axis(image: Image) -> float:
    """Direction of the particle's axis, radians, up to a quarter turn: all second harmonics lie on it."""
    found_rings = rings(bin_images([image]))
    second = found_rings.harmonics[0][:, 2]
    weight = np.where(found_rings.noise[0] > 0, 1 / np.maximum(found_rings.noise[0], 1e-12), 0.0)
    # I_n of exp(inφ): a body at an angle has the phase -2 of it, or half a turn more.
    return float(np.angle(np.sum(weight * second.conj() ** 2)) / 4)


def _likelihood(radius: Floats, counts: Floats) -> float:
    """Poisson log likelihood of counts with one mean in each ring, but for a constant."""
    total, pixels = _sums(radius, counts)
    has_pixels = total > 0
    return float(np.sum(total[has_pixels] * np.log(total[has_pixels] / pixels[has_pixels])))


def _dispersion(radius: Floats, counts: Floats) -> float:
    """χ² of counts about the mean of their ring over the number of pixels, at least 1."""
    total, pixels = _sums(radius, counts)
    mean = np.divide(total, pixels, out=np.zeros(total.size), where=pixels > 0)[_ring(radius)]
    has_counts = mean > 0
    return max(1.0, float(np.mean((counts[has_counts] - mean[has_counts]) ** 2 / mean[has_counts])))


def _ring(radius: Floats) -> NDArray[np.intp]:
    return np.minimum((radius * _RINGS).astype(np.intp), 3 * _RINGS - 1)


def _sums(radius: Floats, counts: Floats) -> tuple[Floats, Floats]:
    ring = _ring(radius)
    pixels = np.bincount(ring, minlength=3 * _RINGS).astype(np.float64)
    return np.bincount(ring, counts, 3 * _RINGS).astype(np.float64), pixels


# --- Whether a diffraction image is unlike anything that was simulated, whatever the network says
# --- of it.

#: File of the bank, beside the network.
BANK = "novelty.npz"
#: Share of simulated shots of as many counts that may be called novel.
SHARE = 0.01
#: How far the nearest simulated profile is from one of the same kind, decades: sizes are not that dense.
_APART = 0.1
#: Share of a ring that must have been measured.
_COVERED = 0.2
#: Natural to decimal logarithm: relative error to decades.
_DECADES = 0.4343
_NOVEL = (
    "This profile is unlike all simulated shots. Only 1 % of simulated shots with as many counts are as far"
    " from their nearest neighbour."
)
NOT_EMPTY = (
    "The frame looks empty, but no simulated empty frame has such a profile: something else scatters here."
)


@dataclass(frozen=True)
class Profiles:
    """What is seen around the beam."""

    decades: NDArray[np.floating]  #: (n, RINGS), decimal logarithm of the mean counts a pixel.
    variance: NDArray[np.floating]  #: (n, RINGS), of it, by counting.
    seen: NDArray[np.bool_]  #: (n, RINGS), enough of the ring was measured.
    level: NDArray[np.floating]  #: (n,), decimal logarithm of all counts.


@dataclass(frozen=True)
class Bank:
    """Profiles of simulated shots, and how far other simulated shots are from the nearest."""

    #: decades, seen: (n, RINGS), of `Profiles`.
    decades: NDArray[np.floating]
    seen: NDArray[np.bool_]
    empty: NDArray[np.bool_]  #: (n,), shots without a particle.
    #: levels, limits, empty_limits: (k,), decimal logarithm of counts; the distance that `SHARE` of simulated
    #: shots exceed, and of those without a particle from their like.
    levels: NDArray[np.floating]
    limits: NDArray[np.floating]
    empty_limits: NDArray[np.floating]

    def distances(self, found_profiles: Profiles, *, empty: bool = False) -> NDArray[np.float64]:
        """Return the mean square distance (n,) from the nearest profile over the rings, in standard
        deviations and whatever the scale; with `empty`, from shots without a particle alone.
        """
        rows = self.empty if empty else slice(None)
        bank, covered = self.decades[rows], self.seen[rows]
        nearest = np.empty(len(found_profiles.level))
        for row, decades in enumerate(found_profiles.decades):
            weight = covered * (found_profiles.seen[row] / (found_profiles.variance[row] + _APART**2))
            total = np.maximum(weight.sum(axis=1), 1e-9)
            off = decades - bank
            mean = (weight * off).sum(axis=1) / total
            square = (weight * off**2).sum(axis=1) - mean**2 * total
            number = np.count_nonzero(weight, axis=1)
            # A profile of which few rings are seen in both says nothing.
            enough = number >= 0.5 * np.count_nonzero(found_profiles.seen[row])
            nearest[row] = np.min(np.where(enough, square / np.maximum(number, 1), np.inf))
        return nearest

    def novel(self, found_profiles: Profiles, *, empty: bool = False) -> NDArray[np.bool_]:
        """(n,) whether each is farther from the nearest than simulated shots of as many counts are."""
        limits = self.empty_limits if empty else self.limits
        return np.asarray(
            self.distances(found_profiles, empty=empty) > np.interp(found_profiles.level, self.levels, limits)
        )


def profiles(images: Sequence[Image]) -> Profiles:
    found_rings = rings(bin_images(images))
    is_covered = (found_rings.rate > 0) & (found_rings.coverage > _COVERED)
    return Profiles(
        np.log10(np.where(is_covered, found_rings.rate, 1.0)),
        _DECADES**2 / np.maximum(found_rings.counts, 0.5),
        is_covered,
        np.log10(1 + found_rings.counts.sum(axis=1)),
    )


@lru_cache(maxsize=2)
def _bank(zoo: Path) -> Bank | None:
    """The bank beside the network, undamaged; networks of a user's own labels have none."""
    from ...zoo import find_checked

    path = find_checked(NAME, BANK)
    if not path.is_file():
        return None
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in Bank.__annotations__}
    return Bank(**arrays | {"decades": arrays["decades"].astype(np.float32)})


def is_novel(image: Image, *, empty: bool = False) -> bool:
    """Whether an image is unlike all simulated shots, or all without a particle; False without a bank."""
    bank = _bank(zoo_folder())
    if bank is None or image.counts.sum() < LEAST_COUNTS:
        return False
    return bool(bank.novel(profiles([image]), empty=empty)[0])


def check(measurement: Any, inputs: Mapping[str, Any]) -> Seen:
    """Check whether an image is unlike anything simulated; `inputs` of the manifest."""
    if not is_novel(measurement):
        return Seen(measurement, measurement.notes)
    return Seen(measurement, (*measurement.notes, _NOVEL), known=False)


# --- What no single particle scatters, in a diffraction image: narrow rings, speckle, light from
# --- elsewhere.

#: A ring stands above those two and three away on both sides by so many decades, and standard deviations.
_ABOVE, _SURE = 0.15, 5.0
#: Over its height, what these may differ by among themselves.
_FLAT = 0.5
#: So many narrow rings are no chance: of 2,800 simulated shots none has them.
RINGS_ENOUGH = 2
#: Beyond the window: side of the areas that are compared, over its radius; how much brighter they are than
#: the window's outermost fifth.
_SIDE, _BRIGHTER = 0.25, 1.5

#: From so many counts on a frame is compared with stray light, which explains it up to this χ² of a ring; how
#: well rings are known at best, and how far stray light reaches, in radii of the window.
_STRAY_COUNTS, _STRAY, _KNOWN, _REACHES = 2e4, 3.0, 0.02, (0.05, 1.5)
#: Speckle: harmonics that are finer than a particle's, rings that are compared with the one so far
#: out, by how many standard deviations they stand out, how many of them there are at least, how much
#: alike they are at most, and their power over that of the coarser ones. Chosen so that none of 150
#: simulated particles has it.
_FINE, _OUT, _SEEN, _PAIRS, _ALIKE, _GRAIN = (7, 25), 4, 5.0, 8, 0.5, 0.9

STRAY = (
    "No particle is reported: the frame shows no fringes and looks like smooth stray light on a flat"
    " background."
)
SPECKLE = (
    "Bright spots around the beam differ from ring to ring, like the speckle of many particles; the pattern"
    " of one particle continues from ring to ring."
)
NARROW = (
    "Narrow rings on a flat background look like a powder; fringes of one particle are as wide as the"
    " gaps between them."
)
ELSEWHERE = template(
    "The frame looks empty, but it is brighter outside the analysed region than at its edge. The beam"
    " may be elsewhere; give the centre {given}.",
    given=geometry("direct_beam=[COLUMN,ROW]"),
)


def narrow_rings(profiles: Profiles) -> NDArray[np.intp]:
    """(n,) how many narrow rings each profile has."""
    decades, rings = np.asarray(profiles.decades, dtype=float), profiles.decades.shape[1]
    number = np.zeros(len(decades), dtype=np.intp)
    for k in range(3, rings - 3):
        around = decades[:, [k - 3, k - 2, k + 2, k + 3]]
        height = decades[:, k] - around.max(axis=1)
        highest = decades[:, k] >= decades[:, [k - 1, k + 1]].max(axis=1)
        sure = height > np.maximum(_ABOVE, _SURE * np.sqrt(profiles.variance[:, k]))
        is_covered = profiles.seen[:, k - 3 : k + 4].all(axis=1)
        number += is_covered & highest & sure & (np.ptp(around, axis=1) < _FLAT * height)
    return number


def brighter_elsewhere(image: Image) -> bool:
    """Whether an area outside the `Window` is brighter than its edge, beyond counting statistics."""
    window = image.geometry
    y, x = np.indices(image.counts.shape)
    radius = np.hypot(x - window.centre[0], y - window.centre[1]) / window.edge
    edge = image.mask & (radius > 0.8) & (radius <= 1.0)
    if not edge.any():
        return False
    level = float(image.counts[edge].mean())
    side = max(int(_SIDE * window.edge), 1)
    area = (y // side) * (x.max() // side + 1) + x // side
    outside = image.mask & (radius > 1.0)
    size = int(area.max()) + 1
    pixels = np.bincount(area[outside], minlength=size)
    counts = np.bincount(area[outside], image.counts[outside], size)
    expected = level * pixels
    bright = (counts > _BRIGHTER * expected) & (counts - expected > _SURE * np.sqrt(expected + 1.0))
    return bool(np.any(bright & (pixels >= side**2 / 2)))


def stray_light(profiles: Profiles, counts: float) -> bool:
    """Whether an exponential over a flat ground explains the one profile, which holds so many counts."""
    from scipy.optimize import nnls

    if counts < _STRAY_COUNTS:
        return False
    is_covered = profiles.seen[0]
    rate = 10.0 ** np.asarray(profiles.decades[0], dtype=float)[is_covered]
    error = rate * np.hypot(np.log(10) * np.sqrt(np.asarray(profiles.variance[0])[is_covered]), _KNOWN)
    radius = ((np.arange(is_covered.size) + 0.5) / is_covered.size)[is_covered]
    least = min(
        nnls(
            np.stack([np.exp(-radius / reach), np.ones(radius.size)], axis=1) / error[:, None], rate / error
        )[1]
        for reach in np.geomspace(*_REACHES, 30)
    )
    return bool(least**2 < _STRAY * max(radius.size - 3, 1))


def is_speckled(rings: Rings) -> bool:
    """Whether the fine harmonics of the one image are strong, and differ from ring to ring."""
    fine, noise = rings.harmonics[0][:, slice(*_FINE)], np.asarray(rings.noise[0], dtype=float)
    number = _FINE[1] - _FINE[0]
    power = (np.abs(fine) ** 2).sum(axis=1) - number * noise
    coarse = (np.abs(rings.harmonics[0][:, 1 : _FINE[0]]) ** 2).sum(axis=1) - (_FINE[0] - 1) * noise
    is_strong = (power > _SEEN * np.sqrt(number) * noise) & (rings.coverage[0] > 0.8)
    pairs = np.flatnonzero(is_strong[:-_OUT] & is_strong[_OUT:])
    if pairs.size < _PAIRS:
        return False
    alike = np.abs((fine[pairs] * fine[pairs + _OUT].conj()).sum(axis=1)).sum()
    whole = np.sqrt(power[pairs] * power[pairs + _OUT]).sum()
    grain = np.median(power[is_strong] / np.maximum(coarse[is_strong], 1e-9))
    return bool(alike < _ALIKE * whole and grain > _GRAIN)


# --- Answers about diffraction images: the quantities that the tagged kind has, sizes where q is
# --- known.

_NM = 0.1  # nanometres in an ångström


def complete_answer(measurement: Any, answer: Answer) -> Answer:
    """The answer without the quantities that what was tagged has none of; with a radius where q is known."""
    tags, quantities = answer.finding(TagsFinding), answer.finding(QuantitiesFinding)
    if tags is None or quantities is None:
        return answer
    tag_names = set(tags.present)
    if answer.known and (reason := _no_particle(measurement, empty="Empty" in tag_names)):
        silent = tuple(finding.silence() for finding in answer.findings)
        return replace(answer, in_scope=0.0, known=False, findings=silent, notes=(*answer.notes, reason))
    notes = list(answer.notes)
    corrected = tags
    if answer.known and "Elliptical" in tag_names:
        corrected, reason = correct_prolate(measurement, tags)
        tag_names, notes = set(corrected.present), [*notes, *filter(None, [reason])]
    relevant = _select_relevant(quantities.values, tag_names)
    size, q_edge = relevant.get("size"), measurement.geometry.q_edge
    if size is not None and q_edge:
        relevant["radius"] = _radius(size, q_edge)
    elif size is not None:
        notes.append(
            "Wavelength, distance and pixel size are not all known: the size is given as radius times q"
            " at the edge of the q range."
        )
    if answer.known and not tag_names:
        notes.append("No tag is likely enough to be reported.")
    renewed: dict[int, Finding] = {id(quantities): replace(quantities, values=relevant), id(tags): corrected}
    findings = tuple(renewed.get(id(finding), finding) for finding in answer.findings)
    return replace(answer, findings=findings, notes=tuple(notes))


def _select_relevant(values: Mapping[str, Value | None], tag_names: set[str]) -> dict[str, Value | None]:
    """The quantities that such a particle has: an empty image none, an axis ratio only what is not round."""
    if "Empty" in tag_names:
        return {}
    irrelevant = set() if {"Elliptical", "Prolate"} & tag_names else {"axis_ratio"}
    if "Prolate" not in tag_names:
        irrelevant.add("tilt")
    return {name: value for name, value in values.items() if name not in irrelevant}


def _radius(size: Value, q_edge: float) -> Value:
    """Radius in nm of a size in units of 1/q at the window's edge, `q_edge` in Å⁻¹."""
    value, error, low, high = (x / q_edge * _NM for x in (size.value, size.error, size.low, size.high))
    return Value(value, error, low, high, "nm")


def _no_particle(image: Image, *, empty: bool) -> str:
    """Why an image that the network knows is of no particle, nor without one; empty where it may be."""
    if empty:
        if is_novel(image, empty=True):
            return NOT_EMPTY
        return str(ELSEWHERE) if brighter_elsewhere(image) else _narrow(image)
    if reason := _narrow(image):
        return reason
    if stray_light(profiles([image]), float(image.counts.sum())):
        return STRAY
    return SPECKLE if is_speckled(rings(bin_images([image]))) else ""


def _narrow(image: Image) -> str:
    return NARROW if narrow_rings(profiles([image]))[0] >= RINGS_ENOUGH else ""


# --- What is seen of a diffraction image as a point that images are sorted by.

#: Its file, beside the network.
FILE = "sorting.npz"
#: Beyond this logit a tag is as sure as it can be.
SURE = 8.0
#: Rings between the places that each of the first layers, convolutions along the rings, looks at.
STRIDES = (1, 2, 2)
#: How far apart the first vocabulary sets two images, over the second. Its kinds are looks: a long body's
#: tilt decides among them. At 0.5 the kinds of the first simulator are sorted with an adjusted Rand index of
#: .82, not .89, at 0.85 bodies of formulas with .77, not .79 (other seeds than those of the benchmark).
LOOKS = 0.65
Floats32 = NDArray[np.float32]
#: Weights, (taps, in, out) of a convolution or (in, out), and offsets, (out,).
Layers = tuple[tuple[Floats32, Floats32], ...]


def read(outputs: Mapping[str, NDArray[np.floating]]) -> Floats32:
    """What the small networks read of the large one's outputs, (n, d)."""
    quantities = outputs["quantities"]
    flat = quantities.reshape(len(quantities), -1)
    return np.concatenate([tags(outputs) / 4, flat], axis=1).astype(np.float32)


def apply_layers(layers: Layers, features: Floats32, tag_outputs: Floats32) -> Floats32:
    """Compute logits of all kinds (n, kinds), rectified after each layer but the last, from `features` (n,
    rings, channels) and `tag_outputs` (n, d) of `read`, which joins after the convolutions.
    """
    z = features
    for (weights, offsets), stride in zip(layers, STRIDES, strict=False):
        windows = sliding_window_view(z, len(weights), axis=1)[:, ::stride]
        z = np.maximum(np.tensordot(windows, weights, axes=([3, 2], [0, 1])) + offsets, 0)
    z = np.concatenate([z.reshape(len(z), -1), tag_outputs], axis=1)
    *hidden, (weights, offsets) = layers[len(STRIDES) :]
    for w, b in hidden:
        z = np.maximum(z @ w + b, 0)
    return np.asarray(z @ weights + offsets, dtype=np.float32)


def likeness(networks: tuple[Layers, ...], looks: int, features: Floats32, tag_outputs: Floats32) -> Floats32:
    """Compute points (n, kinds) of all networks together: square roots of the probabilities within each
    vocabulary; `looks` counts the first vocabulary.
    """
    logits = [apply_layers(layers, features, tag_outputs) for layers in networks]
    first, second = (
        np.mean([softmax(logit[:, part]) for logit in logits], axis=0)
        for part in (slice(looks), slice(looks, None))
    )
    return np.concatenate([LOOKS * np.sqrt(first), np.sqrt(second)], axis=1).astype(np.float32)


def points(inputs: Mapping[str, Floats32], outputs: Mapping[str, NDArray[np.floating]]) -> Floats32:
    """Compute `likeness` of images from the large network's outputs, or `tags` of another network."""
    networks, looks = _open_installed()
    return likeness(networks, looks, inputs["features"], read(outputs)) if networks else tags(outputs)


def tags(outputs: Mapping[str, NDArray[np.floating]]) -> Floats32:
    """Logits of the tags, (n, tags)."""
    return np.clip(outputs["tags"], -SURE, SURE).astype(np.float32)


def _open_installed() -> tuple[tuple[Layers, ...], int]:
    manifest = open_predictor(NAME).manifest
    return _read_stored(manifest.sha256["model.onnx"])


@lru_cache(maxsize=4)
def _read_stored(network: str) -> tuple[tuple[Layers, ...], int]:
    """The installed networks and the kinds of their first vocabulary; none where they belong to another large
    network or there are none.
    """
    from ...zoo import find_checked

    path = Path(find_checked(NAME, FILE))
    if not path.exists():
        return (), 0
    with np.load(path) as file:
        if str(file["network"]) != network or "looks" not in file:
            return (), 0
        networks, layers = (int(n) for n in file["size"])
        arrays = {name: file[name].astype(np.float32) for name in file.files if "/" in name}
        found_networks = tuple(
            tuple((arrays[f"{k}/{n}/weights"], arrays[f"{k}/{n}/offsets"]) for n in range(layers))
            for k in range(networks)
        )
        return found_networks, int(file["looks"])
