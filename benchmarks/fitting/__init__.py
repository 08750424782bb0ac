"""Fits: do they find the truth, at what cost, and how much do they promise?"""
