"""Figures of a camera's picture, and how far they are from those of its reference."""
