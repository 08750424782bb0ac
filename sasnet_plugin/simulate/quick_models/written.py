"""C files that are written beside what is compiled of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ...files import put_in_one_step


def write_once(folder: Path, name: str, text: str) -> Path:
    """Write a file unless it is there, whole or not at all: other processes may be at it too."""
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with put_in_one_step(path) as part:
            part.write_text(text)
    return path


def write_by_content(folder: Path, stem: str, text: str) -> Path:
    """Write a C file under a name that tells its content: another content is another file."""
    tag = hashlib.sha256(text.encode()).hexdigest()[:8]
    return write_once(folder, f"{stem}_{tag}.c", text)
