"""Simulated shifts: after how many items each alarm comes, and how many false ones a clean one has.

``python -m bench.shift`` composes a place from the packaged pictures, degrades its pictures (the
camera knocked, the lens fogged, a lamp dying) by several levels, lets the packaged model judge
each and compares each with a reference of the place, as the service does. A shift then draws its
items from what was measured, with the spread that it had.
"""
