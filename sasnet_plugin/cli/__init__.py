"""The command ``sasnet``."""
