from __future__ import annotations

from pathlib import Path

import pytest
from pages import browser as browser
from pages import new_page as new_page
from sasviews import Home, environment_with, prepare_screen


@pytest.fixture(scope="session")
def sasview62() -> Path:
    """The command ``sasview`` of a SasView 6.2.0 in an environment of its own."""
    prepare_screen()
    return environment_with("6.2.0").with_name("sasview")


@pytest.fixture(scope="session")
def sasview61() -> Path:
    """The same of SasView 6.1.3."""
    prepare_screen()
    return environment_with("6.1.3").with_name("sasview")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)
