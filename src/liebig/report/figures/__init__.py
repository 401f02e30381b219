"""Figures as SVG, drawn from plain values for several widths. See `svg` for why."""
