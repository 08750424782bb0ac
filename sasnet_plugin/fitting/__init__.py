"""From suggested models to fitted, ranked and verified ones; the way in is `fitting.api.fit`."""
