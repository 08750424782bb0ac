"""``sasnet follow tiled:http://…``: entries of a Tiled server, answered as they are made."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from ...domains import DEFAULT, ReadOptions, specification
from ...domains.heads import Classes, Quantities, Tags
from ...extensions import service
from ...types import SasnetError
from .curves import Asked, follow_series, lines_of_curves

if TYPE_CHECKING:
    from ...batch.live.run import Lines
    from ...integrations.tiled.given_back import InMetadata, InTable, Manner
    from ...integrations.tiled.source import TiledSource

Line = Mapping[str, str]


class WriteBack(StrEnum):
    """Where answers are written back."""

    metadata = "metadata"
    table = "table"
    both = "both"


def follow_tiled(
    request: Asked, reading: ReadOptions, domain: str | None, key: str | None, back: WriteBack | None
) -> None:
    """Follow the entries of an address; exit code 1 if a frame has no answer. Raises SasnetError if the
    address is invalid, the server does not answer or refuses, or its content cannot be followed.
    """
    from ...integrations.tiled.address import address_of
    from ...integrations.tiled.connection import Server
    from ...integrations.tiled.places import kind_of
    from ...integrations.tiled.source import TiledSource

    if len(request.files) != 1:
        raise SasnetError("Only one address tiled:… can be followed; give it as the only argument.")
    address = address_of(request.files[0])
    with closing(Server(address, key or "")) as server:
        kind = kind_of(server, address, specification(domain).name if domain else None)
        _check(request, kind)
        source = TiledSource(
            server, address, domain, reading, kind, request.window, request.watch, _print_to_stderr
        )
        with closing(source):
            _follow(request, source, back)


def _follow(request: Asked, source: TiledSource, back: WriteBack | None) -> None:
    from ...integrations.tiled.behind import Behind
    from ...integrations.tiled.given_back import Manner
    from ...predict import open_predictor

    predictor, curves = open_predictor(source.kind), source.kind == DEFAULT
    lines: Lines = (
        lines_of_curves(request, predictor) if curves else service("series_lines")(predictor.manifest.heads)
    )
    belongs = _belongs(str(source.address))
    manner = Manner(request.watch, request.force, _print_to_stderr)
    ways = list(_ways(request, source, lines.titles(), back, manner))
    with Behind(ways, manner) as behind:
        follow_series(
            request,
            source,
            predictor,
            lines,
            belongs,
            back=behind,
            together=lines.together,
            changes_sought=curves,
        )
    if behind.remaining:
        typer.echo(
            f"{behind.remaining} entries keep the answers of another run; --force replaces them.",
            err=True,
        )


def _check(request: Asked, kind: str) -> None:
    if kind == DEFAULT:
        return
    for name, value in {"--model": request.model, "--q-range": request.window}.items():
        if value:
            raise SasnetError(f"{request.files[0]}: {name} is for curves, and it holds images; leave it out.")
    if not any(isinstance(head, Classes | Tags | Quantities) for head in specification(kind).heads):
        raise SasnetError(
            f"{request.files[0]}: {kind} gives no class, tag or quantity to follow; see 'sasnet sort'."
        )


def _ways(
    request: Asked, source: TiledSource, titles: Sequence[str], back: WriteBack | None, manner: Manner
) -> Iterator[InMetadata | InTable]:
    """Where answers go, with the name of this series: that of its table on this machine."""
    from ...integrations.tiled.given_back import InMetadata, InTable

    place = f"{platform.node()}:{os.path.abspath(request.out)}"
    series = hashlib.blake2b(os.fsencode(place), digest_size=8).hexdigest()
    if back in (WriteBack.metadata, WriteBack.both):
        yield InMetadata(source.server, series, source.metadata, manner)
    if back in (WriteBack.table, WriteBack.both):
        yield InTable(source.server, series, source.address, titles, manner)


def _belongs(address: str) -> Callable[[Line], bool]:
    return lambda line: line["file"] == address or line["file"].startswith(f"{address.rstrip('/')}/")


def _print_to_stderr(sentence: str) -> None:
    typer.echo(sentence, err=True)
