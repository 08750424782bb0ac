"""Arguments that a tool does not have, lacks, cannot read or may not follow, refused in a sentence.

Ignored, they would seem heeded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult, TextContent

from ...in_python import in_python
from ...names import nearest
from ...types import SasnetError
from .folders import Folders, check_arguments

_WORDS = {
    "number": "a number", "integer": "a whole number", "string": "text", "boolean": "true or false",
    "array": "a list", "object": "names with values",
}  # fmt: skip


def check_calls(server: MCPServer, folders: Folders) -> None:
    """Have the arguments of every call checked before a tool runs."""

    async def looked_at(ctx: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        if ctx.method != "tools/call":
            return await call_next(ctx)
        asked = ctx.params or {}
        schemas = {tool.name: tool.input_schema for tool in await server.list_tools()}
        schema = schemas.get(asked.get("name", ""))
        said = "" if schema is None else await _refusal(asked["name"], schema, asked.get("arguments") or {})
        if not said:
            found = await call_next(ctx)
            # Numbers given as text are read: what a tool itself refuses has another reason.
            unread = found.get("isError") and "validation error" in str(found["content"])
            if schema is not None and unread:
                said = mistyped(asked["name"], schema, asked.get("arguments") or {})
            if not said:
                return found
        return CallToolResult(content=[TextContent(type="text", text=said)], is_error=True)

    async def _refusal(tool: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
        if said := wrong(tool, schema, arguments):
            return said
        try:  # in a thread: a folder may lie on a slow disk
            await anyio.to_thread.run_sync(check_arguments, folders, schema, arguments)
        except SasnetError as error:
            return in_python(str(error))
        return ""

    server.middleware.append(looked_at)


def wrong(tool: str, schema: Mapping[str, Any], arguments: Iterable[str]) -> str:
    """What is wrong with the names of the arguments, by the schema of the tool; empty where nothing is."""
    known, given = list(schema.get("properties", ())), list(arguments)
    if odd := [name for name in given if name not in known]:
        meant = nearest(odd[0], known, f"it has {', '.join(known) or 'none'}.")
        return f"{tool}: has no argument {odd[0][:40]!r}; {meant}"
    if missing := [name for name in schema.get("required", ()) if name not in given]:
        return f"{tool}: the argument {missing[0]} is missing."
    return ""


def mistyped(tool: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """What is said of the first argument of another kind than a tool asks for; empty where none is."""
    from jsonschema import Draft202012Validator

    error = next(Draft202012Validator(schema).iter_errors(dict(arguments)), None)
    if error is None:
        return ""
    name = error.json_path.removeprefix("$.")
    return f"{tool}: {name} is {error.instance!r:.40}; give {_kind(error.schema)}."


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = [one.get("type") for one in schema.get("anyOf", [schema])]
    return " or ".join(_WORDS.get(str(kind), str(kind)) for kind in kinds if kind != "null")
