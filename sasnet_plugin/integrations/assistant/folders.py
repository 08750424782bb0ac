"""Which files an assistant may read, write and run: those below folders that the user has opened.

Every text argument of every tool states what it names (`NAMES`), and `Folders.check` checks it by that.

Ignored, they would seem heeded.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult, TextContent

from ...names import nearest
from ...types import SasnetError

# --- Which files an assistant may read, write and run: those below folders that the user has
# --- opened.

#: A curve's file is far smaller.
LARGEST = 200 * 2**20
#: Names of a folder that are listed at once.
MOST_LISTED = 500
#: Key of a tool's JSON schema: what a text argument names.
NAMES = "names"
#: What a text argument may name: a file that is read, a folder that is listed or written to, a model (a name
#: of sasmodels or a plugin file), an instrument (an example or a file), or a word that is never opened.
FILE, FOLDER, MODEL, INSTRUMENT, WORD = "file", "folder", "model", "instrument", "word"


@dataclass(frozen=True)
class Folders:
    """What the user has opened to the assistant."""

    #: Folders with all that is below them; links that lead out of them are not followed.
    allowed: tuple[Path, ...]
    #: Whether plugin models below these folders may run: a plugin is Python code.
    plugins: bool = False

    def check(self, names: str, text: str) -> None:
        """Check a text that names a `FILE`, `FOLDER`, `MODEL` and so on. Raises SasnetError if it leaves the
        opened folders or names a forbidden plugin.
        """
        checks: dict[str, Callable[[str], object]] = {
            FILE: self.readable, FOLDER: self.folder, MODEL: self.model, WORD: str,
            INSTRUMENT: self.instrument,
        }  # fmt: skip
        if text or names != FOLDER:  # no name stands for all opened folders
            checks[names](text)

    def model(self, name: str) -> str:
        """Resolve sasmodels' name, a sum of two, or a plugin's path. Raises SasnetError if it is unknown,
        outside the folders, or plugins are forbidden.
        """
        from ...fitting.problem.plugin_models import is_sum
        from ...service.interactive import check_name
        from ...simulate.priors import form_models

        if not name.endswith(".py"):
            form, _, factor = name.partition("@")
            return name if is_sum(name, form_models()) else check_name(form, factor or None)
        path = self.readable(name)
        if not self.plugins:
            raise SasnetError(
                f"{name}: plugin models are programs and are not allowed; the user can allow them by"
                f" starting 'sasnet mcp' with the option allow-plugins."
            )
        return str(path)

    def instrument(self, name: str) -> str:
        """Resolve the name of an example, or a file as `readable`."""
        from ...planning.measurements import examples

        return name if name in examples() else str(self.readable(name))

    def models(self, names: Iterable[str] | None) -> tuple[str, ...] | None:
        """Resolve several models as `model`; None if none are named."""
        return None if names is None else tuple(map(self.model, names))

    def readable(self, name: str) -> Path:
        """Resolve a file name below a folder. Raises SasnetError if it is none or too large."""
        path = self._resolve(name)
        if not path.is_file():
            raise SasnetError(
                f"{name}: there is no such file in {self._name_folders()}; use list_files to see all files."
            )
        if path.stat().st_size > LARGEST:
            raise SasnetError(
                f"{name}: more than {LARGEST // 2**20} MiB, too large for a curve; perhaps it is an image."
            )
        return path

    def folder(self, name: str) -> Path:
        """A folder that is there, or may be made, below the allowed ones."""
        path = self._resolve(name)
        if path.exists() and not path.is_dir():
            raise SasnetError(f"{name}: is not a folder; name one below {self._name_folders()}.")
        return path

    def list_files(self, name: str = "") -> list[str]:
        """Files in a folder, or in all, relative to it; hidden ones left out."""
        roots = [self.folder(name)] if name else list(self.allowed)
        whole = len(roots) > 1 or bool(name)
        files = (
            str(path if whole else path.relative_to(root)) for root in roots for path in self._walk(root)
        )
        return list(itertools.islice(files, MOST_LISTED))

    def _walk(self, root: Path) -> Iterator[Path]:
        for path in sorted(root.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if not hidden and path.is_file() and self._holds(path.resolve()):
                yield path

    def _resolve(self, name: str) -> Path:
        given_path = Path(name).expanduser()
        try:
            candidates = (
                [given_path] if given_path.is_absolute() else [root / given_path for root in self.allowed]
            )
            for path in (candidate.resolve() for candidate in candidates):
                if self._holds(path) and (path.exists() or len(candidates) == 1 or path.parent.exists()):
                    return path
        except (OSError, ValueError, RuntimeError):
            pass
        raise SasnetError(
            f"{name}: is not in {self._name_folders()}; the user can open other folders by naming them when"
            f" starting 'sasnet mcp'."
        )

    def _holds(self, path: Path) -> bool:
        return any(path == root or root in path.parents for root in self.allowed)

    def _name_folders(self) -> str:
        return " or ".join(map(str, self.allowed))


def check_arguments(folders: Folders, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Check all texts of a tool's call by the tool's schema; errors as `Folders.check`."""
    for name, value in arguments.items():
        names = schema["properties"].get(name, {}).get(NAMES, WORD)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                folders.check(names, text)


def open_folders(names: list[Path], *, plugins: bool = False) -> Folders:
    """Open the folders a user names; `plugins` allows models in them. Raises SasnetError for no folder."""
    folders = []
    for name in names:
        path = Path(name).expanduser().resolve()
        if not path.is_dir():
            problem = "is a file" if path.exists() else "there is no such folder"
            raise SasnetError(f"{name}: {problem}; name a folder that holds data.")
        folders.append(path)
    return Folders(tuple(folders), plugins)


# --- Arguments that a tool does not have, lacks, cannot read or may not follow, refused in a
# --- sentence.

_WORDS = {
    "number": "a number", "integer": "a whole number", "string": "text", "boolean": "true or false",
    "array": "a list", "object": "names with values",
}  # fmt: skip


def check_calls(server: MCPServer, folders: Folders) -> None:
    """Have the arguments of every call checked before a tool runs."""

    async def check_call(ctx: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        if ctx.method != "tools/call":
            return await call_next(ctx)
        params = ctx.params or {}
        schemas = {tool.name: tool.input_schema for tool in await server.list_tools()}
        schema = schemas.get(params.get("name", ""))
        message = (
            "" if schema is None else await _refusal(params["name"], schema, params.get("arguments") or {})
        )
        if not message:
            result = await call_next(ctx)
            # Numbers given as text are read: what a tool itself refuses has another reason.
            unread = result.get("isError") and "validation error" in str(result["content"])
            if schema is not None and unread:
                message = describe_mistype(params["name"], schema, params.get("arguments") or {})
            if not message:
                return result
        return CallToolResult(content=[TextContent(type="text", text=message)], is_error=True)

    async def _refusal(tool: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
        if message := wrong(tool, schema, arguments):
            return message
        try:  # in a thread: a folder may lie on a slow disk
            await anyio.to_thread.run_sync(check_arguments, folders, schema, arguments)
        except SasnetError as error:
            return str(error)
        return ""

    server.middleware.append(check_call)


def wrong(tool: str, schema: Mapping[str, Any], arguments: Iterable[str]) -> str:
    """What is wrong with the names of the arguments, by the schema of the tool; empty where nothing is."""
    known_names, names = list(schema.get("properties", ())), list(arguments)
    if odd := list(itertools.filterfalse(known_names.__contains__, names)):
        meant = nearest(odd[0], known_names, f"it has {', '.join(known_names) or 'none'}.")
        return f"{tool}: has no argument {odd[0][:40]!r}; {meant}"
    if missing := list(itertools.filterfalse(names.__contains__, schema.get("required", ()))):
        return f"{tool}: the argument {missing[0]} is missing."
    return ""


def describe_mistype(tool: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """What is said of the first argument of another kind than a tool asks for; empty where none is."""
    from jsonschema import Draft202012Validator

    error = next(Draft202012Validator(schema).iter_errors(dict(arguments)), None)
    if error is None:
        return ""
    name = error.json_path.removeprefix("$.")
    return f"{tool}: {name} is {error.instance!r:.40}; give {_kind(error.schema)}."


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = [one_kind.get("type") for one_kind in schema.get("anyOf", [schema])]
    return " or ".join(_WORDS.get(str(kind), str(kind)) for kind in kinds if kind != "null")
