"""What a user types first into a file of his own: load, fit, print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sasnet_plugin

curve = sasnet_plugin.load({file!r})[0]
result = sasnet_plugin.fit(curve, models=["sphere"], structure_factor="none", time_limit=60)
print("radius", round(result.best.parameters["radius"].value), result.verified)
"""


def test_a_script_without_a_main_guard_fits(tmp_path: Path, example_data: Path) -> None:
    """Processes that fit must not run the script again, which would fit in each of them."""
    script = tmp_path / "fit_it.py"
    script.write_text(SCRIPT.format(file=str(example_data / "sphere_80.txt")))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "radius 80 True\n"
    assert "Error" not in done.stderr
