"""HTML pages: one self-contained file each, in light and dark, with figures as inline SVG."""
