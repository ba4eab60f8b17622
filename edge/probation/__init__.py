"""A new release in service: loaded beside the one that runs, watched, and given up if it is bad."""
