"""Tests of `sasnet_plugin.fitting.strategy`; a package, as other folders have files of the same names."""
