"""Shelf labels: drawn in many typefaces and layouts, with the boxes of the price and its digits."""
