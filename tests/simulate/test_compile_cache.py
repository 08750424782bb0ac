"""Models are compiled whole or not at all, by one process at a time, and again where a library is damaged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sasmodels import kerneldll
from sasmodels.core import load_model_info
from sasmodels.direct_model import call_kernel
from sasmodels.generate import make_source

from sasnet_plugin.simulate import compile_cache
from sasnet_plugin.simulate.compile_cache import _load_library, choose_folder, whole
from sasnet_plugin.types import SimulationError, TechnicalError


def intensity(path: Path, info: Any = None) -> float:
    """I(q) of a sphere by a library that is at this path, or is made there: q R = 5."""
    info = info or load_model_info("sphere")
    model = _load_library(path, make_source(info)["dll"], info)
    kernel = model.make_kernel([np.array([0.1])])
    return float(call_kernel(kernel, {"radius": 50.0, "sld": 6.0, "sld_solvent": 1.0, "background": 0.0})[0])


#: 1e-4 V (Δρ 3 (sin x - x cos x)/x³)² with x = q R (A. Guinier and G. Fournet, 1955), cm⁻¹.
EXACT = 1e-4 * 4 / 3 * np.pi * 50**3 * (5 * 3 * (np.sin(5) - 5 * np.cos(5)) / 5**3) ** 2


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cache") / "sphere.so"
    assert intensity(path) == pytest.approx(EXACT)
    return path


@pytest.fixture
def library(compiled: Path, tmp_path: Path) -> Path:
    """A compiled library with its checksum, at a place of its own."""
    for name in (compiled.name, compiled.name + ".sha256"):
        (tmp_path / name).write_bytes((compiled.parent / name).read_bytes())
    return tmp_path / compiled.name


def test_uninstalling_leaves_nothing_of_sasnet_and_all_that_is_not_its_own(tmp_path: Path) -> None:
    """After a model with the C code of sasmodels, one with sasnet's own, and a library of sasmodels' own."""
    folder = tmp_path / ".sasmodels" / "compiled_models"
    environment = {k: v for k, v in os.environ.items() if k != "SAS_DLL_PATH"} | {"HOME": str(tmp_path)}

    def run(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], check=True, timeout=300, env=environment)

    compiles = (
        "from sasnet_plugin.simulate.quick_models.quick import quick_model;"
        "from sasnet_plugin.simulate.kernel import load_model;"
        "load_model('sphere'); quick_model('cylinder'); quick_model('fcc_paracrystal')"
    )
    removes = "from sasnet_plugin.simulate.compile_cache import remove_compiled; remove_compiled()"
    run(compiles)
    assert {path.suffix for path in folder.iterdir()} >= {".so", ".sha256", ".c"}
    theirs = folder / "sas64_theirs.so"
    theirs.write_bytes(b"compiled by sasmodels")
    run(removes)
    assert list(folder.iterdir()) == [theirs]
    theirs.unlink()
    run(removes)
    assert not folder.parent.exists()


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "without its sum"])
def test_a_damaged_library_is_compiled_again(library: Path, damage: str) -> None:
    content = bytearray(library.read_bytes())
    assert whole(library)
    if damage == "flipped":
        content[len(content) // 3] ^= 8
    if damage == "without its sum":  # of sasmodels, killed while it compiled
        library.with_name(library.name + ".sha256").unlink()
    kept = {"empty": 0, "flipped": None}.get(damage, len(content) // 2)
    library.write_bytes(content[:kept])
    assert not whole(library)
    assert intensity(library) == pytest.approx(EXACT)
    assert whole(library)


def test_a_library_that_does_not_load_is_compiled_again(library: Path) -> None:
    library.write_bytes(b"of another machine")
    import hashlib

    library.with_name(library.name + ".sha256").write_text(hashlib.sha256(b"of another machine").hexdigest())
    assert intensity(library) == pytest.approx(EXACT)


def test_many_at_once_compile_once_and_find_it_whole(tmp_path: Path) -> None:
    code = (
        "from sasnet_plugin.simulate import kernel; import numpy as np\n"
        "print(kernel.call('sphere', np.array([0.1]),"
        " {'radius': 50.0, 'sld': 6.0, 'sld_solvent': 1.0}).intensity[0])"
    )
    compiler, calls = tmp_path / "slow-cc", tmp_path / "calls"
    compiler.write_text(  # half of the library is there long before the other half
        f"#!/bin/sh\necho >> {calls}\nfor each; do case $before in -o) out=$each;; esac; before=$each; done\n"
        'printf half > $out; sleep 1; exec cc "$@"\n'
    )
    compiler.chmod(0o755)
    folder = tmp_path / ".sasmodels" / "compiled_models"
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]))
    environment = {k: v for k, v in os.environ.items() if k != "SAS_DLL_PATH"}
    environment |= {"PYTHONPATH": path, "HOME": str(tmp_path), "CC": str(compiler)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, text=True, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]  # fmt: skip
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [float(each) for each in said] == pytest.approx([EXACT] * 3)
    assert len(calls.read_text().splitlines()) == 1
    assert sorted(p.suffix for p in folder.glob("[!.]*")) == [".sha256", ".so"]
    assert not list(folder.glob("*tmp*"))


def test_a_home_that_cannot_be_written_to_is_said_and_a_private_folder_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "closed").write_text("no folder")
    monkeypatch.setenv("SAS_DLL_PATH", str(tmp_path / "closed"))
    monkeypatch.setattr(compile_cache.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = choose_folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    assert choose_folder() == folder
    assert len(caplog.messages) == 1
    assert "closed: compiled models cannot be kept there" in caplog.messages[0]
    # Where somebody else may write, or a link leads, no library is loaded from.
    monkeypatch.setenv("SAS_DLL_PATH", str(tmp_path / "closed"))
    folder.chmod(0o777)
    other = choose_folder()
    assert other != folder
    assert other.stat().st_mode & 0o777 == 0o700
    other.rmdir()


def test_without_a_compiler_the_sentence_says_so(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kerneldll, "compiler", ["no-such-cc"])
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(TechnicalError, match=r"there is no C compiler \(no-such-cc\).*pip install ziglang"):
        intensity(library.with_name("other.so"))
    monkeypatch.setenv("CC", "no-such-cc -O2")  # no other is looked for
    with pytest.raises(TechnicalError, match=r"not there \(no-such-cc\); unset CC, or let it name one\.$"):
        intensity(library.with_name("other.so"))
    # What sasmodels has compiled before is used.
    library.with_name(library.name + ".sha256").unlink()
    assert intensity(library) == pytest.approx(EXACT)


def test_ziglangs_compiler_is_taken_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "")
    monkeypatch.setattr(compile_cache.shutil, "which", lambda name: None)
    monkeypatch.setattr(compile_cache, "find_spec", lambda name: None)
    assert not compile_cache._choose_compiler()
    monkeypatch.setattr(compile_cache, "find_spec", lambda name: object())
    assert compile_cache._choose_compiler()
    assert os.environ["CC"].endswith(" -m ziglang cc")


def test_a_compiler_that_fails_and_a_plugin_that_is_wrong_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        'name = "mine"\ntitle = "t"\ndescription = "d"\ncategory = "c"\n'
        'parameters = [["radius", "Ang", 50.0, [0, 1e3], "volume", ""]]\nIq = "return wrong;"\n'
    )
    info = load_model_info(str(plugin))
    with pytest.raises(SimulationError, match=r"mine\.py: its C code does not compile \(.*wrong"):
        intensity(tmp_path / "mine.so", info)
    monkeypatch.setattr(kerneldll, "compiler", ["false"])
    with pytest.raises(TechnicalError, match="sphere: the C compiler false failed"):
        intensity(tmp_path / "sphere.so")
