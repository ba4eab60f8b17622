"""Stands in for PiDNG, which has no aarch64 wheel.

picamera2 imports it to write DNG files, which nobody does here.
"""
