"""Small-angle scattering curves, I(q)."""

from __future__ import annotations

from . import Domain

SAS1D = Domain(
    name="sas1d",
    read="sasnet_plugin.data:load",
    preprocess="sasnet_plugin.data.preprocess:features",
    sample_prior="sasnet_plugin.simulate.priors:sample_prior",
    simulate="sasnet_plugin.simulate.clean:simulate_clean",
    build_net="sasnet_plugin.train.net:build_net",
    decode="sasnet_plugin.predict.decode:decode",
    metrics="sasnet_plugin.report.evaluation:evaluate",
)
