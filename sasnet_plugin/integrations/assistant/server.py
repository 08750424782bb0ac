"""``sasnet mcp``: the tools over the Model Context Protocol, on stdio or on a port with a key."""

from __future__ import annotations

import inspect
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from ...data.limits import unforeseen
from ...fitting.progress import Watched
from ...fitting.request import OPTIONS, REFINING, FileRequest, replace_parameter
from ...service.answers import plain
from ...types import SasnetError
from ...wording import Surface, speak_to
from ...zoo import bank_path
from .folders import FILE, FOLDER, INSTRUMENT, MODEL, NAMES, WORD, Folders, check_calls
from .tools import Tools

if TYPE_CHECKING:
    from ...fitting.pool import Workers

INSTRUCTIONS = """\
sasnet analyses small-angle-scattering measurements (SAXS, SANS). Start with list_files and read. classify
ranks the models that may fit a curve, in milliseconds. fit fits and checks them, in seconds to a minute.
Report the headline of a fit unchanged, together with its caution: the caution is part of the answer. State
only numbers that a tool returned, each with its error and unit. Call a model right only if the verdict is
"explains". Pass several curves of one sample (solvents, settings, concentrations) to fit_together: together
they decide more than each curve alone."""
#: Seconds that a fit may take at most.
LONGEST = 300.0


def _make_text_field(names: str, description: str = "") -> Any:
    """An argument that takes text, with what the text names: `folders.check_arguments` goes by it."""
    return Field(description=description or None, json_schema_extra={NAMES: names})


File = Annotated[str, _make_text_field(FILE, "File, absolute or below an opened folder.")]
MaybeFile = Annotated[str | None, _make_text_field(FILE, "File, absolute or below an opened folder.")]
Files = Annotated[list[str], _make_text_field(FILE, "Files, absolute or below an opened folder.")]
Instrument = Annotated[str | None, _make_text_field(INSTRUMENT)]
Folder = Annotated[str, _make_text_field(FOLDER, "Folder, absolute or below an opened folder.")]
Model = Annotated[str, _make_text_field(MODEL, "Name of a model as sasmodels spells it.")]
Word = Annotated[str, _make_text_field(WORD)]
MaybeWord = Annotated[str | None, _make_text_field(WORD)]
Words = Annotated[list[str] | None, _make_text_field(WORD)]
Solvents = Annotated[list[str | float] | None, _make_text_field(WORD)]
Values = Annotated[dict[str, float | str], _make_text_field(WORD)]
Lowest = Annotated[float | None, Field(description="Use only q from this value, 1/Å.")]
Highest = Annotated[float | None, Field(description="Use only q up to this value, 1/Å.")]
Exchange = Annotated[
    dict[str, str] | None,
    _make_text_field(
        WORD,
        "Materials of parts that exchange hydrogen with water, by their parameter, labile hydrogen as H[1]:"
        ' {"sld_shell": "C6H7H[1]3O5@1.5"}. Give them to the fit and to its plan.',
    ),
]
Changes = Annotated[dict[str, dict[str, float]] | None, _make_text_field(WORD)]
#: What reads a curve, what ranks models, and what fits: as this server is told, and for the best fit by hand.
_READ = ("entry", "q_unit", "wavelength", "q_range")
_FIT = tuple(name for name in OPTIONS if name not in ("workers", *REFINING))


def _annotate(name: str) -> Any:
    """The type of an option as an argument, with its help, limits and what its text names."""
    about = OPTIONS[name]
    limits: dict[str, Any] = {}
    help_text = about.help_text
    if name == "time_limit":
        help_text += f" At most {LONGEST:.0f}."
    if about.kind.json not in (int, float):
        limits = {"json_schema_extra": {NAMES: MODEL if name == "models" else WORD}}
    return Annotated[about.kind.json | None, Field(description=help_text, **limits)]


def take_options(*names: str, workers: int = 1) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a tool options of a fit in place of its argument ``request``; the q range also by its ends."""
    usual = {"time_limit": 60.0}
    types = {name: _annotate(name) for name in names}
    if "q_range" in names:
        types |= {"q_min": Lowest, "q_max": Highest}
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = {
        name: inspect.Parameter(name, kind, default=usual.get(name), annotation=annotation)
        for name, annotation in types.items()
    }

    def make(**arguments: Any) -> FileRequest:
        ends = arguments.pop("q_min", None), arguments.pop("q_max", None)
        if ends != (None, None) and arguments.get("q_range") is None:
            arguments["q_range"] = ends
        try:
            request = FileRequest(**arguments, workers=workers)
            if "time_limit" in names and request.time_limit > LONGEST:
                least = OPTIONS["time_limit"].kind.least
                raise SasnetError(
                    f"time_limit is between {least:g} and {LONGEST:g} seconds, not {request.time_limit:g}."
                )
            return request
        except SasnetError as error:
            raise ToolError(str(error)) from None

    return replace_parameter("request", make, parameters)


@dataclass
class Fits:
    """Processes that fit, one fit after another, and whether the one that runs is still wanted."""

    workers: int
    _pool: Workers | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _unwanted: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def pool(self, unwanted: threading.Event, progress: Callable[..., None]) -> Iterator[Watched]:
        """The processes, when no other fit has them."""
        from ...fitting.pool import StoppedError, Workers

        with self._turn:
            self._unwanted = unwanted
            if self._pool is None:
                self._pool = Workers(bank_path(), self.workers, stopped=lambda: self._unwanted.is_set())
                self._pool.__enter__()
            try:
                yield Watched(self._pool, progress)
            except StoppedError:
                raise SasnetError("The fit was cancelled.") from None

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._unwanted.set()
            self._pool.__exit__(None, None, None)
            self._pool = None


def build(  # noqa: C901, the branches of the tools inside are counted as well
    folders: Folders, workers: int
) -> tuple[MCPServer, Fits]:
    """Build the server with its tools; `workers` processes fit."""
    speak_to(Surface.PYTHON)  # arguments of tools are called as keywords are
    import sasnet_plugin

    tools, fits = Tools(folders), Fits(workers)
    server: MCPServer = MCPServer(
        "sasnet",
        title="sasnet",
        instructions=INSTRUCTIONS,
        version=sasnet_plugin.__version__,
        log_level="ERROR",
    )
    reads = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    # A plugin model is a program, which may do anything.
    runs = ToolAnnotations(read_only_hint=not folders.plugins, open_world_hint=folders.plugins)
    writes = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)

    async def run_in_thread(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """In a thread, as reading and asking the network take a while; errors are one sentence."""
        try:
            answer = plain(await anyio.to_thread.run_sync(work, abandon_on_cancel=True))
            # Names of files need not be UTF-8, and what is sent is.
            encodable: dict[str, Any] = json.loads(
                json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
            )
            return encodable
        except SasnetError as error:
            raise ToolError(str(error)) from None
        except Exception as error:
            raise ToolError(str(unforeseen("sasnet mcp", error))) from None

    async def run_fit(ctx: Context, work: Callable[[Watched], dict[str, Any]]) -> dict[str, Any]:
        """The same with the processes; a cancelled request ends its fit."""
        unwanted = threading.Event()

        def report_progress(**progress: Any) -> None:
            message = f"{progress.get('name', '')} {progress.get('reduced_chisq', '')}".strip()
            anyio.from_thread.run(
                ctx.report_progress, float(progress["done"]), float(progress["of"]) or None, message
            )

        def run() -> dict[str, Any]:
            with fits.pool(unwanted, report_progress) as pool:
                return work(pool)

        try:
            return await run_in_thread(run)
        finally:
            unwanted.set()

    @server.tool(annotations=reads)
    async def list_files(folder: Folder = "") -> dict[str, Any]:
        """List the data files in the folders that the user has opened."""
        return await run_in_thread(partial(tools.list_files, folder))

    @server.tool(annotations=reads)
    @take_options("q_unit", "wavelength")
    async def read(file: File, request: FileRequest) -> dict[str, Any]:
        """Describe a data file: data sets, points, q range, and whether the file gives the unit of q."""
        return await run_in_thread(partial(tools.read, file, request))

    @server.tool(annotations=reads)
    @take_options("top", *_READ)
    async def classify(file: File, request: FileRequest) -> dict[str, Any]:
        """Rank the models that may fit a curve, with calibrated probabilities; nothing is fitted.

        Use it first, and for many files. Use fit for sizes and to check that a model fits the data.
        """
        return await run_in_thread(partial(tools.classify, file, request))

    @server.tool(annotations=reads)
    @take_options(*_READ)
    async def model_free(file: File, request: FileRequest) -> dict[str, Any]:
        """Numbers without a model, with errors: Rg and I(0), slopes, Porod's constant, peaks, Kratky plot."""
        return await run_in_thread(partial(tools.model_free, file, request))

    @server.tool(annotations=reads)
    @take_options(*_READ)
    async def protein(
        file: File, request: FileRequest, concentration: float | None = None, absolute: bool = False,
        monomer: float | None = None, structure: MaybeFile = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Numbers of a protein in solution (SAXS, buffer subtracted): Rg, I(0), D_max, molecular weight,
        oligomeric state and quality, with errors. concentration in mg/ml, for intensities in 1/cm (absolute);
        monomer in kDa; structure: a PDB or mmCIF file, answered by whether it explains the curve.
        """
        asked = (file, request, concentration, absolute, monomer, structure)
        return await run_in_thread(partial(tools.protein, *asked))

    @server.tool(annotations=runs)
    @take_options(*_FIT, workers=workers)
    async def fit(
        ctx: Context, file: File, request: FileRequest, exchange: Exchange = None
    ) -> dict[str, Any]:
        """Fit the models that may fit a curve, rank and check them: seconds to a minute.

        The answer has three lines (headline, caution, next), and parameters with units and errors. Report the
        caution. Give models only if the user names them. sample and solvent are materials, such as SiO2@2.2
        and 40%D2O.
        """
        return await run_fit(ctx, lambda pool: tools.fit(pool, file, request, exchange))

    @server.tool(annotations=runs)
    @take_options(*_FIT, workers=workers)
    async def fit_together(
        ctx: Context, files: Files, request: FileRequest, solvents: Solvents = None, kind: MaybeWord = None,
        exchange: Exchange = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Fit several curves of one sample together: solvents, settings, concentrations or probes.

        solvents: one for each file, "D2O", "40%D2O" or its scattering length density in 1e-6/Å²; solvent: the
        same for all. kind: contrasts, settings, concentrations, probes or series, if known.
        """
        return await run_fit(
            ctx, lambda pool: tools.fit_together(pool, files, request, solvents, kind, exchange)
        )

    @server.tool(annotations=reads)
    @take_options("time_limit")
    async def next_measurement(
        ctx: Context, fit: Word, request: FileRequest, parameter: MaybeWord = None, aim: float | None = None,
        solvents: Words = None, exchange: Exchange = None, changes: Changes = None,
        instrument: Instrument = None, time: float | None = None, plan: MaybeWord = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Rank measurements that could follow a fit, named by the tool that made it: up to half a minute.

        By the probability that the likeliest model is then right, or with parameter by its expected error.
        aim: the probability or relative error to reach. Solvents are compared where the fit was given the
        present one. changes: other samples by a name, with the parameters that they change. instrument: a
        TOML file of settings, or reactor_sans, tof_sans or lab_saxs. time: of the figures, seconds with an
        instrument, else multiples of the present time. plan: name of the earlier plan; give it with the fit
        of old and new files together, to learn whether it held.
        """
        question = {
            "parameter": parameter, "aim": aim, "solvents": solvents, "exchange": exchange,
            "changes": changes, "instrument": instrument, "time": time,
        }  # fmt: skip
        unwanted = threading.Event()

        def report(done: int, of: int) -> None:
            anyio.from_thread.run(ctx.report_progress, float(done), float(of), "measurements compared")

        try:
            return await run_in_thread(
                partial(
                    tools.next_measurement, fit, question, plan, unwanted.is_set, report, request.time_limit
                )
            )
        finally:
            unwanted.set()

    @server.tool(annotations=reads)
    @take_options("entry", "q_unit", "wavelength")
    async def evaluate(
        model: Model, parameters: Values, request: FileRequest, file: MaybeFile = None,
        q: list[float] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Calculate I(q) of a sasmodels model at given values; with a file also its reduced χ²."""
        return await run_in_thread(partial(tools.evaluate, model, parameters, file, request, q))

    @server.tool(annotations=reads)
    async def sld(material: Word, probe: Word = "neutron", wavelength: float | None = None) -> dict[str, Any]:
        """Calculate the scattering length density of a material: SiO2@2.2 (g/cm³), D2O, 40%D2O, toluene."""
        return await run_in_thread(partial(tools.sld, material, probe, wavelength))

    @server.tool(annotations=reads)
    async def explain(model: Model) -> dict[str, Any]:
        """Describe a model: meaning, parameters, units, defaults, and models hard to distinguish from it."""
        return await run_in_thread(partial(tools.explain, model))

    @server.tool(annotations=reads)
    async def batch_status(results: File) -> dict[str, Any]:
        """Count the answered and failed data sets of a batch, from its CSV table."""
        return await run_in_thread(partial(tools.batch_status, results))

    @server.tool(annotations=writes)
    async def export(fit: Word, folder: Folder) -> dict[str, Any]:
        """Write a fit, named by the tool that made it: SasView project, Bumps script, HTML page."""
        return await run_in_thread(partial(tools.export, fit, folder))

    _add_resources(server, tools)
    check_calls(server, folders)
    return server, fits


def _add_resources(server: MCPServer, tools: Tools) -> None:
    """What an assistant may show besides: how to use the tools, and pages and pictures of fits."""

    async def make(work: Callable[[], Any]) -> Any:
        try:
            return await anyio.to_thread.run_sync(work)
        except SasnetError as error:
            raise ResourceError(str(error)) from None

    @server.resource("sasnet://skill", mime_type="text/markdown")
    async def skill() -> str:
        """How to answer questions about scattering data with these tools."""
        return (Path(__file__).parent / "SKILL.md").read_text(encoding="utf-8")

    @server.resource("sasnet://fit/{fit}/report", mime_type="text/html")
    async def report(fit: str) -> str:
        """The page of a fit, by the name that fit or fit_together gave it."""
        return str(await make(partial(tools.report, fit)))

    @server.resource("sasnet://fit/{fit}/picture", mime_type="image/png")
    async def picture(fit: str) -> bytes:
        """Data and fits, drawn."""
        return bytes(await make(partial(tools.picture, fit)))


def serve_stdio(folders: Folders, workers: int) -> None:
    """Answer the program at the other ends of stdin and stdout, until it ends."""
    server, fits = build(folders, workers)
    try:
        server.run("stdio")
    finally:
        fits.close()


def serve_port(
    folders: Folders, workers: int, host: str, port: int, key: str, ready: Callable[[], None]
) -> None:
    """Answer on a port requests with the header ``Authorization: Bearer KEY``, calling `ready` once
    listening. Raises SasnetError if the port is taken or privileged.
    """
    import uvicorn

    with socket.socket() as sock:
        try:
            if os.name != "nt":  # one that was closed a moment ago is no obstacle
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
        except OSError as error:
            raise SasnetError(
                f"Port {port} cannot be used ({error.strerror}); give another --port."
            ) from None
        server, fits = build(folders, workers)
        app = require_key(server.streamable_http_app(host=host), key)
        ready()
        try:
            uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[sock])
        finally:
            fits.close()


def require_key(app: Any, key: str) -> Any:
    """An ASGI application that answers 401 where the key is missing or wrong."""
    import hmac

    expected = f"Bearer {key}".encode()

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            header = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(header, expected):
                head = [(b"content-type", b"text/plain; charset=utf-8"), (b"www-authenticate", b"Bearer")]
                await send({"type": "http.response.start", "status": 401, "headers": head})
                await send({"type": "http.response.body", "body": b"The key is missing or wrong.\n"})
                return
        await app(scope, receive, send)

    return guard
