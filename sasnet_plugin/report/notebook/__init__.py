"""Nouns in a notebook: pictures, tables and three lines, asked for through the public package."""
