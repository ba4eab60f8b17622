"""What is written down: the journal, its check, the pictures kept as evidence, and how the box is."""
