"""What a reader sees: figures and small text graphics."""

from sasnet_plugin.report.plot import sparkline

__all__ = ["sparkline"]
