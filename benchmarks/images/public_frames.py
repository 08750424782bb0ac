"""What is said of frames of other projects' test data, read as they lie in a folder?

    python -m benchmarks images/public_frames FOLDER [--domain sans2d]

A line for each file: what was answered or the sentence of its refusal, and CPU-seconds. Whether that is so
is judged by a person; the table beside this file holds those judgements, and is not written by it.
"""

from __future__ import annotations

import argparse
import time
from itertools import islice
from pathlib import Path


def said(path: Path, domain: str) -> str:
    """What is said of the first image of a file."""
    from sasnet_plugin.domains import ReadOptions, specification
    from sasnet_plugin.predict.predictor import open_predictor
    from sasnet_plugin.types import DataError

    try:
        (image,) = islice(specification(domain).read(str(path), ReadOptions()), 1)
        (answer,) = open_predictor(domain).answers([image])
    except DataError as error:
        return f"refused: {error}"
    sentences = " ".join(one for finding in answer.findings for one in finding.sentences())
    return f"in_scope {answer.in_scope:.2f}: {sentences} {' '.join(answer.notes)}"


def main() -> None:
    """Answer and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--domain", default="sans2d")
    options = parser.parse_args()
    for path in sorted(one for one in options.folder.rglob("*") if one.is_file()):
        began = time.process_time()
        print(
            f"{path.name}: {said(path, options.domain)} ({time.process_time() - began:.1f} CPU-s)", flush=True
        )


if __name__ == "__main__":
    main()
