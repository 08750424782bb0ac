"""Tests of `sasnet_plugin.fitting.result`; a package, as other folders have files of the same names."""
