"""Browsers for tests of the pages: Chromium driven by Playwright, and pages in which nothing may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chromium import chromium
from webpages import SOON, opened

NewPage = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium."""
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as started:
        found = started.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield found
        found.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[NewPage]:
    """Pages of browsers of their own; whatever goes wrong in a script, or goes to elsewhere, is a failure."""
    contexts, wrong = [], []

    def make(address: str, **how: Any) -> Any:
        context = browser.new_context(**({"viewport": {"width": 1400, "height": 900}} | how))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SOON)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        home = address.partition("?")[0]
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((home, "data:")) else wrong.append(asked.url),
        )
        return opened(page, address)

    yield make
    for context in contexts:
        context.close()
    assert wrong == [], wrong
