"""Thousands of files: one row an answer, workers that may be killed, and a file of results that survives it.

``plan`` says which files still need an answer, ``run`` gets them from local processes or a Dask cluster, the
``journal`` keeps each as it comes, and ``results`` makes HDF5 and CSV of it.
"""
