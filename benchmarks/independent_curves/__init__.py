"""Scattering curves from published formulas in numpy; nothing here imports sasmodels or the package."""
