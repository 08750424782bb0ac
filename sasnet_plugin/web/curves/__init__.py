"""Curves in the browser: the files of a folder, one curve with its models, and what was fitted."""
