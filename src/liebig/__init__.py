"""Liebig."""
