"""Arguments that a tool does not have, lacks, cannot read or may not follow, refused in a sentence.

Ignored, they would seem heeded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult, TextContent

from ...in_python import translate_sentence
from ...names import nearest
from ...types import SasnetError
from .folders import Folders, check_arguments

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
            return translate_sentence(str(error))
        return ""

    server.middleware.append(check_call)


def wrong(tool: str, schema: Mapping[str, Any], arguments: Iterable[str]) -> str:
    """What is wrong with the names of the arguments, by the schema of the tool; empty where nothing is."""
    known_names, names = list(schema.get("properties", ())), list(arguments)
    if odd := [name for name in names if name not in known_names]:
        meant = nearest(odd[0], known_names, f"it has {', '.join(known_names) or 'none'}.")
        return f"{tool}: has no argument {odd[0][:40]!r}; {meant}"
    if missing := [name for name in schema.get("required", ()) if name not in names]:
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
