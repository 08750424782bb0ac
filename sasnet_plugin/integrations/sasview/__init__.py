"""Fitting -> Suggest model… in SasView.

Two programs meet here. `install` and `launch` run in sasnet's Python. Everything else runs in SasView's,
where sasnet is not installed: it is loaded by path, needs the standard library and the PySide6 that SasView
has, and imports nothing from outside this folder. What sasnet computes it computes in a process of its own
(`child`).
"""
