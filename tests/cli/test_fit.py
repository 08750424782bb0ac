"""``sasnet fit`` from the outside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from made_results import SPHERE, answer, fitted, p
from typer.testing import CliRunner

from sasnet_plugin.cli.fit import print_result
from sasnet_plugin.cli.main import app
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.fitting.verdict.tell import add_verdict
from sasnet_plugin.simulate.kernel import call

#: One process where one does: each that is started imports all that fits.
ALONE = ("--workers", 1)


@pytest.fixture
def sphere(tmp_path: Path) -> Path:
    q = np.geomspace(0.005, 0.3, 80)
    exact = call("sphere", q, {"radius": 70.0}).intensity + 0.01
    sigma = 0.02 * exact
    noisy = exact + sigma * np.random.default_rng(1).standard_normal(q.size)
    path = tmp_path / "sphere.dat"
    np.savetxt(path, np.column_stack([q, noisy, sigma]), header="q I dI")
    return path


def _run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["fit", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_json_holds_what_is_promised(sphere: Path) -> None:
    code, out, _ = _run("--json", "--models", "sphere,vesicle", sphere)
    assert code == 0
    found = json.loads(out)
    assert set(found) == {
        "file", "entry", "q_unit", "headline", "caution", "next", "verdict", "purpose", "cautions",
        "doubt", "doubts", "best",
        "fits", "verified", "model_free", "verification", "notes", "limit_met", "unfitted", "unfinished",
        "intensity_unit",
    }  # fmt: skip
    assert set(found["verification"]) == {
        "chisq_quantile", "runs", "worst_q", "twins", "systematic_error", "misfit",
    }  # fmt: skip
    assert 0 <= found["verification"]["twins"]["taken"] <= found["verification"]["twins"]["count"]
    assert found["file"] == str(sphere)
    assert found["verified"] is True
    assert found["verdict"].startswith("explains")
    assert found["headline"].startswith("Best fit: sphere")
    assert found["next"].startswith(f"sasnet fit {sphere} --models sphere,vesicle")
    assert " ± " in found["headline"]
    assert sum(f["weight"] for f in found["fits"]) == pytest.approx(1.0)
    weights = [f["weight"] for f in found["fits"]]
    assert weights == sorted(weights, reverse=True)
    best = next(f for f in found["fits"] if f["model"] == "sphere" and f["structure_factor"] is None)
    radius = best["parameters"]["radius"]
    assert abs(radius["value"] - 70.0) < 4 * radius["error"]
    assert radius["unit"] == "Ang"
    assert radius["fixed"] is False
    assert best["parameters"]["sld"]["fixed"] is True
    assert best["reduced_chisq"] < 1.5


def test_a_table_for_people_and_a_bad_file_beside_it(sphere: Path, tmp_path: Path) -> None:
    prose = tmp_path / "letter.txt"
    prose.write_text("Dear colleague, the beam was down all night.\n", encoding="utf-8")
    code, out, err = _run("--models", "sphere", prose, sphere)
    assert code == 1
    assert "sphere" in out
    assert "radius" in out
    assert "letter.txt" in err
    assert "Traceback" not in err


def test_data_without_uncertainties_are_fitted_with_a_note(sphere: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.dat"
    np.savetxt(bare, np.loadtxt(sphere)[:, :2])
    code, out, _ = _run(*ALONE, "--json", "--models", "sphere", bare)
    assert code == 0
    assert any("estimated" in note for note in json.loads(out)["notes"])


def test_report_and_exports_are_written(sphere: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, text, _ = _run(*ALONE, "--models", "sphere", "--report", out, "--export", out, sphere)
    assert code == 0
    ends = {path.name.partition(".")[2] for path in out.iterdir()}
    assert ends == {"html", "sasview.json", "parameters.txt", "bumps.py", "session.h5", "nxcansas.h5"}
    assert all(str(path) in text.replace("\n", "") for path in out.iterdir())
    project, script = (next(out.glob(f"*.{end}")) for end in ("sasview.json", "bumps.py"))
    opening = f"Open: {project} in SasView (File, Open Project), or the fit in Bumps with bumps {script}"
    assert opening in text.splitlines()


def test_details_say_which_errors_to_quote_and_ask_for_no_details_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = fitted("fuzzy_sphere", radius=p(74.0, 0.2), weight=0.4)
    result = answer(SPHERE, other, alike=("fuzzy_sphere",))
    options = FitOptions(also={"--report": "out", "--export": "mine"})
    result = add_verdict(result, options)
    assert result.verdict.next.endswith(" --details")
    print_result(result)
    assert "Next: " in capsys.readouterr().out
    print_result(result, details=True)
    details = capsys.readouterr().out
    assert "Next: " not in details
    lines = details.splitlines()
    (quoted,) = (
        i for i, line in enumerate(lines) if line.startswith("These errors are of this model alone.")
    )
    assert lines[quoted - 1].startswith("sphere: ")
    print_result(add_verdict(answer(), options), details=True)
    assert "These errors are" not in capsys.readouterr().out


def test_the_answer_has_three_lines_and_the_rest_on_demand(sphere: Path, tmp_path: Path) -> None:
    fitted = ("--models", "sphere", "--structure-factor", "none", "--workers", 1, "--q-range", "0.006:")
    table, plot = tmp_path / "a.csv", tmp_path / "a.png"
    code, out, _ = _run(*fitted, "--csv", table, "--plot", plot, sphere)
    assert code == 0
    head, following = out.splitlines()
    assert re.match(r"Best fit: spheres, radius (69\.9|70\.0)\d* ± 0\.[01]\d* Å", head)
    assert following.startswith(f"Next: sasnet fit {sphere} --models sphere")
    assert f"--q-range 0.006: --plot {plot} --csv {table} --report pages" in following
    assert head in table.read_text(encoding="utf-8").replace('"', "")
    assert plot.read_bytes().startswith(b"\x89PNG")
    _, full, _ = _run(*fitted, "--details", sphere)
    assert full.startswith(f"{head}\n")
    assert "χ²/dof" in full
    assert "of the simulated measurements of this fit have a larger χ²" in full
    _, brief, _ = _run(*fitted, "--quiet", sphere)
    assert brief.splitlines() == [head]


def test_excluded_models_are_not_fitted(sphere: Path) -> None:
    code, out, _ = _run(*ALONE, "--json", "--models", "sphere,vesicle", "--exclude", "vesicle", sphere)
    assert code == 0
    assert {fit["model"] for fit in json.loads(out)["fits"]} == {"sphere"}
    code, _, err = _run("--exclude", "spheer", sphere)
    assert code in (1, 2)
    assert "sphere" in err


def test_sample_and_solvent_settle_the_contrast(sphere: Path) -> None:
    code, out, _ = _run(
        *ALONE, "--json", "--models", "sphere", "--sample", "SiO2@2.2", "--solvent", "D2O", sphere
    )
    assert code == 0
    found = json.loads(out)
    parameters = found["fits"][0]["parameters"]
    assert parameters["sld"]["value"] == pytest.approx(3.47, abs=0.01)
    assert parameters["sld_solvent"]["value"] == pytest.approx(6.37, abs=0.02)
    assert parameters["sld"]["fixed"]
    assert any("SiO2@2.2 3.47, D2O 6.36" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--sample", "SiO2"), "density"),
        (("--solvent", "Xx2@1"), "neither a chemical formula"),
        (("--solvent", "H2O", "--probe", "xray"), "--wavelength"),
        (("--solvent", "H2O", "--probe", "light"), "neutron or xray"),
        (("--method", "annealing"), "use lm, amoeba, de, dream"),
        (("--samples", "100"), "these options need --method dream"),
        (("--method", "de", "--burn", "5"), "these options need --method dream"),
        (("--method", "dream", "--samples", "0"), "--samples"),
    ],
)
def test_materials_and_methods_that_do_not_exist_are_wrong_usage(
    sphere: Path, arguments: tuple[str, ...], words: str
) -> None:
    code, out, err = _run(*arguments, sphere)
    assert code == 2
    assert out == ""
    assert words in " ".join(err.split())
    assert "Traceback" not in err


def test_dream_shows_credible_intervals(sphere: Path, tmp_path: Path) -> None:
    few = ("--method", "dream", "--samples", 2000, "--burn", 40, "--time-limit", 120)
    shown = ("--details", "--report", tmp_path / "pages")
    code, out, _ = _run(*ALONE, "--models", "sphere", "--structure-factor", "none", *few, *shown, sphere)
    assert code == 0
    assert "(95 %: " in out
    (written,) = (tmp_path / "pages").iterdir()
    assert "Posterior of the best fit" in written.read_text(encoding="utf-8")
