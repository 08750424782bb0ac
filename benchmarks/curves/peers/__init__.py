"""Classifiers that others would take, built anew."""
