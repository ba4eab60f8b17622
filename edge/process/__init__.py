"""The process itself: what it tells systemd, how it is asked to stop, and its memory."""
