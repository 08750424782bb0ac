"""sasmodels' structure factor of charged spheres, its coefficients calculated once for all q.

Those of the rescaled mean spherical approximation (J. B. Hayter and J. Penfold, Mol. Phys. 42 (1981) 109)
depend on the parameters alone, but sasmodels finds them by iteration at each q, which takes nearly all the
time of a curve. Here the last ones are kept: the curve is the same to the last digit.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from .written import write_by_content

#: sasmodels' name.
CHARGED = "hayter_msa"
#: Where its C code finds the coefficients, from its parameters.
_FOUND = "ierr=sqcoef(ierr, gMSAWave);"
_KEPT = """
    {
#if defined(__GNUC__) && !defined(__TINYC__)
        static __thread double kept[17], of[6];
        static __thread int known = 0, ended = 0;
#else
        static double kept[17], of[6];
        static int known = 0, ended = 0;
#endif
        const double now[6] = {radius_effective, zz, VolFrac, Temp, csalt, dialec};
        int i, same = known;
        for (i = 0; i < 6; i++) same = same && of[i] == now[i];
        if (!same) {
            ierr = sqcoef(ierr, gMSAWave);
            for (i = 0; i < 17; i++) kept[i] = gMSAWave[i];
            for (i = 0; i < 6; i++) of[i] = now[i];
            ended = ierr;
            known = 1;
        }
        for (i = 0; i < 17; i++) gMSAWave[i] = kept[i];
        ierr = ended;
    }
"""


def add_memory(info: Any, folder: Path) -> Any:
    """Return a model's page whose charged spheres' structure factor caches its coefficients, with C code in
    `folder`; unchanged without one, or for another C code.
    """
    if info.composition:
        kind, parts = info.composition
        changed = [add_memory(part, folder) for part in parts]
        if all(new is old for new, old in zip(changed, parts, strict=True)):
            return info
        info = copy.copy(info)
        info.composition = (kind, changed)
        return info
    if info.id != CHARGED or len(info.source or ()) != 1:
        return info
    source_file = Path(info.filename).parent / info.source[0]
    text = source_file.read_text(encoding="utf-8", errors="replace") if source_file.exists() else ""
    if text.count(_FOUND) != 1:
        return info
    path = write_by_content(folder, f"sasnet_{CHARGED}", text.replace(_FOUND, _KEPT))
    info = copy.copy(info)
    info.source = [str(path)]
    return info
