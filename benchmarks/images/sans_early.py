"""How early an answer is settled and how often wrongly; and what the advice on the next setting saves.

    python -m benchmarks images/sans_early --data FOLDER [--samples 300] [--first any]

FOLDER holds samples that training has not seen (`sasnet simulate --domain sans2d --seed …`). Samples of all
classes by their shares, on an instrument like D22 in five settings, the first one any that suits the sample;
or, with ``--first any``, any at all, as of a sample of which nothing is known.

Settling: an image grows in twenty steps from 10² to 10⁶ counts under the rule of `batch/recognise.py`.
Advice: after 1,000 counts a setting is chosen by the gain that `predict.images.next_setting` expects; the
rest is taken there; against counting on in the first setting, the same samples and the same counts.
Asked again: after 10,000 counts in all the advice is asked once more, of both images, and the rest is taken
in the setting that it names then.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sasnet_plugin.batch.recognise import SETTLED
from sasnet_plugin.data.sans.features import Settings
from sasnet_plugin.data.sans.polar import Polar
from sasnet_plugin.data.sans.resolution import Setting
from sasnet_plugin.predict.images.next_setting import classes, entropy, summaries, weights
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.simulate.dataset import Dataset
from sasnet_plugin.simulate.sans.cells import CellBeam, counted, gathered
from sasnet_plugin.simulate.sans.instruments import INSTRUMENTS
from sasnet_plugin.simulate.sans.measurement import Background, beam, draw_background
from sasnet_plugin.simulate.sans.samples import resized
from sasnet_plugin.simulate.sans.simulator import SIMULATOR, Posture, draw_posture

#: Distance and collimation, m, and wavelength, Å.
CHOICES = ((1.4, 2.8, 6.0), (2.8, 2.8, 6.0), (5.6, 5.6, 6.0), (11.2, 11.2, 6.0), (17.6, 17.6, 12.0))
FIRST, LEVELS = 1e3, (1e3, 2e3, 4e3, 1e4, 2.5e4, 6e4, 1.5e5, 4e5, 1e6)
#: Counts in the new setting for which the gain is expected; counts in all at which it is asked again.
AHEAD, POOL = 1e4, 500
AGAIN = 1e4


def settings(rng: np.random.Generator) -> list[CellBeam]:
    """The instrument in each of `CHOICES`."""
    found = []
    for distance, collimation, wavelength in CHOICES:
        one = Setting(wavelength, 0.1, 1e3 * collimation, 1e3 * distance, 27.6, 5.0, INSTRUMENTS[0].pixel)
        found.append(gathered(beam(INSTRUMENTS[0], one, rng)))
    return found


def drawn(
    data: Dataset, rng: np.random.Generator, number: int
) -> list[tuple[int, Posture, Background, float]]:
    """Label, sample, background and first feature of samples."""
    found = []
    for _ in range(number):
        row = resized(data[int(rng.integers(len(data)))], rng)
        values = row["parameters"]
        found.append((int(values["label"]), draw_posture(row, rng), draw_background(rng), values["feature"]))
    return found


#: What a sample scatters into each cell of a setting, by both: counted many times, calculated once.
_SCATTERED: dict[tuple[int, int], np.ndarray] = {}


def image(
    posture: Posture, background: Background, there: CellBeam, rng: np.random.Generator, n: float
) -> Polar:
    """Counts of a sample in a setting; both live as long as the benchmark."""
    key = id(posture), id(there)
    if key not in _SCATTERED:
        _SCATTERED[key] = posture.intensity(there.geometry, fine=True)
    return counted(_SCATTERED[key], there, background, rng, n)


def added(one: Polar, other: Polar) -> Polar:
    """Counts of two images of one setting."""
    return Polar(one.counts + other.counts, one.exposure + other.exposure, one.along, one.scale)


def with_more(
    images: tuple[Polar, ...], settings: tuple[int, ...], last: int, more: Polar
) -> tuple[Polar, ...]:
    """Images of some settings, and what was measured after them in one of these or another."""
    order = list(dict.fromkeys(settings))
    if last not in order:
        return (*images, more)
    at = order.index(last)
    return tuple(added(one, more) if k == at else one for k, one in enumerate(images))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--first", choices=("suiting", "any"), default="suiting", help="setting, of five")
    options = parser.parse_args()
    rng, predictor = np.random.default_rng(13), open_predictor("sans2d")
    data, there = Dataset(options.data, SIMULATOR), settings(rng)
    samples = drawn(data, rng, options.samples)
    suiting = [[k for k, one in enumerate(there) if one.suits(feature)] or [2] for *_, feature in samples]
    among = [range(len(there))] * len(samples) if options.first == "any" else suiting
    first = [int(rng.choice(numbers)) for numbers in among]
    truth = np.array([label for label, *_ in samples])

    steps = np.geomspace(1e2, 1e6, 20)
    settled = wrong = 0
    needed = []
    for (label, posture, background, _), k in zip(samples, first, strict=True):
        parts = [image(posture, background, there[k], rng, n) for n in np.diff(steps, prepend=0.0)]
        looks = [parts[0]]
        for part in parts[1:]:
            looks.append(added(looks[-1], part))
        p = classes(predictor, [Settings((one,)) for one in looks])
        best, sure = p.argmax(axis=1), p.max(axis=1) >= SETTLED.probability
        for end in range(SETTLED.frames - 1, len(looks)):
            window = slice(end - SETTLED.frames + 1, end + 1)
            if sure[window].all() and len(set(best[window])) == 1:
                settled += 1
                wrong += int(best[end] != label)
                needed.append(steps[end])
                break
    print(f"# First setting: {options.first}\n")
    print(f"## Settling, {len(samples)} samples\n\n| | |\n|---|---|")
    print(f"| settled by 10⁶ counts | {settled / len(samples):.0%} |")
    print(f"| of these wrong | {wrong / max(settled, 1):.1%} |")
    print(f"| counts when settled, median | {np.median(needed):,.0f} |\n", flush=True)

    pool = drawn(data, rng, POOL)
    of_pool = [[image(p, b, one, rng, FIRST) for _, p, b, _ in pool] for one in there]
    ahead = [[image(p, b, one, rng, AHEAD) for _, p, b, _ in pool] for one in there]
    known = [summaries(predictor, [Settings((one,)) for one in some]) for some in of_pool]
    names = ("counting on", "advised", "asked again", "any setting")
    right = {name: np.zeros((len(LEVELS), len(samples))) for name in names}
    after: dict[tuple[int, int], np.ndarray] = {}
    seen_twice: dict[tuple[int, int], np.ndarray] = {}
    after_two: dict[tuple[int, int, int], np.ndarray] = {}

    def both(k: int, s: int, a: Polar, b: Polar) -> tuple[Polar, ...]:
        """Images of two measurements, in one setting or in two."""
        return with_more((a,), (k,), s, b)

    moved = 0
    for index, ((label, posture, background, _), k) in enumerate(zip(samples, first, strict=True)):
        begun = image(posture, background, there[k], rng, FIRST)
        weight = weights(summaries(predictor, [Settings((begun,))]), known[k])
        expected = []
        for s in range(len(there)):
            if (k, s) not in after:
                sets = [Settings(both(k, s, a, b)) for a, b in zip(of_pool[k], ahead[s], strict=True)]
                after[k, s] = entropy(classes(predictor, sets))
            expected.append(float(weight @ after[k, s]))
        chosen = int(np.argmin(expected))
        moved += chosen != k
        for name, s in (
            ("counting on", k),
            ("advised", chosen),
            ("any setting", int(rng.integers(len(there)))),
        ):
            for level, counts in enumerate(LEVELS):
                more = image(posture, background, there[s], rng, max(counts - FIRST, 1.0))
                one = Settings(both(k, s, begun, more))
                right[name][level, index] = classes(predictor, [one]).argmax() == label

        # Asked again, of what was measured in both settings.
        two = both(k, chosen, begun, image(posture, background, there[chosen], rng, AGAIN - FIRST))
        key = (k, chosen)
        if key not in seen_twice:
            sets = [Settings(both(k, chosen, a, b)) for a, b in zip(of_pool[k], ahead[chosen], strict=True)]
            seen_twice[key] = summaries(predictor, sets)
        weight = weights(summaries(predictor, [Settings(two)]), seen_twice[key])
        expected = []
        for s in range(len(there)):
            if (*key, s) not in after_two:
                every = zip(of_pool[k], ahead[chosen], ahead[s], strict=True)
                sets = [Settings(with_more(both(k, chosen, a, b), key, s, c)) for a, b, c in every]
                after_two[*key, s] = entropy(classes(predictor, sets))
            expected.append(float(weight @ after_two[*key, s]))
        last = int(np.argmin(expected))
        for level, counts in enumerate(LEVELS):
            if counts <= AGAIN:
                right["asked again"][level, index] = right["advised"][level, index]
                continue
            more = image(posture, background, there[last], rng, counts - AGAIN)
            one = Settings(with_more(two, key, last, more))
            right["asked again"][level, index] = classes(predictor, [one]).argmax() == label
    assert truth.size == len(samples)
    print(f"## Advice, {len(samples)} samples; in {moved / len(samples):.0%} another setting was chosen\n")
    print("| | " + " | ".join(f"{n:,.0f}" for n in LEVELS) + " |\n|---|" + "---|" * len(LEVELS))
    for name, values in right.items():
        print(f"| right, {name} | " + " | ".join(f"{x:.0%}" for x in values.mean(axis=1)) + " |")
    print()
    best = right["counting on"].mean(axis=1).max()
    for goal in sorted({0.5, 0.6, 0.7, 0.8, 0.9, float(np.floor(20 * best) / 20)}):
        reached = {n: reach(v.mean(axis=1), goal) for n, v in right.items() if n != "any setting"}
        say = {n: f"{c:,.0f}" if np.isfinite(c) else "not by 10⁶" for n, c in reached.items()}
        share = {
            n: f" ({c / reached['counting on']:.0%})" if np.isfinite(c / reached["counting on"]) else ""
            for n, c in reached.items()
        }
        told = ", ".join(f"{n} {say[n]}{share[n]}" for n in ("advised", "asked again"))
        print(f"{goal:.0%} right: counting on {say['counting on']} counts, {told}.  ")


def reach(right: np.ndarray, goal: float) -> float:
    """Counts at which a share of right answers is reached, between levels by their logarithm."""
    at = np.flatnonzero(right >= goal)
    if not at.size:
        return float("inf")
    k = int(at[0])
    if k == 0:
        return LEVELS[0]
    part = (goal - right[k - 1]) / (right[k] - right[k - 1])
    return float(np.exp(np.log(LEVELS[k - 1]) + part * np.log(LEVELS[k] / LEVELS[k - 1])))
