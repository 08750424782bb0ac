"""Films and windows that the tests of growth share."""

from __future__ import annotations

from sasnet_plugin.images.simulation import Film, Window

#: The angles of the network's window, a quarter of its pixels each way.
SMALL = Window(16, 16, phi=(-2.0, 2.0), alpha_f=(0.0, 2.5))
ONE_SIZE = Film(100, 12, 40, 1.0, 0.0, 0.0, 0.0, 300, 0.96, 0.4)
SEVERAL = Film(120, 25, 45, 0.8, 0.2, 0.0, 0.0, 200, 0.96, 0.5)
COUPLED = Film(60, 12, 25, 1.3, 0.3, 0.8, 0.0, 450, 0.93, 0.35)
LAYERED = Film(190, 30, 90, 1.5, 0.1, 0.3, 60.0, 120, 1.0, 0.45)
