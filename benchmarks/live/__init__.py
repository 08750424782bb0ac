"""Measurements that are under way: changes in a series, when to stop counting, a beam time in small."""
