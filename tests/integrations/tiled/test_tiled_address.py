"""Addresses on a Tiled server: every way to write one, and no key shown."""

from __future__ import annotations

import pytest

from sasnet_plugin.integrations.tiled.connection import Address, address_of
from sasnet_plugin.names import is_tiled
from sasnet_plugin.types import SasnetError

HERE = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("text", "server", "path"),
    [
        (f"tiled:{HERE}", HERE, ()),
        (f"tiled:{HERE}/a/b/", HERE, ("a", "b")),
        (f"tiled:{HERE}/api/v1/metadata/a/b", HERE, ("a", "b")),
        (f"tiled:{HERE}/ui/browse/a", HERE, ("a",)),
        ("tiled:https://x.org/tiled/api/v1/metadata/a", "https://x.org/tiled", ("a",)),
        ("tiled:http://[::1]:80/a%20b/c%2Fd", "http://[::1]:80", ("a b", "c/d")),
    ],
)
def test_what_people_write_and_copy_is_understood(text: str, server: str, path: tuple[str, ...]) -> None:
    found = address_of(text)
    assert (found.server, found.path) == (server, path)
    assert address_of(str(found)) == found


def test_a_key_in_an_address_is_taken_and_never_shown() -> None:
    found = address_of(f"tiled:{HERE}/a?api_key=verysecret")
    assert found.key == "verysecret"
    assert "verysecret" not in str(found) + repr(found) + str(found.descend("b"))
    for wrong in ("tiled:ftp://h/a?api_key=verysecret", "tiled:http://u:verysecret@h:99999/a"):
        with pytest.raises(SasnetError) as caught:
            address_of(wrong)
        assert "verysecret" not in str(caught.value)
        assert "tiled:http://HOST:PORT/PATH" in str(caught.value)


@pytest.mark.parametrize("text", ["tiled:", "tiled:a/b", "tiled:http:///a", "tiled:http://h:port/a"])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(SasnetError, match="is not an address on a Tiled server"):
        address_of(text)


def test_only_a_text_with_the_prefix_is_one() -> None:
    assert is_tiled("tiled:http://h/a")
    assert not is_tiled("tiled.dat")
    assert not is_tiled(SasnetError("tiled:"))


def test_up_and_down() -> None:
    root = Address(HERE)
    assert root.descend("a").descend("b").parent == root.descend("a")
    assert (root.parent, root.name) == (root, "")
