"""Tests of `sasnet_plugin.fitting.orientation`; a package, as other folders have files of the same names."""
