"""Tests of `sasnet_plugin.fitting.start_values`; a package, as other folders have files of the same names."""
