"""Training pictures: marks and look-alikes superimposed on photographs, with light, lens and
sensor.
"""
