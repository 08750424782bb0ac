"""Tests of `sasnet_plugin.cli`; a package, as other folders have files of the same names."""
