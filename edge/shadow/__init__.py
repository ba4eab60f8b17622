"""Shadow mode: the truth about items, the error rates that it shows, and whether they allow run."""
