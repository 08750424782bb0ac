"""List what is measured, or run one of it.

``python -m benchmarks`` lists every benchmark: the day when its table was written, the CPU time that that
took, and what it asks. ``python -m benchmarks fitting/sbc --work W`` runs one, its options behind its name;
``--help`` there says which it has. A table that is written gets a line about its run, which the list reads.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .rooms import found, listed, run


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0, or what the benchmark that was run says."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        print(listed(found()))
        return 0
    name, *rest = arguments
    known = {one.name: one for one in found()}
    if name not in known:
        print(f"{name}: there is no such benchmark; `python -m benchmarks` lists them.", file=sys.stderr)
        return 2
    return run(known[name], rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
