"""A fit as files that other programs open: SasView, Bumps, and everything that reads NXcanSAS."""
