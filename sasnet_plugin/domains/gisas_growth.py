"""Grazing-incidence patterns of growing metal films: size, shape and distance of their clusters."""

from __future__ import annotations

from . import Domain

GISAS_GROWTH = Domain(
    name="gisas_growth",
    read="sasnet_plugin.data.images.load:read",
    settings="sasnet_plugin.data.images.settings:from_options",
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
    calibrate="sasnet_plugin.train.growth_package:calibrate_growth",
    manifest="sasnet_plugin.zoo.growth_manifest:parse_growth_manifest",
    outputs="sasnet_plugin.predict.growth:Outputs",
    decode="sasnet_plugin.predict.growth:decode",
    judge="sasnet_plugin.predict.growth:judge",
    metrics="sasnet_plugin.report.growth:quantity_figures",
    evaluate="sasnet_plugin.report.growth:evaluated",
    quantities="sasnet_plugin.simulate.growth.quantities:QUANTITIES",
    as_dict="sasnet_plugin.cli.growth:as_dict",
    show="sasnet_plugin.cli.growth:show",
    plot="sasnet_plugin.report.growth_plot:plot_growth",
    report="sasnet_plugin.report.images.pages:growth_page",
)
