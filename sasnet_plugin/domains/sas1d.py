"""Small-angle scattering curves, I(q)."""

from __future__ import annotations

from . import Domain

SAS1D = Domain(
    name="sas1d",
    read="sasnet_plugin.data:load",
    preprocess="sasnet_plugin.data.preprocess:features",
    preprocess_version="sasnet_plugin.data.preprocess:PREPROCESS_VERSION",
    sample_prior="sasnet_plugin.simulate.priors:sample_prior",
    simulate="sasnet_plugin.simulate.clean:simulate_clean",
    labels="sasnet_plugin.train.curves:labels",
    stream="sasnet_plugin.train.curves:CurveStream",
    net="sasnet_plugin.train.net:NetConfig",
    build_net="sasnet_plugin.train.net:build",
    decode="sasnet_plugin.predict.decode:decode",
    metrics="sasnet_plugin.report.evaluation:evaluate",
)
