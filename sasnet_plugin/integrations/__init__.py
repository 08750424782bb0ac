"""sasnet inside other programs: SasView."""
