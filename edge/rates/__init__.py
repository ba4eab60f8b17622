"""Rates of errors per item: exact bounds, bounds that may be looked at at any time, and plans."""
