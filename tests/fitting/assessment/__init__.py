"""Tests of `sasnet_plugin.fitting.optimize`; a package, as other folders have files of the same names."""
