"""Which candidates are fitted, from where, for how long."""
