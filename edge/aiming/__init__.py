"""Aim the camera: a live picture with its figures, the region drawn on it, and single pictures."""
