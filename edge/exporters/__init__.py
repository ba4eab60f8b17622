"""Exporters: what the box tells other machines, read from journal and status file alone."""
