"""The mark: its picture, how it is made, and what is like it and is none."""
