"""The desk: superimpose a mark on photographs, train a localizer on them, measure it."""
