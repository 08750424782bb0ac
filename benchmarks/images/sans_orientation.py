"""Order parameters of oriented rods and ellipsoids: network and fit against truth, and against bumps' DE.

    python -m benchmarks images/sans_orientation [--images 40] [--peers 6] [--counts 1e5]

Samples, instruments and backgrounds are those of docs/sans.md; images whose second harmonics do not show a
direction are counted and left out, as the program says that they have none. bumps' differential evolution is
given the body's parameters and all amplitudes, by counting, in the better of both bodies, with limits as they
are and its usual settings; not the instrument's values, which the fit has besides, so that its χ² may be
lower.
"""

from __future__ import annotations

import time

import numpy as np

from sasnet_plugin.data.sans.anisotropy import anisotropy
from sasnet_plugin.data.sans.polar import polar
from sasnet_plugin.fitting.images.cells import cells_of
from sasnet_plugin.fitting.images.fit_image import refined
from sasnet_plugin.fitting.images.oriented import OrientedImage
from sasnet_plugin.fitting.problem.experiment import silent
from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.simulate.sans import orientation
from sasnet_plugin.simulate.sans.measurement import draw_background, draw_beam, measured
from sasnet_plugin.simulate.sans.samples import draw_sample, row_of
from sasnet_plugin.simulate.sans.simulator import P2, Direction, Posture

from ..asked import parser_of


def evolved(image: object, body: str) -> tuple[float, float]:
    """χ² that differential evolution finds, and the seconds that it takes."""
    from bumps.fitproblem import FitProblem
    from bumps.fitters import fit

    start = {"radius": 50.0, "aspect": 3.0, "radius_pd": 0.1, "p2": 0.3, "director": 90.0}
    problem = OrientedImage(cells_of(image), body, start)  # type: ignore[arg-type]
    began = time.process_time()
    with silent():
        whole = FitProblem(problem)
        whole.setp(fit(whole, method="de").x)
    return problem.chisq(), time.process_time() - began


def main() -> None:
    """Print the table."""
    parser = parser_of(__doc__, write=False, images=40, peers=6)
    parser.add_argument("--counts", type=float, default=1e5)
    options = parser.parse_args()
    rng, predictor = np.random.default_rng(7), open_predictor("sans2d")
    off, network, inside, angles, spent, verified, rows = [], [], [], [], [], [], []
    alike = 0
    while len(off) < options.images:
        kind = ("cylinder", "ellipsoid")[len(off) % 2]
        sample = draw_sample(rng, kind)
        p2, director = float(rng.uniform(*P2)), float(rng.uniform(0, 180))
        turned = Direction(orientation.maier_saupe(orientation.strength_of(p2)), np.radians(director))
        one = draw_beam(rng, sample.values["feature"])
        intensity = Posture(row_of(sample), turned).intensity(one.true)
        image = measured(intensity, one, draw_background(rng), rng, options.counts)
        if not anisotropy([polar(image)]).directed:
            alike += 1
            continue
        began = time.process_time()
        (answer,) = predictor.answers([image])
        said = answer.as_dict()
        fit = refined(image, answer).as_dict().get("fit")
        spent.append(time.process_time() - began)
        if fit is None:
            continue
        value, error = (fit["parameters"]["p2"][key] for key in ("value", "error"))
        off.append(abs(value - p2))
        inside.append(abs(value - p2) <= 1.645 * error)
        turn = fit["parameters"]["director"]["value"] - director
        angles.append(abs(np.mod(turn + 90, 180) - 90))
        verified.append(fit["verified"])
        known = (said["orientation"] or {}).get("p2")
        network.append(abs(known["value"] - p2) if known else np.nan)
        if len(rows) < options.peers:
            chisq, seconds = evolved(image, fit["model"])
            rows.append((fit["reduced_chi2"], spent[-1], chisq, seconds))
    print(f"{len(off)} images of {options.counts:.0e} counts; {alike} others had no direction to be seen.\n")
    print("| | |\n|---|---|")
    print(f"| median of the error of P₂, network | {np.nanmedian(network):.3f} |")
    print(f"| median of the error of P₂, fit | {np.median(off):.3f} |")
    print(f"| fit within 0.1 | {np.mean(np.array(off) < 0.1):.0%} |")
    print(f"| 90 % bands hold | {np.mean(inside):.0%} |")
    print(f"| median of the director's error | {np.median(angles):.2f}° |")
    print(f"| verified | {np.mean(verified):.0%} |")
    print(f"| CPU seconds, network and fit, median | {np.median(spent):.1f} |")
    if rows:
        ours, mine, theirs, long = np.array(rows).T
        print(f"| bumps' DE on {len(rows)} of them: CPU seconds, times ours | {np.median(long / mine):.0f} |")
        lower = np.mean(ours <= theirs * 1.001)
        print(f"| … our χ² is equal or lower in | {lower:.0%} |")
