"""What is measured of the product, against whom, and the last tables: ``python -m benchmarks`` lists it."""
