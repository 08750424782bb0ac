"""Curves: do the suggested models agree with what experts say?"""
