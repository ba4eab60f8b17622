"""Proof of a model on pictures it never saw: plan, frozen study, exact bounds, report."""
