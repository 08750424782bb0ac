"""Commands for images alone."""
