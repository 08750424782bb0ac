"""Compiled models that are whole: sasmodels' cache made safe for many processes and for kills.

sasmodels 1.1 lets the compiler write into its cache under the final name and takes whatever lies there: a
process that comes while another compiles, or after one that was killed, loads half a library. Here a model is
compiled aside by one process at a time, put in place by renaming, and has its checksum beside it; what does
not match is compiled again. `sasmodels.kerneldll` says that its functions may be replaced for that.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shlex
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..files import lock_file, put_in_one_step, remove_empty, remove_leftovers, removing
from ..types import SasnetError, SimulationError, TechnicalError

#: Bytes that have to be free where models are compiled: a few hundred libraries of some ten thousand.
ROOM = 4_000_000
#: C code that sasnet writes for its own variants of models, see `quick_models`.
_TEXTS = ("sasnet_*.c", "gauss[0-9]*.c")
_ADVICE = (
    "install gcc or clang (Debian and Ubuntu: apt install gcc; macOS: xcode-select --install), or without"
    " being root: pip install ziglang"
)


def choose_folder() -> Path:
    """Where compiled models are kept: sasmodels' folder, or a private one where that cannot be written to."""
    # ``SAS_DLL_PATH`` says so to sasmodels and to processes that are started from here, as ``CC`` names a
    # compiler where there is no ``cc``. Without any compiler, nothing but what is compiled already is of use.
    compiles = _choose_compiler()
    folder = _find_folder()
    reason = _unwritable(folder)
    if reason is None or not compiles:
        return folder
    private = _private()
    logging.getLogger("sasnet_plugin").warning(
        "%s: compiled models cannot be kept there (%s) and go into %s; set the environment"
        " variable" " SAS_DLL_PATH to use another folder.", folder, reason, private,
    )  # fmt: skip
    os.environ["SAS_DLL_PATH"] = str(private)
    return private


def check_compiler() -> None:
    """Raise SasnetError where no model can be calculated: none is compiled yet, and nothing compiles one."""
    if not _choose_compiler() and not any(_find_folder().glob("*.so")):
        command = shlex.split(os.environ.get("CC", "")) or ["cc"]
        raise SasnetError(f"{_describe_missing_compiler(command[0])}.")


def _describe_missing_compiler(compiler: str) -> str:
    if os.environ.get("CC"):
        return f"CC names a C compiler that is not there ({compiler}); unset CC, or let it name one"
    return f"sasmodels compiles its models, and there is no C compiler ({compiler}); {_ADVICE}"


def _find_folder() -> Path:
    folder_name = os.environ.get("SAS_DLL_PATH")
    return Path(folder_name or Path.home() / ".sasmodels" / "compiled_models").absolute()


def remove_compiled(folder: Path | None = None) -> list[Path]:
    """Remove what sasnet compiled into a folder (default: the user's), and empty folders. Raises SasnetError
    if something cannot be removed.
    """
    # sasnet's libraries have their checksum next to them; sasmodels' stay.
    folder, removed = folder or _find_folder(), []
    sums = list(folder.glob("*.sha256"))
    libraries = [path for path in (path_of_sum.with_suffix("") for path_of_sum in sums) if whole(path)]
    texts = [path for pattern in _TEXTS for path in folder.glob(pattern)]
    with removing(folder):
        for path in (*libraries, *sums, *folder.glob(".*.lock"), *texts):
            path.unlink(missing_ok=True)
            removed.append(path)
        remove_leftovers(folder)
        if (folder / "zig").is_dir():
            shutil.rmtree(folder / "zig")
        remove_empty(folder, *([folder.parent] if folder.parent.name == ".sasmodels" else []))
    return removed


def _unwritable(folder: Path) -> str | None:
    """Why no file can be made in a folder, which is made too; None if one can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        return "the disk is full" if shutil.disk_usage(folder).free < ROOM else None
    except OSError as error:
        return error.strerror or str(error)


def _private() -> Path:
    """A folder among the temporary files that nobody else can put a library into."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"sasnet-{user}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        ours = os.name == "nt" or (status.st_uid == user and not status.st_mode & 0o022)
        if stat.S_ISDIR(status.st_mode) and ours and _unwritable(folder) is None:
            return folder
    try:
        return Path(tempfile.mkdtemp(prefix="sasnet-"))
    except OSError as error:
        raise TechnicalError(
            "sasnet",
            f"no folder for compiled models can be written to ({error.strerror or error}); set"
            f" SAS_DLL_PATH to a folder with free space",
        ) from error


@cache
def prepare() -> Path:
    """Let sasmodels compile and load its models by this file; the folder of compiled models."""
    # An OpenCL device found at run time would make the same seed give other bytes.
    os.environ.setdefault("SAS_OPENCL", "none")
    folder = choose_folder()
    os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(folder / "zig"))
    from sasmodels import kerneldll

    kerneldll.SAS_DLL_PATH = str(folder)
    shipped = kerneldll.load_dll

    def load(source: str, model_info: Any, dtype: np.dtype[Any] = kerneldll.F64) -> Any:
        from sasmodels.generate import convert_type, tag_source

        path = Path(kerneldll.dll_path(f"{model_info.id}_{tag_source(source)}", dtype))
        if path.parent != folder or dtype != kerneldll.F64:
            return shipped(source, model_info, dtype)  # what comes compiled with SasView
        return _load_library(path, convert_type(source, dtype), model_info)

    kerneldll.load_dll = load
    return folder


def compile_library(stem: str, source: str) -> Path:
    """Compile C99 of sasnet's own if needed and return the library's path, `stem` plus a tag of its content.
    Raises TechnicalError if that fails.
    """
    tag = hashlib.sha256(source.encode()).hexdigest()[:8]
    path = prepare() / f"{stem}_{tag}{'.dll' if os.name == 'nt' else '.so'}"
    if not whole(path):
        _compile(path, source, _Named(stem), again=False)
    return path


@dataclass(frozen=True)
class _Named:
    """What `_compile` says of a library that is no model."""

    id: str
    filename: str | None = None


def _choose_compiler() -> bool:
    """Name a C compiler where there is no ``cc``, which sasmodels would call; whether there is one."""
    if os.name == "nt" or "SAS_COMPILER" in os.environ:
        return True  # sasmodels chooses, and brings one
    if command := shlex.split(os.environ.get("CC", "")):
        return shutil.which(command[0]) is not None
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None and find_spec("ziglang") is not None:
        compiler = shlex.join([sys.executable, "-P", "-m", "ziglang", "cc"])
    if compiler and compiler != "cc":
        os.environ["CC"] = compiler
    return compiler is not None


def _load_library(path: Path, source: str, info: Any) -> Any:
    """The model of a library, which is compiled where it is missing, damaged or cannot be loaded."""
    from sasmodels.kerneldll import DllModel

    for again in (False, True):
        if again or not whole(path):
            _compile(path, source, info, again=again)
        model = DllModel(str(path), info, np.dtype("d"))
        try:
            model.make_kernel([np.array([0.1])])  # only now is the library loaded
        except (OSError, AttributeError) as error:
            reason = " ".join(str(error).split())
        else:
            return model
    raise TechnicalError(
        info.id, f"its compiled library cannot be loaded, although it was compiled anew ({reason})"
    )


def _sum_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def whole(path: Path) -> bool:
    """Whether a library is there and as it was when it was compiled."""
    try:
        return _sum_of(path).read_text(encoding="ascii") == hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError):
        return False


def _compile(path: Path, source: str, info: Any, *, again: bool) -> None:
    """Compile a library unless another process has done so meanwhile, and put it in place whole."""
    from sasmodels import kerneldll

    try:
        with lock_file(path.with_name(f".{path.name}.lock")):
            if not again and whole(path):
                return
            remove_leftovers(path.parent, path.name)
            with put_in_one_step(path, ending=path.suffix) as aside:
                text = aside.with_suffix(".c")
                text.write_text(source)
                try:
                    kerneldll.compile_model(source=str(text), output=str(aside))
                finally:
                    text.unlink(missing_ok=True)
                digest = hashlib.sha256(aside.read_bytes()).hexdigest()
            with put_in_one_step(_sum_of(path)) as aside:
                aside.write_text(digest, encoding="ascii")
    except RuntimeError as error:
        _complain(info, error)
    except OSError as error:
        if not shutil.which(_compiler()):
            if path.exists() and not _sum_of(path).exists():
                return  # sasmodels' own, perhaps; no other will come
            reason = _describe_missing_compiler(_compiler())
        else:
            reason = (
                f"it cannot be compiled in {path.parent} ({error.strerror or error}); make room there, or let"
                " SAS_DLL_PATH name another folder"
            )
        raise TechnicalError(info.id, reason) from error


def _compiler() -> str:
    from sasmodels import kerneldll

    return str((getattr(kerneldll, "compiler", None) or kerneldll.CC)[0])


def _complain(info: Any, error: RuntimeError) -> None:
    """Say what a compiler said: a plugin's own error, or what is wrong with this machine."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = next((line for line in lines if "error" in line.lower()), lines[-1])
    path = Path(info.filename or info.id)
    from sasmodels.generate import MODEL_PATH

    if info.filename and path.parent != Path(MODEL_PATH) and "No space left" not in str(error):
        raise SimulationError(f"{path}: its C code does not compile ({reason}); correct it.") from error
    raise TechnicalError(info.id, f"the C compiler {_compiler()} failed ({reason})") from error
