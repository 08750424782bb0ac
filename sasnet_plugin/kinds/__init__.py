"""The specifications of all kinds of measurement: a file each, found by `domains.specification`."""
