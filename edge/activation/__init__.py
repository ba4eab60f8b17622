"""Bundles on the box: verified, tried in a child process, activated, rolled back, fetched."""
