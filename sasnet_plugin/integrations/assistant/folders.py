"""Which files an assistant may read and write: those below folders that the user has named."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...types import SasnetError

#: A curve's file is far smaller.
LARGEST = 200 * 2**20
#: Names of a folder that are listed at once.
MOST_LISTED = 500


@dataclass(frozen=True)
class Folders:
    """What the user has opened to the assistant."""

    #: Folders with all that is below them; links that lead out of them are not followed.
    allowed: tuple[Path, ...]

    def readable(self, name: str) -> Path:
        """The file of a name, absolute or below one of the folders.

        Raises
        ------
        SasnetError
            It is none, lies elsewhere, or is too large.
        """
        path = self._inside(name)
        if not path.is_file():
            raise SasnetError(
                f"{name}: there is no such file below {self._named()}; list_files shows what is."
            )
        if path.stat().st_size > LARGEST:
            raise SasnetError(f"{name}: more than {LARGEST // 2**20} MiB; curves are small, is it an image?")
        return path

    def folder(self, name: str) -> Path:
        """A folder that is there, or may be made, below the allowed ones."""
        path = self._inside(name)
        if path.exists() and not path.is_dir():
            raise SasnetError(f"{name}: is no folder; name one below {self._named()}.")
        return path

    def listed(self, name: str = "") -> list[str]:
        """Files in a folder, or in all, relative to it; hidden ones left out."""
        roots = [self.folder(name)] if name else list(self.allowed)
        whole = len(roots) > 1 or bool(name)
        found = (
            str(path if whole else path.relative_to(root)) for root in roots for path in self._below(root)
        )
        return list(itertools.islice(found, MOST_LISTED))

    def _below(self, root: Path) -> Iterator[Path]:
        for path in sorted(root.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if not hidden and path.is_file() and self._holds(path.resolve()):
                yield path

    def _inside(self, name: str) -> Path:
        given = Path(name).expanduser()
        try:
            every = [given] if given.is_absolute() else [root / given for root in self.allowed]
            for path in (one.resolve() for one in every):
                if self._holds(path) and (path.exists() or len(every) == 1 or path.parent.exists()):
                    return path
        except (OSError, ValueError, RuntimeError):
            pass
        raise SasnetError(
            f"{name}: is not below {self._named()}; the user opens other folders by naming them when 'sasnet"
            " mcp' is started."
        )

    def _holds(self, path: Path) -> bool:
        return any(path == root or root in path.parents for root in self.allowed)

    def _named(self) -> str:
        return " or ".join(map(str, self.allowed))


def opened(names: list[Path]) -> Folders:
    """The folders that a user names.

    Raises
    ------
    SasnetError
        One is no folder.
    """
    found = []
    for name in names:
        path = Path(name).expanduser().resolve()
        if not path.is_dir():
            what = "is a file" if path.exists() else "there is no such folder"
            raise SasnetError(f"{name}: {what}; name a folder that holds data.")
        found.append(path)
    return Folders(tuple(found))
