"""Curves answered while they are measured: what has arrived, the table that remembers, what has changed."""
