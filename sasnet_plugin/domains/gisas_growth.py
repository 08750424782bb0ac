"""Grazing-incidence patterns of growing metal films: size, shape and distance of their clusters."""

from __future__ import annotations

from . import Domain

GISAS_GROWTH = Domain(
    name="gisas_growth",
    read="sasnet_plugin.data.images:load_images",
    preprocess="sasnet_plugin.data.images.features:features",
    preprocess_version="sasnet_plugin.data.images.features:PREPROCESS_VERSION",
    sample_prior="sasnet_plugin.simulate.growth.priors:sample_film",
    simulate="sasnet_plugin.simulate.growth.pattern:pattern",
    plan="sasnet_plugin.simulate.growth.plan:plan",
    labels="sasnet_plugin.simulate.growth.stream:labels",
    stream="sasnet_plugin.simulate.growth.stream:Stream",
    augment="sasnet_plugin.simulate.growth.stream:augment",
    reservoir=16_000,
    reuse=4.0,
    net="sasnet_plugin.train.densenet:DenseConfig",
    build_net="sasnet_plugin.train.growth:build_net",
)
