"""Assess a trained network: a trial on what was held out, the threshold, and plain words."""
