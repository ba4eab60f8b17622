"""Evaluation of a model on labelled photographs, by the box's own code."""
