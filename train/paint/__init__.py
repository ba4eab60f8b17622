"""Training pictures: marks and hard negatives on photographs, augmented by light, lens, sensor."""
