"""Precisions below float32: made by measuring, and refused unless the decisions stay."""
