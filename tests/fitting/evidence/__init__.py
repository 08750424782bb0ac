"""Tests of `sasnet_plugin.fitting.assessment`; a package, as other folders have files of the same names."""
