"""A GISAS pattern by BornAgain 25's plain interface: nothing of sasnet is imported, lengths in nm.

Spheres of CoFe2O4 on a hexagonal lattice on 60 nm of SiO2 on Si, in two domains. Run as
``python gisas_plain.py OUT.npy [ROWS COLUMNS]``; the script writes the pattern, row 0 the lowest.
"""

import sys

import bornagain as ba
import numpy as np
from bornagain import deg, nm

LATTICE, WIDTH, POSITION_RMS, RADIUS = 36.0 * nm, 160.0 * nm, 1.5 * nm, 11.0 * nm
WAVELENGTH, ALPHA_I = 0.134 * nm, 0.16
DOMAINS = ((0.0, 0.7), (30.0, 0.3))  # degrees, share
# Henke's tables at this wavelength, densities of 2.2 and 2.33 g/cm3.
SIO2 = (5.380082223505056e-06, 5.296108821618767e-08)
SI = (5.71932349180404e-06, 9.990286819437183e-08)
GREY = (0.5, 0.5, 0.5)


def sample() -> ba.Sample:
    particle = ba.Particle(ba.RefractiveMaterial("CoFe2O4", GREY, 2.03e-5, 1.5e-6), ba.Sphere(RADIUS))
    air = ba.Layer(ba.Vacuum())
    for xi, share in DOMAINS:
        crystal = ba.Crystal2D(particle, ba.HexagonalLattice2D(LATTICE, xi * deg))
        crystal.setDecayFunction(ba.Profile2DCauchy(WIDTH, WIDTH, 0))
        crystal.setLateralPositionVariance(POSITION_RMS)
        air.addDeposit2D(share, crystal)
    stack = ba.Sample()
    stack.addLayer(air)
    stack.addLayer(ba.Layer(ba.RefractiveMaterial("SiO2", GREY, *SIO2), 60 * nm))
    stack.addLayer(ba.Layer(ba.RefractiveMaterial("Si", GREY, *SI)))
    return stack


def pattern(rows: int, columns: int) -> np.ndarray:
    beam = ba.Beam(1, WAVELENGTH, ALPHA_I * deg)
    detector = ba.SphericalDetector(columns, -1.07 * deg, 1.07 * deg, rows, 0.0, 2.2 * deg)
    simulation = ba.ScatteringSimulation(beam, sample(), detector)
    simulation.options().setUseAvgMaterials(False)
    simulation.options().setNumberOfThreads(1)
    return np.array(simulation.simulate().intensities())


if __name__ == "__main__":
    shape = [int(word) for word in sys.argv[2:]] or [64, 64]
    np.save(sys.argv[1], pattern(*shape))
