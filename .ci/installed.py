"""The product as its users have it: README's first command on the built wheel, then its other commands.

    python3 .ci/installed.py WHEEL README.md

Everything runs in a new environment and a new home folder, from a folder that is not the checkout, and may
not write into site-packages. One line a check; the exit status is 1 if one of them failed.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

MARK = "<!-- try it -->"
#: Seconds that a command may take on a machine that has other things to do.
PATIENCE = 600
#: Takes root's right to write where file modes forbid it, so that they hold for root as for everyone.
BOUND = ("setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override")
#: `fit` from a script without a main guard, as beginners and notebooks write it.
SCRIPT = """
import sys
import sasnet_plugin
(curve,) = sasnet_plugin.load(sys.argv[1])
result = sasnet_plugin.fit(curve, models=["sphere"], structure_factor="none", time_limit=300)
print(result.best.model, len(result.fits))
"""
#: A pattern with a rod and two side maxima of unequal strength, as a TIFF with its geometry beside it.
PATTERN = """
import sys
import fabio, numpy as np
phi, alpha = np.linspace(-1.05, 1.05, 240), np.linspace(0.02, 2.18, 200)
peak = lambda at, width: np.exp(-0.5 * ((phi - at) / width) ** 2)
across = 50 * peak(0, 0.03) + 2 * peak(0.25, 0.04) + peak(-0.5, 0.04) + 0.05
clean = np.outer(np.exp(-alpha / 0.5), across)
counts = np.random.default_rng(0).poisson(1e6 * clean / clean.sum())
fabio.tifimage.TifImage(data=counts.astype(np.int32)).write(sys.argv[1])
"""
GEOMETRY = """
wavelength = 1.34
alpha_i = 0.16
phi = [-1.05, 1.05]
alpha_f = [0.02, 2.18]
up = "bottom"
"""


class Failed(Exception):
    """A check did not hold; says what was seen."""


def main() -> int:
    wheel, readme = (Path(argument).resolve() for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        installed = Installed(Path(folder).resolve(), wheel)
        installed.check("README's first command", lambda: installed.first_command(readme))
        if not installed.failed:
            installed.check("gisas extra", lambda: installed.pip(f"{wheel}[gisas]"))
            with installed.read_only() as holds:
                print(
                    f"   site-packages is read-only{'' if holds else ' by its modes, which do not hold here'}"
                )
                for name, check in (
                    ("fit", installed.fit),
                    ("batch", installed.batch),
                    ("bumps", installed.bumps),
                    ("serve", installed.serve),
                    ("sasview", installed.sasview),
                    ("classify GISAS", installed.classify_pattern),
                    ("script without main guard", installed.script),
                ):
                    installed.check(name, check)
            installed.check("site-packages as it was", installed.unchanged)
    print(
        f"installed: {'failed: ' + ', '.join(installed.failed) if installed.failed else 'all checks passed'}"
    )
    return bool(installed.failed)


class Installed:
    """An environment with the wheel, a home folder and a working folder.

    Parameters
    ----------
    folder : Path
        Empty; for all of them.
    wheel : Path
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.wheel, self.failed = wheel, list[str]()
        self.there, self.home, self.work = folder / "there", folder / "home", folder / "work"
        for each in (self.there, self.home, self.work):
            each.mkdir()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "XDG_", "SASNET_"))}
        kept.pop("VIRTUAL_ENV", None)
        places = {"HOME": str(self.home), "TMPDIR": str(self.home)}
        # Nothing may be written beside what is installed: modules are compiled elsewhere, once imported.
        kept |= {"PIP_COMPILE": "0", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
        # pip's cache is the user's: nothing is fetched twice.
        self.fetching = {**kept, "PYTHONWARNINGS": "ignore"}
        self.environment = {**kept, **places, "SAS_OPENCL": "none", "MPLBACKEND": "Agg"}
        self.prefix: Sequence[str] = ()
        self.site = self.data = Path()
        self.before: dict[str, tuple[int, int]] = {}

    def check(self, name: str, what: Callable[[], str]) -> None:
        """Print one line."""
        began = time.monotonic()
        try:
            said = what()
        except (Failed, OSError, LookupError, ValueError, subprocess.SubprocessError) as error:
            self.failed.append(name)
            print(f"-- {name}: FAILED: {type(error).__name__}: {error}", flush=True)
        else:
            print(f"ok {name}: {said} ({time.monotonic() - began:.0f} s)", flush=True)

    def first_command(self, readme: Path) -> str:
        """README's command, with the wheel in the place of the checkout."""
        command = readme.read_text(encoding="utf-8").partition(MARK)[2].split("```")[1]
        command = command.removeprefix("bash").strip()
        if command.count("pip install .") != 1:
            raise Failed(f"{MARK} in {readme.name} is followed by no command with 'pip install .'")
        command = command.replace("pip install .", f"pip install --quiet '{self.wheel}'")
        out = self._run(["bash", "-euo", "pipefail", "-c", command], self.there, self.fetching)
        ask = "import sasnet_plugin, sasdata; print(sasnet_plugin.__file__); print(sasdata.__file__)"
        ours, theirs = self._run([self._bin("python"), "-c", ask]).split()
        self.site, self.data = Path(ours).parent.parent, Path(theirs).parent / "example_data" / "1d_data"
        version = self._run([self._bin("python"), "--version"]).strip()
        return f"{version}; {next(line for line in out.splitlines() if '%' in line).strip()}"

    def pip(self, what: str) -> str:
        """Install more into the environment."""
        self._run([self._bin("pip"), "install", "--quiet", what], self.there, self.fetching)
        return what.rpartition("/")[2]

    @contextmanager
    def read_only(self) -> Iterator[bool]:
        """Take the right to write into site-packages away; True where that binds."""
        self.before = self._files()
        paths = [self.site, *(path for path in self.site.rglob("*") if not path.is_symlink())]
        for path in paths:
            path.chmod(path.stat().st_mode & ~0o222)
        if os.name == "posix" and os.geteuid() == 0 and shutil.which(BOUND[0]):
            self.prefix = BOUND
        write = f"open({str(self.site / 'written')!r}, 'w')"
        try:
            tried = subprocess.run([*self.prefix, self._bin("python"), "-c", write], capture_output=True)
            yield b"PermissionError" in tried.stderr
        finally:
            (self.site / "written").unlink(missing_ok=True)
            for path in paths:
                path.chmod(path.stat().st_mode | 0o200)

    def unchanged(self) -> str:
        """No file of site-packages is new, gone or another."""
        after = self._files()
        changed = [
            name for name in self.before.keys() | after.keys() if self.before.get(name) != after.get(name)
        ]
        if changed:
            raise Failed(f"{len(changed)} files have changed, such as {min(changed)}")
        return f"{len(after)} files"

    def _files(self) -> dict[str, tuple[int, int]]:
        found = ((path, path.stat()) for path in self.site.rglob("*") if path.is_file())
        return {str(path): (stat.st_size, stat.st_mtime_ns) for path, stat in found}

    def fit(self) -> str:
        """``sasnet fit`` with its report, of whatever models it chooses."""
        out = self._sasnet("fit", self._spheres, "--json", "--time-limit", "300", "--report", "pages")
        best = json.loads(out)["fits"][0]
        (page,) = (self.work / "pages").rglob("*.html")
        if "<svg" not in page.read_text(encoding="utf-8"):
            raise Failed(f"{page.name} shows no figure")
        return f"{best['model']}, reduced chi2 {best['reduced_chisq']:.2f}, and its page"

    def batch(self) -> str:
        """``sasnet batch`` of two files."""
        files = [self._spheres, shutil.copy(self._spheres, self.work / "again.txt")]
        options = ("--models", "sphere,ellipsoid", "--structure-factor", "none", "--time-limit", "300")
        self._sasnet("batch", *map(str, files), "--out", "results.h5", *options)
        rows = (self.work / "results.csv").read_text(encoding="utf-8").splitlines()
        if len(rows) != 3:
            raise Failed(f"{len(rows) - 1} rows")
        return "2 rows"

    def bumps(self) -> str:
        """``sasnet bumps``: its page answers, and Ctrl-C ends it."""
        command = [self._bin("sasnet"), "bumps", self._spheres, "--no-browser", "--models", "sphere"]
        command += ["--structure-factor", "none", "--time-limit", "120"]
        with self._started(command, start_new_session=True) as process:
            printed = ""
            for line in process.stdout:
                printed += line
                if found := re.search(r"http://\S+", line):
                    break
            else:
                raise Failed(printed + process.stderr.read())
            with urlopen(found[0], timeout=60) as answer:
                page = answer.read().decode()
            if "<html" not in page.lower():
                raise Failed(f"{found[0]} answers {page[:80]!r}")
            os.killpg(process.pid, signal.SIGINT)
            _, errors = process.communicate(timeout=60)
            if process.returncode != 0:
                raise Failed(f"ended with {process.returncode}: {errors[-500:]}")
        return f"its page has {len(page)} characters"

    def serve(self) -> str:
        """``sasnet serve``: a curve is classified and fitted."""
        q = [0.004 * 1.03**k for k in range(130)]
        curve = {"name": "sphere", "q": q, "intensity": [_sphere(each) for each in q]}
        events = self._served(
            [self._bin("sasnet"), "serve"],
            {"id": 1, "do": "suggest", "curve": curve, "top": 1},
            {
                "id": 2,
                "do": "fit",
                "curve": curve,
                "models": ["sphere"],
                "structure_factor": "none",
                "time_limit": 300,
            },
        )
        fits = events[2]["fit"]["fits"]
        return f"suggests {events[1]['models'][0]['model']}, fits {fits[0]['model']}"

    def sasview(self) -> str:
        """``sasnet sasview --install``: the command written for SasView answers, and is removed."""
        self._sasnet("sasview", "--install")
        (dropin,) = self.home.rglob("sasnet_suggest.py")
        text = dropin.read_text(encoding="utf-8")
        record = ast.literal_eval(re.search(r"^RECORD = (.*)$", text, re.MULTILINE)[1])
        if not Path(record["folder"], "start.py").is_file():
            raise Failed(f"{record['folder']} does not hold the code for SasView")
        events = self._served(record["command"], {"id": 1, "do": "hello"})
        self._sasnet("sasview", "--uninstall")
        if dropin.exists():
            raise Failed(f"{dropin.name} is still there")
        return f"hello from {events[1]['version']}, removed"

    def classify_pattern(self) -> str:
        """``sasnet classify`` of a TIFF."""
        self._run([self._bin("python"), "-c", PATTERN, "film.tif"])
        (self.work / "film.toml").write_text(GEOMETRY, encoding="utf-8")
        answer = json.loads(self._sasnet("classify", "film.tif", "--json"))
        total = sum(answer["distribution"]["p"])
        if abs(total - 1) > 1e-3:
            raise Failed(f"p adds up to {total}")
        return f"p of {len(answer['distribution']['p'])} angles, in_scope {answer['in_scope']:.2f}"

    def script(self) -> str:
        """`fit` in a file that is run as it is."""
        (self.work / "script.py").write_text(SCRIPT, encoding="utf-8")
        return self._run([self._bin("python"), "script.py", self._spheres]).strip()

    @property
    def _spheres(self) -> str:
        """A file that a sphere fits: nothing else is looked for."""
        return str(self.data / "sphere_80.txt")

    def _bin(self, name: str) -> str:
        return str(self.there / ".venv" / "bin" / name)

    def _sasnet(self, *arguments: str) -> str:
        return self._run([self._bin("sasnet"), *arguments])

    def _run(
        self, command: Sequence[str], where: Path | None = None, environment: dict[str, str] | None = None
    ) -> str:
        done = subprocess.run(
            [*self.prefix, *command], cwd=where or self.work, env=environment or self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        if done.returncode:
            raise Failed(f"exit status {done.returncode}: {(done.stderr or done.stdout)[-1500:].strip()}")
        return done.stdout

    @contextmanager
    def _started(self, command: Sequence[str], **more: bool) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [*self.prefix, *command], cwd=self.work, env=self.environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()

    def _served(self, command: Sequence[str], *requests: dict) -> dict[int, dict]:
        """Results of requests, by their number."""
        lines = "".join(json.dumps(each) + "\n" for each in requests)
        results: dict[int, dict] = {}
        with self._started(command) as process:
            process.stdin.write(lines)
            process.stdin.flush()
            for line in process.stdout:
                event = json.loads(line)
                if event["event"] == "error":
                    raise Failed(event["text"])
                if event["event"] == "done":
                    results[event["id"]] = event["result"]
                if len(results) == len(requests):
                    break
            else:
                raise Failed(process.stderr.read()[-1500:])
            process.stdin.close()
            if process.wait(timeout=60):
                raise Failed(f"ended with {process.returncode}")
        return results


def _sphere(q: float, radius: float = 60.0) -> float:
    """Scattering of a sphere of radius 60 Å, cm⁻¹."""
    from math import cos, sin

    x = q * radius
    return 10 * (3 * (sin(x) - x * cos(x)) / x**3) ** 2 + 0.01


if __name__ == "__main__":
    # In the background of a shell SIGINT is ignored, and children would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
