"""Tests of `sasnet_plugin.images.reading`; a package, as other folders have files of the same names."""
