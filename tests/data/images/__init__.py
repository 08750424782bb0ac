"""Tests of `sasnet_plugin.data.images`; a package, as other folders have files of the same names."""
