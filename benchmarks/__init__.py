"""What is measured of the product, against whom, and the last tables: ``python -m benchmarks`` lists it."""

import os

# Before numpy is imported: one core for each process.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
