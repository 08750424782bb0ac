"""The network for patterns on the general chain: shards, training, resumption, export, answers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from tinypatterns import pattern
from typer.testing import CliRunner

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

pytest.importorskip("keras")
pytest.importorskip("bornagain")

from sasnet_plugin.cli.main import app
from sasnet_plugin.domains.heads import outputs_of
from sasnet_plugin.domains.simulator import HeldOut
from sasnet_plugin.images.features import mirror_features
from sasnet_plugin.images.gisas.simulation import SIMULATOR
from sasnet_plugin.images.gisas.specification import GISAS_HEX
from sasnet_plugin.images.growth.specification import GISAS_GROWTH
from sasnet_plugin.simulate.dataset import Dataset, draw_held_out
from sasnet_plugin.train.loop import TrainConfig, train
from sasnet_plugin.train.network import build, load, losses
from sasnet_plugin.types import SasnetError

TINY = {"stem": 8, "blocks": ((1, 8), (1, 8), (1, 8)), "dense": 32}
SETTINGS = TrainConfig(steps=120, batch=32, learning_rate=3e-3, save_every=40)


def settings_with(**sizes: object) -> dict:
    """Of a run whose network differs from the tiny one."""
    net = {**GISAS_HEX.network.sizes, **TINY, **sizes}
    return {"domain": "gisas_hex", "inputs": {"features": [64, 64, 8]}, "labels": {}, "net": net}


def held(bases: Path, seed: int, known: int) -> HeldOut:
    data = Dataset(bases, SIMULATOR)
    return draw_held_out(GISAS_HEX, data, np.random.default_rng(seed), known_count=known, others=0)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight geometries, as the command line simulates them."""
    folder = tmp_path_factory.mktemp("bases")
    arguments = [
        "simulate",
        "--domain",
        "gisas_hex",
        "--rounds",
        "1",
        "--scale",
        "0.008",
        "--out",
        str(folder),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "bases of 8 geometries in 1 files (shards)" in result.output
    again = CliRunner().invoke(app, arguments)
    assert "1 of 1 shards exist and are skipped" in again.output
    return folder


@pytest.fixture(scope="module")
def finished(bases: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A run that was stopped after its first checkpoint, and the steps of its second start."""
    run = tmp_path_factory.mktemp("run")

    def stop(step: int, loss: float) -> None:
        if step >= 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(bases, run, SETTINGS, net=TINY, domain=GISAS_HEX, progress=stop)
    assert not (run / "final.weights.h5").exists()
    steps: list[int] = []
    train(bases, run, SETTINGS, net=TINY, domain=GISAS_HEX, progress=lambda step, _: steps.append(step))
    return run, steps


def test_shards_of_curves_only_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["simulate", "--domain", "gisas_hex", "--models", "sphere", "--out", str(tmp_path)]
    )
    assert result.exit_code == 1
    assert "--models has no effect for this kind of measurement" in result.output


def test_stopped_run_goes_on_where_it_was(finished: tuple[Path, list[int]]) -> None:
    run, steps = finished
    assert steps[0] > 40
    assert steps[-1] == 120
    epochs = [line.split(",")[0] for line in (run / "log.csv").read_text().splitlines()[1:]]
    assert epochs == ["0", "1", "2"]


def test_network_is_kept_and_has_learned(bases: Path, finished: tuple[Path, list[int]]) -> None:
    one, other = (load(finished[0], GISAS_HEX)[0] for _ in range(2))
    some = held(bases, 5, 120)
    features = some.inputs["features"]
    found = one.predict(features, verbose=0)
    np.testing.assert_array_equal(found["xi"], other.predict(features, verbose=0)["xi"])
    before = build(GISAS_HEX, settings_with()).predict(features, verbose=0)
    trained, fresh = (
        {one.name: float(losses(one, x, some.targets, GISAS_HEX.heads)) for one in GISAS_HEX.heads}
        for x in (found, before)
    )
    assert trained["xi"] < 0.98 * fresh["xi"]
    assert trained["geometry"] < fresh["geometry"] - 1


def test_other_network_in_the_folder_is_refused(bases: Path, finished: tuple[Path, list[int]]) -> None:
    with pytest.raises(SasnetError, match="other settings"):
        train(bases, finished[0], SETTINGS, domain=GISAS_HEX)


def test_packaged_network_answers_as_trained(
    bases: Path, finished: tuple[Path, list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow")
    from sasnet_plugin.images.gisas.specification import HEADS
    from sasnet_plugin.predict import open_predictor
    from sasnet_plugin.predict.findings import DistributionFinding
    from sasnet_plugin.predict.predictor import Runtime
    from sasnet_plugin.train.package import package
    from sasnet_plugin.zoo import open_model, verify

    manifest, summary = package(
        finished[0], bases, bases, tmp_path / "gisas_hex", domain=GISAS_HEX, per_model=6
    )
    assert summary == "3 heads, 120 examples held out"
    assert set(manifest["calibration"]) == {head.name for head in HEADS}
    (tmp_path / "registry.json").write_text('{"gisas_hex": {"path": "gisas_hex", "domain": "gisas_hex"}}')
    model = open_model("gisas_hex", folder=tmp_path)
    verify(model)

    stored = np.load(tmp_path / "gisas_hex" / "parity.npz")
    features = stored["features"].astype(np.float32)
    found = Runtime(model.onnx, outputs=tuple(outputs_of(HEADS))).run({"features": features})
    network = load(finished[0], GISAS_HEX)[0].predict(features, verbose=0)
    for name in outputs_of(HEADS):
        np.testing.assert_allclose(found[name], stored[name], atol=0.05)
        np.testing.assert_allclose(network[name], stored[name], atol=1e-3)

    monkeypatch.setenv("SASNET_MODEL_ZOO", str(tmp_path))
    (answer,) = open_predictor("gisas_hex").answers([pattern(counts=1e6)])
    guess = answer.finding(DistributionFinding)
    assert guess is not None
    assert guess.p.sum() == pytest.approx(1.0)

    table = CliRunner().invoke(
        app, ["evaluate", "--domain", "gisas_hex", "--test", str(bases), "--per-model", "3", "--json"]
    )
    figures = json.loads(table.stdout.splitlines()[-1])
    assert figures["known"] == 30
    found = figures["parts"]["all"]["xi"]["p(xi)"]
    assert 0 < found["w1"] < 15
    assert 0.5 < found["coverage"] <= 1


def test_sides_are_exchanged_by_the_mirror(bases: Path) -> None:
    """The sum of what both sides show stays, the difference changes its sign."""
    import keras

    net = build(GISAS_HEX, settings_with())
    first = next(layer for layer in net.layers if isinstance(layer, keras.layers.Concatenate))
    sides = keras.Model(net.input, first.output)
    features = held(bases, 6, 3).inputs["features"]
    straight, turned = (np.asarray(sides(x)) for x in (features, mirror_features(features)))
    half = straight.shape[1] // 2
    np.testing.assert_allclose(straight[:, :half], turned[:, :half], atol=1e-5)
    np.testing.assert_allclose(straight[:, half:], -turned[:, half:], atol=1e-5)
    assert np.abs(straight[:, half:]).max() > 1e-3


class TestOthersWeights:
    """Transfer from Keras' applications: real files, written by Keras itself; nothing is fetched."""

    CONFIG = {"trunk": "MobileNet"}

    @pytest.mark.parametrize("top", [False, True])
    def test_weights_are_taken_over(self, tmp_path: Path, top: bool) -> None:
        import keras

        donor = keras.applications.MobileNet(
            weights=None, include_top=top, **({} if top else {"input_shape": (64, 64, 3)})
        )
        path = tmp_path / "mine.weights.h5"
        donor.save_weights(path)
        net = build(GISAS_HEX, settings_with(**self.CONFIG, weights=str(path)))
        (body,) = (layer for layer in net.layers if isinstance(layer, keras.Model))
        for name in ("conv1", "conv_pw_13"):
            np.testing.assert_array_equal(
                body.get_layer(name).get_weights()[0], donor.get_layer(name).get_weights()[0]
            )
        assert net.predict(np.zeros((1, 64, 64, 8), dtype=np.float32), verbose=0)["xi"].shape == (1, 120)

    def test_file_of_another_network(self, tmp_path: Path) -> None:
        path = tmp_path / "other.weights.h5"
        build(GISAS_HEX, settings_with()).save_weights(path)
        with pytest.raises(
            SasnetError, match=r"other\.weights\.h5: does not hold weights of Keras' MobileNet"
        ):
            build(GISAS_HEX, settings_with(**self.CONFIG, weights=str(path)))

    def test_no_such_file(self, tmp_path: Path) -> None:
        with pytest.raises(SasnetError, match="there is no such file of weights"):
            build(GISAS_HEX, settings_with(**self.CONFIG, weights=str(tmp_path / "none.weights.h5")))

    def test_no_such_application(self) -> None:
        with pytest.raises(SasnetError, match=r"DenseNet7: Keras has no such application.*DenseNet169"):
            build(GISAS_HEX, settings_with(trunk="DenseNet7"))


class TestAnotherRunsTrunk:
    """Transfer between domains: a network for films begins with what one for rotations has learned."""

    @pytest.fixture
    def run(self, tmp_path: Path) -> Path:
        donor = build(GISAS_HEX, settings_with())
        donor.save_weights(tmp_path / "final.weights.h5")
        (tmp_path / "settings.json").write_text(json.dumps(settings_with()), encoding="utf-8")
        return tmp_path

    @staticmethod
    def stems(net) -> list[np.ndarray]:
        from sasnet_plugin.train.network import leaves

        return [layer.get_weights()[0] for layer in leaves(net) if layer.name == "trunk_stem"]

    def test_weights_are_taken_over(self, run: Path) -> None:
        donor, _ = load(run, GISAS_HEX)
        net = build(GISAS_GROWTH, settings_with(weights=str(run)))
        (theirs,), (ours,) = self.stems(donor), self.stems(net)
        # Films have two pictures less: the asymmetry of both sides says nothing of them.
        assert theirs.shape[2] == ours.shape[2] + 2
        np.testing.assert_array_equal(ours, theirs[:, :, :3])
        scratch = build(GISAS_GROWTH, settings_with())
        assert np.abs(self.stems(scratch)[0] - ours).max() > 1e-3

    def test_trunk_of_another_size(self, run: Path) -> None:
        with pytest.raises(SasnetError, match="has (another trunk|other shapes)"):
            build(GISAS_GROWTH, settings_with(stem=9, weights=str(run)))
        with pytest.raises(SasnetError, match="has another trunk"):
            build(GISAS_GROWTH, settings_with(blocks=(*TINY["blocks"], (2, 8)), weights=str(run)))

    def test_run_that_has_not_finished(self, run: Path) -> None:
        (run / "final.weights.h5").unlink()
        with pytest.raises(SasnetError, match="holds no finished training run"):
            build(GISAS_GROWTH, settings_with(weights=str(run)))
