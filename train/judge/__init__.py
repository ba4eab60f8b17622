"""What a model is worth on labelled photographs, with the box's own code."""
