"""What a reader sees: figures and small text graphics."""

from .plot import sparkline

__all__ = ["sparkline"]
