"""Tests of `sasnet_plugin.fitting.images`; a package, as other folders have files of the same names."""
