"""Grazing-incidence patterns of hexagonally ordered nanoparticles: how their lattice is rotated, p(ξ)."""

from __future__ import annotations

from . import Domain

GISAS_HEX = Domain(
    name="gisas_hex",
    recognise="sasnet_plugin.data.images:is_image",
    read="sasnet_plugin.data.images.load:read",
    settings="sasnet_plugin.data.images.settings:from_options",
    preprocess="sasnet_plugin.data.images.features:features",
    preprocess_version="sasnet_plugin.data.images.features:PREPROCESS_VERSION",
    sample_prior="sasnet_plugin.simulate.gisas.priors:sample_geometry",
    simulate="sasnet_plugin.simulate.gisas.basis:basis",
    plan="sasnet_plugin.simulate.gisas.plan:plan",
    labels="sasnet_plugin.simulate.gisas.stream:labels",
    stream="sasnet_plugin.simulate.gisas.stream:Stream",
    augment="sasnet_plugin.simulate.gisas.stream:augment",
    reservoir=16_000,
    reuse=4.0,
    net="sasnet_plugin.train.densenet:DenseConfig",
    build_net="sasnet_plugin.train.densenet:build_net",
    calibrate="sasnet_plugin.train.gisas_package:calibrate_orientation",
    manifest="sasnet_plugin.zoo.gisas_manifest:parse_orientation_manifest",
    outputs="sasnet_plugin.predict.orientation:Outputs",
    decode="sasnet_plugin.predict.orientation:decode",
    judge="sasnet_plugin.predict.orientation:judge",
    verify="sasnet_plugin.fitting.orientation.invert:verified",
    metrics="sasnet_plugin.report.orientation:figures",
    evaluate="sasnet_plugin.report.orientation:evaluated",
    quantities="sasnet_plugin.simulate.gisas.nuisance:QUANTITIES",
    as_dict="sasnet_plugin.cli.orientation:as_dict",
    show="sasnet_plugin.cli.orientation:show",
    plot="sasnet_plugin.report.orientation_plot:plot_orientations",
    report="sasnet_plugin.report.images.pages:orientation_page",
)
