"""What a reader sees: figures and small text graphics."""

from sasnet_plugin.report.sparkline import sparkline

__all__ = ["sparkline"]
