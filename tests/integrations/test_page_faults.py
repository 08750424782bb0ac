"""Faults that users of the page met: backgrounds, sliders, answers of batches, average of an image, tags."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from child import PATIENCE
from imagefiles import lattice, rods
from pages import NewPage
from webpages import Server, opened, opened_curve, spheres, until


def in_counts(folder: Path) -> None:
    """Spheres whose file says that I is in counts."""
    path = spheres(folder, "counted.dat")
    path.write_text(path.read_text().replace("I(1/cm)", "I(counts)"), encoding="utf-8")


def without_a_unit(folder: Path, name: str = "nm.dat") -> None:
    """Spheres over q in nm⁻¹, whose file names no unit."""
    q, intensity, error = np.loadtxt(spheres(folder, name), unpack=True)
    np.savetxt(folder / name, np.c_[10 * q, intensity, error], header="q I dI")


def measured_later(folder: Path) -> None:
    """Spheres as of `spheres`, at half of its points."""
    points = np.loadtxt(spheres(folder, "later.dat"))[::2]
    np.savetxt(folder / "later.dat", points, header="q(1/A) I(1/cm) dI(1/cm)")


def against_a_position(folder: Path) -> None:
    """A table that is no scattering curve, and no image."""
    place = np.linspace(1, 80, 80)
    np.savetxt(folder / "position.dat", np.c_[place, place**2, place], header="x(mm) I dI")


def just_below_a_decade(folder: Path) -> None:
    """Curves for which the page's axis of I begins just below 0.01, 0.1 and 1, see `heights` in figure.js."""
    q = np.geomspace(0.005, 0.3, 80)
    shape = 1 / (1 + (q * 60) ** 4)
    for lowest in (0.00986, 0.0986, 0.99):
        intensity = 2 * lowest * shape / shape.min()
        table = np.c_[q, intensity, 0.03 * intensity]
        np.savetxt(folder / f"from_{lowest}.dat", table, header="q(1/A) I(1/cm) dI(1/cm)")


def guinier_only(folder: Path) -> None:
    """Small spheres at low q: their Guinier plateau is level, and no background."""
    q = np.geomspace(0.003, 0.08, 80)
    intensity = 10 * np.exp(-((q * 20) ** 2) / 3)
    noise = np.random.default_rng(3).standard_normal(q.size)
    table = np.c_[q, intensity * (1 + 0.01 * noise), 0.01 * intensity]
    np.savetxt(folder / "low_q.dat", table, header="q(1/A) I(1/cm) dI(1/cm)")


def isotropic_image(folder: Path) -> None:
    """A SANS image of spheres of 60 Å about its middle, with its geometry beside it."""
    across = 2 * np.pi / 6 * 5.3 / 4000 * (np.arange(128) - 63.5)
    z = 60.0 * np.hypot(*np.meshgrid(across, across))
    form = (3 * (np.sin(z) - z * np.cos(z)) / z**3) ** 2
    np.save(folder / "isotropic.npy", np.random.default_rng(2).poisson(2000 * form + 10))
    (folder / "isotropic.toml").write_text(
        "wavelength = 6\ndistance = 4000\npixel_size = 5.3\ndirect_beam = [63.5, 63.5]\n", encoding="utf-8"
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    folder = data / "runs"
    spheres(folder)
    guinier_only(folder)
    isotropic_image(folder)
    in_counts(folder)
    just_below_a_decade(folder)
    against_a_position(folder)
    without_a_unit(folder)
    without_a_unit(folder, "kept_nm.dat")
    spheres(folder, "fixed.dat")
    spheres(folder, "passing.dat")
    spheres(folder, "limits.dat")  # without the fits of the former
    spheres(folder, "moved.dat")
    spheres(folder, "planned.dat")  # a curve of its own: the page opens a fit before a batch's answer
    measured_later(folder)
    found = Server(data / "work", folder)
    yield found
    found.end()


def test_the_guinier_plateau_is_no_background(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address), "low_q.dat")
    assert float(page.evaluate("document.querySelector('#plot').dataset.flat")) < 1.0, "I(0) is 10"


def test_the_background_at_high_q_is_subtracted(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address))
    flat = float(page.evaluate("document.querySelector('#plot').dataset.flat"))
    assert flat == pytest.approx(0.05, rel=0.1)


def test_parameters_lie_above_the_fold_with_long_sliders(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address, viewport={"width": 1280, "height": 800}))
    boxes = page.evaluate(
        "[...document.querySelectorAll('#parameters input[type=range]')]"
        ".map((e) => e.getBoundingClientRect()).map((b) => [b.width, b.bottom, b.right])"
    )
    assert len(boxes) >= 5
    assert all(width >= 160 and bottom <= 800 and right <= 1280 for width, bottom, right in boxes)
    top = float(page.input_value("[aria-label='background, upper limit']"))
    assert top < 1, "a background is about as high as the lowest intensities"


def test_on_a_phone_sliders_are_long_and_nothing_is_cut_off(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address, viewport={"width": 390, "height": 844}))
    widths = page.evaluate(
        "[...document.querySelectorAll('#parameters input[type=range]')].map((e) => e.clientWidth)"
    )
    assert all(width >= 160 for width in widths)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("#to-files")
    place = page.evaluate(
        "[document.getElementById('list')]"
        ".flatMap((e) => [e.scrollWidth, e.clientWidth, getComputedStyle(e).overflowX])"
    )
    assert place[0] <= place[1] or place[2] == "auto", "columns that do not fit are scrolled to"


@pytest.mark.parametrize("wide", [1280, 390])
def test_a_product_has_choices_for_its_modes_and_no_slider_without_effect(
    server: Server, new_page: NewPage, wide: int
) -> None:
    page = opened_curve(new_page(server.address, viewport={"width": wide, "height": 800}))
    page.select_option("#model", "sphere")
    until(page, "document.querySelector('[aria-label=\"radius, slider\"]')")
    page.select_option("#factor", "hardsphere")
    until(page, "document.querySelector('[aria-label=\"volfraction, slider\"]')")
    mode = "[aria-label=radius_effective_mode]"
    assert page.evaluate(f"document.querySelector('{mode}').tagName") == "SELECT"
    effective = "[aria-label='radius_effective, value']"
    assert page.is_hidden(effective), "it is calculated from the radius"
    page.select_option(mode, label="unconstrained")
    assert page.is_visible(effective)
    widths = page.evaluate(
        "[...document.querySelectorAll('#parameters')].map((e) => [e.scrollWidth, e.clientWidth])"
    )
    assert all(whole <= seen for whole, seen in widths), "nothing is scrolled to"
    page.fill("[aria-label='scale, value']", "0.000123456")
    page.press("[aria-label='scale, value']", "Tab")
    until(page, "document.getElementById('means').textContent.includes('your values')")
    cut_off = page.evaluate(
        "[...document.querySelectorAll('#parameters input[type=text]')]"
        ".filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.value)"
    )
    assert cut_off == []


def test_values_that_were_moved_leave_no_verdict_and_lines_have_a_legend(
    server: Server, new_page: NewPage
) -> None:
    page = opened_curve(new_page(server.address), "moved.dat")
    page.select_option("#model", "sphere")
    until(page, "document.querySelector('[aria-label=\"radius_pd, slider\"]')")
    page.click("#refit")
    page.wait_for_selector("#said.yes, #said.doubts", timeout=1000 * PATIENCE)
    fitted = page.text_content("#said .headline")
    page.fill("[aria-label='radius, value']", "150")
    page.press("[aria-label='radius, value']", "Tab")
    page.wait_for_selector("#said .headline:has-text('Not fitted: sphere at your values, mean squared')")
    assert page.get_attribute("#said", "class") == "", "neither green nor yellow"
    assert not page.query_selector("#history [aria-pressed=true]")
    page.click("#history label:has-text('compare')")
    page.wait_for_selector("#plot .legend:has-text('fit 1')")
    assert "data" in page.text_content("#plot .legend")
    assert "sphere, your values, not fitted" in page.text_content("#plot .legend")
    # Another model is none of the verdict's either.
    page.select_option("#model", "cylinder")
    page.wait_for_selector("#said .headline:has-text('Not fitted: nearest simulated curve of cylinder')")
    page.click("#back")
    page.wait_for_selector("#said.yes, #said.doubts")
    assert page.text_content("#said .headline") == fitted


def test_starting_values_are_those_of_a_sample(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address), "spheres.dat")
    for model, factor in (("core_shell_sphere", ""), ("polymer_micelle", ""), ("sphere", "hayter_msa")):
        page.select_option("#model", model)
        page.select_option("#factor", factor)
        drawn = f"{model}@{factor}," if factor else f"{model},"
        until(page, f"document.querySelector('#plot .legend')?.textContent.includes('{drawn}')")
        boxes = page.evaluate(
            "Object.fromEntries([...document.querySelectorAll('#parameters tr')].filter((e) => !e.hidden)"
            ".map((e) => [e.querySelector('th').firstChild.textContent,"
            " [...e.querySelectorAll('input[type=text]')].map((box) => Number(box.value))]))"
        )
        for name, values in boxes.items():
            if "sld" in name:
                assert -1 <= values[0] <= 10, name
            if name.startswith(("radius", "thickness")) and not name.endswith("_pd") and values:
                assert values[0] >= 1 / 0.35, name
        if factor:
            _, low, high = boxes["temperature"]
            assert 273 <= low < high <= 373, "of water"


def test_ticks_have_room_beside_their_axis(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    ticks, widths = page.evaluate("""() => {
        const ticks = [-0.000015, 0.00001, 0.25, 150, 1234567].map((value) => CurveFigure.digits(value, 3));
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = "12px system-ui";
        return [ticks, ticks.map((text) => pen.measureText(text).width)];
    }""")
    assert ticks == ["-1.5×10⁻⁵", "10⁻⁵", "0.25", "150", "1.23×10⁶"]
    assert all(width < 60 for width in widths), "of 72 pixels, less those of the tick"


def test_trends_show_errors_that_are_larger_than_the_change(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    reach = "import('/static/curves/trend.js').then((m) => m.reach({points}, 1, 1.02))"
    alike = [{"value": 1 + 0.01 * k, "error": 0.5} for k in range(3)]
    low, high = page.evaluate(reach.format(points=json.dumps(alike)))
    assert low < 0.5
    assert high > 1.52
    wild = [*alike, {"value": 1.01, "error": 1000.0}]
    low, high = page.evaluate(reach.format(points=json.dumps(wild)))
    assert low > -10, "one error does not hide all others"
    assert high < 10


def test_list_and_curve_agree_on_the_group(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    page.click("#to-files")
    row = page.wait_for_selector("tr:has-text('low_q.dat'):has(.state:has-text('classified'))")
    answer, probability = (row.query_selector(f"td:nth-child({n})").text_content() for n in (4, 5))
    opened_curve(page, "low_q.dat")
    group = page.text_content("#candidates div")
    said = page.text_content("#said")
    assert probability in said
    assert answer.partition(" ")[0] in group
    assert page.query_selector("#candidates > div:first-child .candidate[aria-pressed=true]"), (
        "a model of it is shown first"
    )
    assert ("Undecided" in said) is (float(probability.strip("<> %")) < 50)


def test_the_next_measurement_is_planned_in_words_of_the_page(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address), "planned.dat")
    page.select_option("#model", "sphere")
    until(page, "document.querySelector('[aria-label=\"radius, slider\"]')")
    page.fill("#limit", "20")
    page.check("#plan")
    page.click("#refit")
    page.wait_for_selector("#planned", timeout=150_000)
    assert page.is_visible("#planned p"), "whoever asks for a plan sees it"
    assert "--" not in page.text_content("#planned")
    assert "Export" not in page.text_content("#said"), "one next step"


def test_a_plan_takes_the_options_of_the_command_and_is_compared_after_it(
    server: Server, new_page: NewPage
) -> None:
    page = opened_curve(new_page(server.address), "planned.dat")
    page.select_option("#model", "sphere")
    until(page, "document.querySelector('[aria-label=\"radius, slider\"]')")
    page.fill("#limit", "20")
    page.check("#plan")
    page.click("#plan-options summary")
    page.fill("#plan-exchange", "sld")
    page.click("#refit")
    page.wait_for_selector("text='sld' is no part with its material", timeout=60_000)
    page.fill("#plan-exchange", "")
    page.click("#known summary")
    page.fill("#known [data-option=solvent]", "D2O")
    page.fill("#plan-solvents", "H2O")
    page.fill("#plan-parameter", "radius")
    page.fill("#plan-aim", "0.001")
    page.select_option("#plan-instrument", "reactor_sans")
    page.click("#refit")
    page.wait_for_selector("#planned img.plan", timeout=200_000)
    assert "2 m, in H2O" in page.text_content("#planned")
    assert "0.1 %" in page.text_content("#planned")
    assert page.evaluate("document.querySelector('#planned img').naturalWidth") > 500
    page.click("#to-files")
    for name in ("planned.dat", "later.dat"):
        page.check(f"[aria-label='Tick {name}']")
    page.click("#together")
    page.fill("#describe-models", "sphere")
    page.fill("#describe-limit", "20")
    page.select_option("#describe-kind", "settings")
    page.check("#describe-plan")
    page.click("#describe-fit")
    held = "/is as predicted for|plan did not hold|earlier plan held is unknown/"
    until(page, f"{held}.test(document.getElementById('planned')?.textContent)", 200)


def test_the_unit_says_that_it_is_the_files(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address))
    first = page.evaluate("document.getElementById('window').textContent")
    assert "File’s q in" in page.text_content("label:has(#unit)")
    page.select_option("#unit", "nm")
    until(page, "!document.getElementById('window').textContent.includes('0.004 to')")
    assert "q 0.0004 to 0.035 Å⁻¹" in page.text_content("#window"), "read in nm⁻¹, shown in Å⁻¹"
    page.select_option("#unit", "")
    until(page, f"document.getElementById('window').textContent === {first!r}")


def test_an_axis_that_begins_just_below_a_decade_is_drawn(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    for lowest in (0.00986, 0.0986, 0.99):
        opened_curve(page, f"from_{lowest}.dat")
        ink = "document.querySelector('#plot canvas').getContext('2d').getImageData(300, 0, 1, 400).data"
        until(page, f"[...{ink}].some((value) => value)")


@pytest.mark.parametrize(("name", "unit"), [("spheres.dat", "cm⁻¹"), ("counted.dat", "counts")])
def test_axes_and_background_have_the_unit_of_the_file(
    server: Server, new_page: NewPage, name: str, unit: str
) -> None:
    page = opened_curve(new_page(server.address), name)
    until(page, f"document.getElementById('plot').ariaLabel.startsWith('I / {unit} against')")
    assert unit in page.text_content("#parameters tr:has-text('background') th")
    page.select_option("#view", "Kratky")
    until(page, f"document.getElementById('plot').ariaLabel.startsWith('q² (I − B) / Å⁻² {unit}, B = ')")
    page.select_option("#view", "Guinier")
    until(page, "document.getElementById('plot').ariaLabel.startsWith('ln (')")
    assert f" / {unit})" in page.evaluate("document.getElementById('plot').ariaLabel")
    page.wait_for_selector("#plot .legend:has-text('Guinier’s law, Rg')")


def test_an_axis_names_a_background_only_where_one_is_subtracted(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address), "low_q.dat")
    page.select_option("#view", "Porod")
    subtracted = float(page.evaluate("document.querySelector('#plot').dataset.flat")) != 0
    begin = "q⁴ (I − B) / Å⁻⁴ cm⁻¹, B = " if subtracted else "q⁴ I / Å⁻⁴ cm⁻¹ against"
    until(page, f"document.getElementById('plot').ariaLabel.startsWith('{begin}')")


def test_a_unit_that_is_missing_is_asked_for_in_words_of_the_page(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address), "nm.dat")
    said = page.text_content("#said")
    assert "names no unit of q" in said
    assert "choose nm⁻¹ at “File’s q in”" in said
    assert "--" not in said


def test_what_cannot_be_read_is_told_in_words_of_the_page(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    page.click("#to-files")
    row = page.wait_for_selector("tr:has-text('position.dat'):has(.state:has-text('cannot be read'))")
    assert "--" not in row.text_content()
    page.click("button.open:text-is('position.dat')")
    until(page, "document.getElementById('unread-why').textContent.includes('x(mm)')")
    assert "--" not in page.text_content("#unread-why")
    assert "unit of q" in page.text_content("#unread-why")


def fit_spheres_by_batch(page: Any, file: str, unit: str = "") -> None:
    """Have a batch of one file fitted as spheres, and wait for its report."""
    page.click("#to-files")
    page.check(f"tr:has(button.open:text-is('{file}')) input[type=checkbox]")
    page.click("#batch")
    page.fill("#batch-models", "sphere")
    if unit:
        page.select_option("#batch-unit", unit)
    page.click("#batch-start")
    page.wait_for_selector("#batch-links a:has-text('Report')", timeout=150_000)


def test_a_batch_reads_q_in_the_unit_that_is_chosen_for_it(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    fit_spheres_by_batch(page, "nm.dat", unit="nm")
    opened_curve(page, "nm.dat")
    until(page, "document.getElementById('means').textContent.includes('fit of batch')")
    assert page.input_value("#unit") == "nm"
    assert "q 0.0004" not in page.text_content("#window")
    residual = page.text_content("#means").split("reduced χ² ")[1].split(".  ")[0].split(". ")[0]
    assert float(residual) < 2, "the model lies on the points"


def test_a_unit_that_is_set_on_curve_holds_wherever_the_file_is_fitted(
    server: Server, new_page: NewPage
) -> None:
    page = opened_curve(new_page(server.address), "kept_nm.dat")
    page.select_option("#unit", "nm")
    until(page, "document.getElementById('window').textContent.includes('q 0.004 to 0.35')")
    page.select_option("#model", "sphere")
    opened_curve(page, "low_q.dat")
    assert page.input_value("#unit") == ""
    opened_curve(page, "kept_nm.dat")
    assert page.input_value("#unit") == "nm", "of the file, not of the page"
    fit_spheres_by_batch(page, "kept_nm.dat")
    page.click("#to-curve")
    page.click("#history button:has-text('Batch')")
    until(page, "document.getElementById('means').textContent.includes('fit of batch')")
    assert page.input_value("#unit") == "nm"
    assert 0.5 < float(re.search(r"reduced χ² ([\d.]+\d)", page.text_content("#means"))[1]) < 2
    page.select_option("#unit", "")
    until(page, "document.getElementById('window').textContent.includes('q 0.04 to 3.5')")
    until(
        page, "document.getElementById('means').textContent.includes('not fitted')"
    )  # that was of another unit


def test_a_search_keeps_what_is_fixed_and_says_so(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address), "fixed.dat")
    with page.expect_response("**/api/evaluate"):
        page.select_option("#model", "sphere")
    page.wait_for_selector("[aria-label='sld_solvent, value']")
    assert page.text_content("#held") == ""
    page.fill("[aria-label='sld_solvent, value']", "6.35")
    page.press("[aria-label='sld_solvent, value']", "Tab")
    said = page.text_content("#held")
    assert said == "“Find the model” fixes sld_solvent = 6.35, in each model that has the parameter."
    page.fill("#limit", "10")
    page.click("#known summary")
    page.fill("#known [data-option=temperature]", "37 C")
    with page.expect_request("**/api/fits") as asked:
        page.click("#find")
    wanted = json.loads(asked.value.post_data)
    assert wanted["fixed"] == {"sld_solvent": 6.35}
    assert wanted["temperature"] == "37 C"
    page.wait_for_selector(
        "#history button:has-text('find the model with sld_solvent = 6.35')", timeout=150_000
    )
    until(page, "document.getElementById('means').textContent.includes('fit ')")
    assert_is_fixed(page)
    for unit in ("A", ""):  # the fit is shown again in its own unit
        page.select_option("#unit", unit)
        until(
            page,
            f"document.getElementById('said').textContent.includes('{'another unit' if unit else 'Fit '}')",
        )
    until(page, "document.getElementById('means').textContent.includes('fit ')")
    page.select_option("#model", "fuzzy_sphere")
    page.wait_for_selector("[aria-label='fuzziness, value']")
    assert_is_fixed(page)
    until(page, "location.hash.includes('model=fuzzy_sphere') && location.hash.includes('fixed=sld_solvent')")
    page.reload()
    page.wait_for_selector("[aria-label='fuzziness, value']")
    assert_is_fixed(page)
    # Another model than the fit's: the verdict is not of what is shown.
    assert page.text_content("#said").startswith("Not fitted: fuzzy_sphere at your values")
    assert "Back to fit" in page.text_content("#said")


def test_what_is_fixed_or_limited_returns_through_a_form_that_lacks_it(
    server: Server, new_page: NewPage
) -> None:
    page = opened_curve(new_page(server.address), "passing.dat")
    chosen_form(page, "sphere")
    typed(page, "sld_solvent, value", "6.35")
    typed(page, "radius, lower limit", "40")
    typed(page, "radius, upper limit", "95.5")
    held = "“Find the model” fixes sld_solvent = 6.35 and keeps radius between 40 and 95.5, in each model"
    assert page.text_content("#held") == f"{held} that has the parameter."
    chosen_form(page, "lorentz")
    assert page.text_content("#held") == (
        f"{held} that has the parameter. To change sld_solvent or radius, choose a form factor that has them."
    )
    with page.expect_request("**/api/fits") as asked:
        page.click("#find")
    sent = json.loads(asked.value.post_data)
    assert (sent["fixed"], sent["ranges"]) == ({"sld_solvent": 6.35}, {"radius": [40, 95.5]})
    page.click("#stop")
    page.wait_for_selector("#stop:disabled")
    chosen_form(page, "fuzzy_sphere")
    until(page, "location.hash.includes('fuzzy_sphere') && location.hash.includes('ranges=')")
    assert_is_fixed(page)
    page.reload()
    page.wait_for_selector("[aria-label='fuzziness, value']")
    assert_is_fixed(page)
    limits = [page.input_value(f"[aria-label='radius, {which} limit']") for which in ("lower", "upper")]
    assert limits == ["40", "95.5"]
    page.select_option("[aria-label='sld_solvent, fit or fixed']", "fit")
    chosen_form(page, "lorentz")
    chosen_form(page, "sphere")
    assert page.input_value("[aria-label='sld_solvent, fit or fixed']") == "fit", "it was released"
    with page.expect_request("**/api/fits") as asked:
        page.click("#refit")
    sent = json.loads(asked.value.post_data)
    assert (sent["fixed"], sent["fitted"]) == ({}, ["sld_solvent"])
    page.click("#stop")
    page.wait_for_selector("#stop:disabled")
    # Last, as its fit is soon done and shown as it was asked for.
    chosen_form(page, "lorentz")
    with page.expect_request("**/api/fits") as asked:
        page.click("#refit")
    sent = json.loads(asked.value.post_data)
    assert (sent["fixed"], sent["ranges"]) == ({}, {}), "a Lorentz curve has neither"


def test_limits_that_exclude_the_starting_value_move_it(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address), "limits.dat")
    chosen_form(page, "sphere")
    typed(page, "radius, upper limit", "2000")
    typed(page, "radius, lower limit", "900")
    chosen_form(page, "fuzzy_sphere")
    assert float(page.input_value("[aria-label='radius, value']")) == 900
    assert "your values, not fitted" in page.text_content("#means")


def chosen_form(page: Any, model: str) -> None:
    with page.expect_response("**/api/evaluate"):
        page.select_option("#model", model)
    until(page, "document.getElementById('means').textContent.includes('not fitted')")


def typed(page: Any, label: str, text: str) -> None:
    page.fill(f"[aria-label='{label}']", text)
    page.press(f"[aria-label='{label}']", "Tab")


def assert_is_fixed(page: Any) -> None:
    """The solvent is as it was typed; of densities no other than usual is fixed."""
    assert float(page.input_value("[aria-label='sld_solvent, value']")) == 6.35
    states = "b => b.filter((one) => one.value === 'fixed').map((one) => one.ariaLabel.split(',')[0])"
    fixed = page.eval_on_selector_all("[aria-label$=', fit or fixed']", states)
    assert fixed == ["sld", "sld_solvent"]


def test_values_of_a_sum_are_shown(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address))
    page.evaluate("""import('/static/curves/parameters.js').then(({ Parameters }) => {
        const found = new Parameters(document.getElementById('parameters'), () => {});
        found.read({ A_cor_length: { value: 35.2, error: 0.5, unit: 'Ang', fixed: false },
                     B_power: { value: 4, error: null, unit: '', fixed: true } });
    })""")
    said = page.text_content("#parameters")
    assert "A_cor_length Å35.2± 0.50" in said
    assert "B_power 4fixed" in said
    assert "--fixed NAME=VALUE" in said


def test_an_answer_of_a_batch_is_shown_as_a_fit(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    fit_spheres_by_batch(page, "spheres.dat")
    opened_curve(page)
    until(page, "document.getElementById('means').textContent.includes('fit of batch')")
    assert "not fitted" not in page.text_content("#means")
    assert "reduced χ²" in page.text_content("#means")
    errors = page.evaluate(
        "[...document.querySelectorAll('#parameters td.number')].map((e) => e.textContent)"
    )
    assert any(text.startswith("±") for text in errors)
    page.set_viewport_size({"width": 1280, "height": 800})
    boxes = page.evaluate(
        "[...document.querySelectorAll('#parameters input[type=range]')]"
        ".map((e) => e.getBoundingClientRect()).map((b) => [b.width, b.right])"
    )
    edge = page.evaluate("document.querySelector('#parameters').getBoundingClientRect().right")
    assert all(width >= 160 and right <= edge + 1 for width, right in boxes), "with errors beside them"
    page.fill("[aria-label='radius, value']", "70")
    page.press("[aria-label='radius, value']", "Tab")
    until(page, "document.getElementById('means').textContent.includes('your values, not fitted')")


def test_an_isotropic_image_offers_the_fit_of_its_average(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    page.click("#to-images")
    page.click(".shot:has-text('isotropic.npy')")
    page.wait_for_selector("#image-title:has-text('isotropic.npy')")
    page.wait_for_selector(".kinds li")
    assert "They can be read as" in page.text_content("#shot-said")
    assert "small-angle-scattering images" in page.text_content("#shot-said")
    page.select_option("#kind", "sans2d")
    page.click("#read")
    until(page, "!document.getElementById('average').hidden")
    said = page.text_content("#shot-said") + page.text_content("#sentences")
    assert "shapes that this network knows" in said
    headline = page.text_content("#shot-said .headline")
    assert re.search(r"this network knows; its azimuthal average, among models of curves: ", headline), (
        headline
    )
    assert said.count("among models of curves") == 1
    assert page.is_hidden("#verify"), "its directions are all alike: there is nothing to be fitted"
    assert "isotropic" in page.text_content("#why-not")
    late: list[Any] = []
    page.route("**/api/image/average", lambda route: late.append(route))
    page.click("#average")
    until(page, "document.getElementById('shot-progress').textContent === 'Averaging …'")
    page.click("#to-files")
    with page.expect_response("**/api/image/average"):
        late[0].continue_()
    page.wait_for_timeout(500)
    assert page.evaluate("location.hash") == "#files", "somebody is elsewhere by now"
    page.unroute("**/api/image/average")
    page.go_back()
    page.click("#average:enabled")
    until(page, "(document.body.dataset.drawn || '').includes('isotropic_average.dat')")
    found = re.search(r"Rg (\d+\.?\d*)", page.text_content("#notes"))
    assert found is not None
    assert float(found[1]) == pytest.approx(np.sqrt(0.6) * 60, rel=0.05), "of spheres, by Guinier"


def test_tags_have_the_same_header_and_no_curves(server: Server, new_page: NewPage, data: Path) -> None:
    page = new_page(server.address)
    names = page.evaluate("[...document.querySelectorAll('header nav a')].map((a) => a.textContent)")
    places = "[...document.querySelectorAll('header nav a')].map((a) => a.getBoundingClientRect().left)"
    left = page.evaluate(places)
    page.goto(f"{server.address.partition('?')[0]}tags")
    assert page.evaluate("[...document.querySelectorAll('header nav a')].map((a) => a.textContent)") == names
    assert page.evaluate(places) == pytest.approx(left, abs=1), "nothing moves"
    assert "sasnet" in page.text_content("header")
    page.select_option("#kind", "sans2d")
    page.click("#begin button")
    page.wait_for_selector(".cell:has-text('isotropic.npy')")
    assert not page.query_selector(".cell:has-text('.dat')"), "tables of numbers are no tiles"
    until(page, "document.querySelectorAll('.cell').length === 1")
    until(page, "document.getElementById('count').textContent === '1 image'")
    assert page.is_hidden("#colours"), "the grid has its own colours"
    page.dblclick(".cell")
    page.wait_for_selector("#colours")
    page.click("[data-do=close]")
    page.select_option("#kind", "gisas_hex")
    page.wait_for_selector("#kind option[value=gisas_hex][selected]", state="attached")
    page.select_option("#kind", "sans2d")
    page.wait_for_selector(".cell:has-text('isotropic.npy')")


@pytest.fixture(scope="module")
def image_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server of three images: a film, an isotropic one and rods, in this order."""
    folder = tmp_path_factory.mktemp("images")
    lattice(folder)
    isotropic_image(folder)
    rods(folder)
    found = Server(tmp_path_factory.mktemp("work"), folder)
    yield found
    found.end()


def test_a_fit_is_offered_where_it_can_explain_the_image(image_server: Server, new_page: NewPage) -> None:
    page = new_page(image_server.address)
    page.click("#to-images")
    page.click(".shot:has-text('rods.npy'):has-text('cylinder')")
    until(page, "(document.body.dataset.image || '').includes('rods.npy')")
    assert page.is_visible("#verify")
    page.click("#image a[href='#images']")
    page.click(".shot:has-text('film.npz'):has-text('patterns')")
    until(page, "(document.body.dataset.image || '').includes('film.npz')")
    known = "outside the training data of this model" not in page.text_content("#shot-said")
    assert page.is_visible("#verify") is known
    assert known or page.text_content("#why-not").startswith("Not fitted: a fit of")
    page.click("#to-files")
    number = page.wait_for_selector("tr:has-text('film.npz') td.number").text_content()
    assert bool(number) is known, "a network has no probability for what it does not know"


def test_nothing_of_an_image_stays_under_the_name_of_the_next(
    image_server: Server, new_page: NewPage
) -> None:
    page = new_page(image_server.address)
    page.click("#to-images")
    page.click(".shot:has-text('rods.npy'):has-text('cylinder')")
    until(page, "document.getElementById('shot-said').textContent.includes('cylinder')")
    page.route("**/api/image?**", lambda _: None)
    page.route("**/api/image", lambda _: None)  # the answer about the next one is late
    page.click("#before")
    page.wait_for_selector("#image-title:has-text('isotropic.npy')")
    assert page.is_disabled("#read"), "it would be said of another image"
    assert page.text_content("#shot-said") == ""
    assert page.query_selector_all("#figures *") == []
    assert page.get_attribute("#shot-picture", "src") is None
    page.unroute("**/api/image")
    page.click("#image a[href='#images']")
    late: list[Any] = []
    page.route("**/api/fits?*rods*", lambda route: late.append(route))
    page.click(".shot:has-text('rods.npy')")
    page.wait_for_selector("#image-title:text-is('rods.npy')")
    until(page, "!document.getElementById('read').disabled")
    page.click("#before")
    until(page, "(document.body.dataset.image || '').includes('isotropic.npy')")
    late[0].continue_()
    page.wait_for_timeout(500)
    assert "isotropic.npy" in page.evaluate("location.hash"), "what comes late changes nothing"
    assert page.text_content("#image-title") == "isotropic.npy"


def test_an_image_that_is_dropped_is_tagged_too(server: Server, new_page: NewPage, tmp_path: Path) -> None:
    page = new_page(server.address)
    page.click("#to-images")
    rods(tmp_path, "dropped_rods.npy")
    page.set_input_files("#add-images", [str(tmp_path / f"dropped_rods.{end}") for end in ("npy", "toml")])
    page.wait_for_selector(".shot:has-text('dropped_rods.npy'):has-text('cylinder')")
    page.goto(f"{server.address.partition('?')[0]}tags")
    if page.is_visible("#begin"):
        page.select_option("#kind", "sans2d")
        page.click("#begin button")
    cell = ".cell:has-text('dropped/dropped_rods.npy')"
    page.wait_for_selector(cell)
    page.click(cell)
    page.keyboard.press("1")
    page.wait_for_selector(f"{cell} .yes")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#picture')?.naturalWidth > 0")
    assert page.inner_text("#picture-problem") == ""


def test_a_geometry_that_was_entered_holds_for_tags_too(
    server: Server, new_page: NewPage, tmp_path: Path
) -> None:
    geometry = rods(tmp_path, "told.npy").with_suffix(".toml").read_text()
    page = new_page(server.address)
    page.click("#to-images")
    page.set_input_files("#add-images", str(rods(tmp_path, "untold.npy", told=False)))
    page.wait_for_selector("#image-title:has-text('untold.npy')")
    tags = f"{server.address.partition('?')[0]}tags"
    page.goto(tags)
    if page.is_visible("#begin"):
        page.select_option("#kind", "sans2d")
        page.click("#begin button")
    problem = page.wait_for_selector(".cell:has-text('untold.npy'):has-text('lacks')")
    assert "--" not in problem.text_content()
    opened(page, f"{server.address}#images")
    page.click(".shot:has-text('untold.npy')")
    page.wait_for_selector("#image-title:has-text('untold.npy')")
    page.wait_for_selector(".kinds li")
    page.select_option("#kind", "sans2d")
    page.fill("#geometry", geometry)
    page.click("#read")
    until(page, "document.getElementById('shot-said').textContent.includes('cylinder')")
    page.goto(tags)
    page.wait_for_selector(".cell:has-text('untold.npy'):not(:has-text('lacks'))")
    until(
        page,
        "[...document.querySelectorAll('.cell')].find((e) => e.textContent.includes('untold'))"
        ".querySelector('img').naturalWidth > 0",
    )
