"""Images of every model through the network for curves, against the same samples measured as curves.

    python benchmarks/sans_curves.py [--images 300] > benchmarks/sans_curves.md

A model and its parameters are drawn as for curves, its image is simulated in a setting of an instrument,
averaged with its resolution and named. The same sample as a 1D file: what the same pixels would count on
average with a detector that counts evenly, averaged alike, with noise by counting: q, resolution, background
and counts are the same. What is compared is what the faults of a detector cost: uneven efficiency, its rim,
a centre that is off.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from sasnet_plugin.data.sans.average import averaged
from sasnet_plugin.data.sans.resolution import Setting
from sasnet_plugin.predict.classes import ClassesFinding
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.simulate.clean import simulate_clean
from sasnet_plugin.simulate.priors import form_models
from sasnet_plugin.simulate.sans import instruments, patterns
from sasnet_plugin.simulate.sans.form_factors import LN_Q, Q, plain
from sasnet_plugin.simulate.sans.measurement import Background, beam, measured
from sasnet_plugin.simulate.sans.samples import continued
from sasnet_plugin.types import Image

#: Near and wide, as the network for curves is used: 0.006 to 0.3 Å⁻¹.
SETTING = Setting(6.0, 0.1, 2000.0, 4000.0, 15.0, 5.0, (5.3, 5.3))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=300)
    number = parser.parse_args().images
    rng, predictor = np.random.default_rng(11), open_predictor()
    one = beam(instruments.INSTRUMENTS[-1], SETTING, rng)
    names = form_models()
    hits: list[tuple[bool, ...]] = []
    for index in range(number):
        name = names[index % len(names)]
        log_intensity = continued(plain(simulate_clean(name, rng).log_intensity))
        row = {"log_intensity": log_intensity}
        counts = 10 ** rng.uniform(4, 7)
        background = Background(flat=0.02)
        image = measured(patterns.pattern(row, one.true), one, background, rng, counts)
        # Some files do not say how sharp their q is; here all do.
        curve = averaged(replace(image, geometry=one.stated))
        weight, pixels = one.stated.weight, patterns.pattern(row, one.stated)
        expected = background.added(pixels * weight, weight, one.stated.q, one.block, one.mask)
        expected *= counts / expected[one.mask].sum()
        even = averaged(Image(np.where(one.mask, expected, 0.0), one.mask, one.stated))
        assert even.dintensity is not None
        drawn = even.intensity + even.dintensity * rng.standard_normal(len(even.q))
        straight = replace(even, intensity=drawn)
        found = [a.finding(ClassesFinding) for a in predictor.answers([curve, straight])]
        listed = [[c.name for c in f.classes] if f is not None else [] for f in found]
        hits.append(tuple(name in some for some in listed) + tuple(name in some[:1] for some in listed))
    share = np.mean(hits, axis=0)
    seen = np.exp(LN_Q[(Q > curve.q[0]) & (Q < curve.q[-1])])
    window = f"{seen[0]:.3g} to {seen[-1]:.3g} Å⁻¹"
    print(f"{number} samples of {len(names)} models, 10⁴ to 10⁷ counts, q from {window}.\n")
    print("| | image, averaged | 1D file |\n|---|---|---|")
    print(f"| among the first five | {share[0]:.1%} | {share[1]:.1%} |")
    print(f"| first | {share[2]:.1%} | {share[3]:.1%} |")


if __name__ == "__main__":
    main()
