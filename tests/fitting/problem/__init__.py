"""Tests of `sasnet_plugin.fitting.problem`; a package, as other folders have files of the same names."""
