"""Measurements that lie on a Tiled server: read, followed as they come, and their answers beside them."""
