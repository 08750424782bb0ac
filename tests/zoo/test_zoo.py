"""Trained models are found, and used only where they are what their manifest says."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tinyzoo import FORMS, manifest_entries, write_zoo

from sasnet_plugin.types import ModelZooError
from sasnet_plugin.zoo import (
    find_checked,
    list_registered,
    open_folder,
    open_model,
    parse_manifest,
    register,
    verify,
    zoo_folder,
)


def test_environment_names_the_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path / "zoo")))
    assert zoo_folder() == tmp_path / "zoo"
    assert list_registered() == {"sas1d": tmp_path / "zoo" / "sas1d"}


def test_environment_that_points_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(tmp_path / "gone"))
    with pytest.raises(ModelZooError, match=r"gone: SASNET_MODEL_ZOO points to this folder"):
        zoo_folder()


def test_opened_model_carries_its_manifest_and_bytes(tmp_path: Path) -> None:
    model = open_model(folder=write_zoo(tmp_path / "zoo"))
    assert model.manifest.labels == FORMS
    assert model.onnx == (tmp_path / "zoo" / "sas1d" / "model.onnx").read_bytes()
    verify(model)


def test_another_process_opens_the_same_model_or_none(tmp_path: Path) -> None:
    model = open_model(folder=write_zoo(tmp_path / "zoo"))
    assert open_folder(model.folder, model.sha256).onnx == model.onnx
    other = write_zoo(tmp_path / "other", scope_bias=-1.0) / "sas1d"
    with pytest.raises(ModelZooError, match=r"model\.onnx: the file is damaged or was changed"):
        open_folder(other, model.sha256)


def test_one_changed_byte_is_noticed(tmp_path: Path) -> None:
    zoo = write_zoo(tmp_path / "zoo")
    path = zoo / "sas1d" / "model.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelZooError, match=r"model\.onnx: the file is damaged or was changed"):
        open_model(folder=zoo)


def test_changed_companion_file_is_noticed_by_verify(tmp_path: Path) -> None:
    zoo = write_zoo(tmp_path / "zoo")
    manifest = json.loads((zoo / "sas1d" / "manifest.json").read_text())
    manifest["sha256"]["parity.npz"] = "00"
    (zoo / "sas1d" / "manifest.json").write_text(json.dumps(manifest))
    (zoo / "sas1d" / "parity.npz").write_bytes(b"other")
    with pytest.raises(ModelZooError, match=r"parity\.npz: the file is damaged"):
        verify(open_model(folder=zoo))


def test_missing_network(tmp_path: Path) -> None:
    zoo = write_zoo(tmp_path / "zoo")
    (zoo / "sas1d" / "model.onnx").unlink()
    with pytest.raises(ModelZooError, match=r"model\.onnx: cannot be read"):
        open_model(folder=zoo)


def test_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelZooError, match=r"gisas: no such model in the zoo; choose one of sas1d"):
        open_model("gisas", folder=write_zoo(tmp_path / "zoo"))


def test_broken_registry(tmp_path: Path) -> None:
    (tmp_path / "registry.json").write_text("[1, 2")
    with pytest.raises(ModelZooError, match="cannot be read as a registry"):
        open_model(folder=tmp_path)


def test_other_preprocessing_is_refused(tmp_path: Path) -> None:
    zoo = write_zoo(tmp_path / "zoo", features_version=99)
    with pytest.raises(ModelZooError, match="version 99, but this sasnet has"):
        open_model(folder=zoo)


def _changed(part: str, head: str, **changes: Any) -> dict[str, Any]:
    entries = manifest_entries()[part]
    return {part: entries | {head: entries[head] | changes}}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 1}, "format 1 is not the format 2"),
        ({"surprise": 1}, "unknown keys"),
        ({"domain": "powder"}, "not known .powder"),
        ({"calibration": {}}, "malformed entry"),
        (_changed("calibration", "form", temperature=0.0), "not positive"),
        (_changed("heads", "form", groups=[{"name": "some", "members": ["sphere"]}]), "exactly once"),
        (_changed("heads", "form", labels=[], groups=[]), "no class of form"),
        (_changed("heads", "structure_factor", allowed={"sphere": ["two_yukawa"]}), "two_yukawa"),
        (_changed("heads", "structure_factor", allowed={"cube": ["hardsphere"]}), "cube"),
        (_changed("heads", "size", parameters=["volume"]), "volume"),
        ({"sha256": {}}, "no sha256"),
        (_changed("heads", "form", labels=5), "malformed entry"),
    ],
)
def test_manifest_that_cannot_be_trusted(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelZooError, match=sentence):
        parse_manifest(json.dumps(manifest_entries() | change), "manifest.json")


@pytest.mark.parametrize("key", sorted(manifest_entries()))
def test_each_key_of_the_manifest_is_needed(key: str) -> None:
    entries = manifest_entries()
    del entries[key]
    with pytest.raises(ModelZooError, match=key if key != "format" else "format None"):
        parse_manifest(json.dumps(entries), "manifest.json")


def test_manifest_that_is_not_json() -> None:
    with pytest.raises(ModelZooError, match="is not JSON"):
        parse_manifest("{", "manifest.json")


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo whose registry vouches for each file of its model."""
    zoo = write_zoo(tmp_path / "zoo")
    home = zoo / "sas1d"
    for name in ("parity.npz", "seeds.npz"):
        (home / name).write_bytes(name.encode() * 100)
    manifest = json.loads((home / "manifest.json").read_text())
    manifest["sha256"] |= {
        name: sha256((home / name).read_bytes()).hexdigest() for name in ("parity.npz", "seeds.npz")
    }
    (home / "manifest.json").write_text(json.dumps(manifest))
    (home / "card.md").write_text("# sas1d")
    register(home)
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(zoo))
    return zoo


def test_each_file_of_a_registered_model_is_vouched_for(sealed: Path) -> None:
    home = sealed / "sas1d"
    verify(open_model())
    assert find_checked("sas1d", "seeds.npz") == home / "seeds.npz"
    for path in sorted(home.iterdir()):
        whole = path.read_bytes()
        changed = bytearray(whole)
        changed[len(whole) // 2] ^= 4
        path.write_bytes(changed)
        with pytest.raises(ModelZooError, match=rf"{path.name}: the file is damaged or was changed"):
            verify(open_model())
        path.write_bytes(whole[:-1])
        with pytest.raises(ModelZooError, match=rf"{path.name}: the file is damaged.*size"):
            open_model()
        path.unlink()
        with pytest.raises(ModelZooError, match=rf"{path.name}: cannot be read"):
            open_model()
        path.write_bytes(whole)
    verify(open_model())


def test_fits_start_from_undamaged_values_alone(sealed: Path) -> None:
    from sasnet_plugin.zoo import bank_path

    path = bank_path()
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelZooError, match=r"seeds\.npz: the file is damaged"):
        bank_path()


def test_exchanged_names_are_noticed(sealed: Path) -> None:
    """The manifest is as well-formed as before, and each answer would be another's."""
    path = sealed / "sas1d" / "manifest.json"
    first, second, *_ = json.loads(path.read_text())["heads"]["form"]["labels"]
    text = path.read_text().replace(f'"{first}"', '"?"').replace(f'"{second}"', f'"{first}"')
    path.write_text(text.replace('"?"', f'"{second}"'))
    with pytest.raises(ModelZooError, match=r"manifest\.json: the file is damaged or was changed"):
        open_model()


def test_registering_again_keeps_the_other_models(sealed: Path) -> None:
    write_zoo(sealed, "gisas_hex")
    before = json.loads((sealed / "registry.json").read_text())
    register(sealed / "gisas_hex")
    after = json.loads((sealed / "registry.json").read_text())
    assert after["sas1d"] == before["sas1d"]
    assert set(after["gisas_hex"]["files"]) == {"manifest.json", "model.onnx"}
    verify(open_model("gisas_hex"))
    (sealed / "registry.json").write_text('{"sas1d": 3}')
    with pytest.raises(ModelZooError, match="cannot be read as a registry"):
        register(sealed / "gisas_hex")


def test_the_registry_vouches_for_every_file_that_is_installed(repository: Path) -> None:
    zoo = repository / "model_zoo"
    entries = json.loads((zoo / "registry.json").read_text())
    for name, entry in entries.items():
        there = {path.name for path in (zoo / entry["path"]).iterdir()}
        assert set(entry["files"]) == there, (
            f"sasnet_plugin.zoo.register(Path('model_zoo/{name}')) writes them"
        )
        verify(open_model(name, folder=zoo))
