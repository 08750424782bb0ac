"""Images of every model through the network for curves, against the same samples measured as curves.

    python -m benchmarks images/sans_curves [--images 300] > benchmarks/images/sans_curves.md

A model and its parameters are drawn as for curves, its image is simulated in a setting of an instrument,
averaged with its resolution and named. The same sample as a 1D file: what the same pixels would count on
average with a detector that counts evenly, averaged alike, with noise by counting: q, resolution, background
and counts are the same. Each sample is measured with a detector drawn for it, with its uneven efficiency, its
rim and a centre that is off; and once more with the same detector divided by its flat field, as its reduced
file would be. What is compared is what averaging costs, and what the faults of a detector do.
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
    names = form_models()
    hits: list[tuple[bool, ...]] = []
    for index in range(number):
        name, one = names[index % len(names)], beam(instruments.INSTRUMENTS[-1], SETTING, rng)
        log_intensity = continued(plain(simulate_clean(name, rng).log_intensity))
        row = {"log_intensity": log_intensity}
        counts = 10 ** rng.uniform(4, 7)
        background = Background(flat=0.02)
        seen = patterns.pattern(row, one.true)
        flat = replace(one, true=replace(one.true, weight=one.stated.weight))
        images = [measured(seen, detector, background, rng, counts) for detector in (one, flat)]
        # Some files do not say how sharp their q is; here all do.
        curves = [averaged(replace(image, geometry=one.stated)) for image in images]
        weight, pixels = one.stated.weight, patterns.pattern(row, one.stated)
        expected = background.added(pixels * weight, weight, one.stated.q, one.block, one.mask)
        expected *= counts / expected[one.mask].sum()
        even = averaged(Image(np.where(one.mask, expected, 0.0), one.mask, one.stated))
        assert even.dintensity is not None
        drawn = even.intensity + even.dintensity * rng.standard_normal(len(even.q))
        straight = replace(even, intensity=drawn)
        found = [a.finding(ClassesFinding) for a in predictor.answers([*curves, straight])]
        listed = [[c.name for c in f.classes] if f is not None else [] for f in found]
        hits.append(tuple(name in some for some in listed) + tuple(name in some[:1] for some in listed))
    share = np.mean(hits, axis=0)
    window = "{:.3g} to {:.3g} Å⁻¹".format(*np.exp(LN_Q[(Q > even.q[0]) & (Q < even.q[-1])])[[0, -1]])
    print(f"{number} samples of {len(names)} models, 10⁴ to 10⁷ counts, q from {window}.\n")
    print("| | image, averaged | image, flat field divided, averaged | 1D file |\n|---|---|---|---|")
    for what, first in (("among the first five", 0), ("first", 3)):
        print(f"| {what} | " + " | ".join(f"{value:.1%}" for value in share[first : first + 3]) + " |")
