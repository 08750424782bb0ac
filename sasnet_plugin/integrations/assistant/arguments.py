"""Arguments that a tool does not have, or lacks, refused in a sentence: ignored, they would seem heeded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult, TextContent

from ...names import nearest


def refuse_others(server: MCPServer) -> None:
    """Have every call of a tool looked at before it is made."""

    async def looked_at(ctx: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        if ctx.method != "tools/call":
            return await call_next(ctx)
        asked = ctx.params or {}
        schemas = {tool.name: tool.input_schema for tool in await server.list_tools()}
        schema = schemas.get(asked.get("name", ""))
        said = "" if schema is None else wrong(asked["name"], schema, asked.get("arguments") or {})
        if not said:
            return await call_next(ctx)
        return CallToolResult(content=[TextContent(type="text", text=said)], is_error=True)

    server.middleware.append(looked_at)


def wrong(tool: str, schema: Mapping[str, Any], arguments: Iterable[str]) -> str:
    """What is wrong with the names of the arguments, by the schema of the tool; empty where nothing is."""
    known, given = list(schema.get("properties", ())), list(arguments)
    if odd := [name for name in given if name not in known]:
        meant = nearest(odd[0], known, f"it has {', '.join(known) or 'none'}.")
        return f"{tool}: has no argument {odd[0][:40]!r}; {meant}"
    if missing := [name for name in schema.get("required", ()) if name not in given]:
        return f"{tool}: {missing[0]} is missing; give it."
    return ""
