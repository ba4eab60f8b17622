"""What the eye makes of a picture by its model and the line's rules, with an item and without."""
