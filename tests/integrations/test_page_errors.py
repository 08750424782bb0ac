"""What the page says of fits that are kept: the best, what their errors include, and whose values stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from made_results import CURVE, Q, answer, fitted, p
from pages import NewPage
from webpages import Server, opened_curve, until

from sasnet_plugin.service.answers import plain
from sasnet_plugin.service.fits import describe_fit
from sasnet_plugin.web.curves.history import ANSWERED, ASKED, Record

KEYS = ["folder:latex.dat#1", "folder:second.dat#1"]


def keep_fit(record: Record, verdict: str, radius: float) -> None:
    """A fit as it is kept: of a radius whose error is ten times that of its derivatives."""
    slope = np.full(Q.size, 1.0 / (0.05 * np.sqrt(Q.size)))
    fit = fitted(
        "core_shell_sphere", radius=p(radius, 0.5), radius_pd=p(0.1, 0.01, ""), derivatives={"radius": slope}
    )
    body: dict[str, Any] = plain(describe_fit(answer(fit)))
    body["fit"] |= {"verdict": verdict, "headline": f"A radius of {radius:g} Å {verdict}.", "next": ""}
    number = record.add(ASKED, KEYS[0], {"keys": KEYS[:1], "asked": {}})
    record.add(ANSWERED, str(number), body)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    work = tmp_path_factory.mktemp("work")
    for name in ("latex.dat", "second.dat"):
        (work / "runs").mkdir(exist_ok=True)
        table = np.c_[Q, CURVE.intensity, 0.01 / Q]
        np.savetxt(work / "runs" / name, table, header="q(1/A) I(1/cm) dI(1/cm)")
    record = Record(work / "sasnet-web.sqlite")
    keep_fit(record, "explains", 72.0)
    keep_fit(record, "does not explain", 30.0)
    record.close()
    found = Server(work, work / "runs")
    yield found
    found.end()


def test_the_best_fit_is_listed_and_opened_not_the_newest(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    row = page.wait_for_selector("tr[data-key='folder:latex.dat#1']")
    assert "A radius of 72 Å explains." in row.text_content()
    assert "fit 1 is best" in row.text_content()
    opened_curve(page, "latex.dat")
    assert page.text_content("#said .headline") == "Fit 1. A radius of 72 Å explains."


def test_errors_are_explained_and_go_with_the_values_of_the_fit(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address), "latex.dat")
    said = page.text_content("#means")
    assert (
        "open, such as the resolution, which the file does not give. This fit alone has radius = 72" in said
    )
    assert "± 0.050 Å" in said
    errors = "[...document.querySelectorAll('#parameters tr:not([hidden]) > td:nth-child(3)')]"
    shown = page.evaluate(f"{errors}.map((one) => one.textContent)")
    assert "± 0.50" in shown
    assert page.text_content("tr:has([aria-label='thickness_pd, value']) > td:nth-child(3)") == "not fitted"
    page.fill("[aria-label='radius, value']", "70")
    page.press("[aria-label='radius, value']", "Tab")
    until(page, "document.getElementById('means').textContent.includes('your values, not fitted')")
    assert not any(page.evaluate(f"{errors}.map((one) => one.textContent)")), "no fit gave these values"


def test_a_fit_under_way_leaves_what_is_known(server: Server, new_page: NewPage) -> None:
    page = new_page(server.address)
    started = page.evaluate(
        """(keys) => fetch("/api/fits", { method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ keys }) }).then((answer) => answer.json())""",
        KEYS,
    )
    page.evaluate(f"location.hash = '#curve?key=folder%3Alatex.dat%231&fit={started['number']}'")
    page.wait_for_selector("#said .headline:has-text('Fit 1. A radius of 72 Å explains.')")
    assert page.input_value("[aria-label='radius, value']") == "72"
    open_line = f"#history p:has(b:text-is('{started['number']}')) > span"
    assert page.text_content(open_line) in ("waiting", "running"), "how long stands above"
    page.click("#stop")
    page.wait_for_selector("#history:has-text('stopped')")


def test_a_parameter_in_the_unit_of_the_intensity_has_that_of_the_files(
    server: Server, new_page: NewPage
) -> None:
    page = new_page(server.address)
    units = """(units) => import("/static/curves/net.js").then((net) => net.unitWith("1/cm", units))"""
    assert page.evaluate(units, ["cm⁻¹", "cm⁻¹"]) == "cm⁻¹"
    assert page.evaluate(units, ["cm⁻¹", ""]) == "unit of I"


def test_a_fit_is_removed_and_the_next_best_stands_in_its_place(server: Server, new_page: NewPage) -> None:
    page = opened_curve(new_page(server.address), "latex.dat")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("[aria-label='Remove fit 1']")
    page.wait_for_selector("#said .headline:has-text('Fit 2. A radius of 30 Å does not explain.')")
    assert "Fit 1" not in page.text_content("#history")
    page.click("#to-files")
    page.wait_for_selector("tr[data-key='folder:latex.dat#1']:has-text('A radius of 30 Å')")
