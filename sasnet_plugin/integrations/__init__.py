"""sasnet inside other programs: SasView and Bumps."""
