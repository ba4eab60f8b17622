"""Alarms of the line: what many items, or the box itself, show that no single verdict does."""
