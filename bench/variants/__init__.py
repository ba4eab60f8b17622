"""Benches of the variants: one module each, which trains what it needs, judges, and prints."""
