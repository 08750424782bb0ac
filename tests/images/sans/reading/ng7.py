"""NG7 in a setting whose resolution is published."""

from __future__ import annotations

from sasnet_plugin.images.sans.nexus import Setting

#: NG7 as the header of DEC07266.DAT has it (SasView/sasmodels, example/): A1 38 mm, A2 12.7 mm, L1 15.727 m,
#: L2 14.547 m, 6 Å, 12.4 %; the detector's pixels are 5.08 mm.
NG7 = Setting(6.0, 0.124, 15727.0, 14547.0, 19.0, 6.35, (5.08, 5.08))
