"""Several production lines on one box: each line's settings file, and what no two may share."""
