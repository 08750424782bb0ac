"""sasmodels' models with fewer points of quadrature or tabled integrals, equal within a given tolerance."""
