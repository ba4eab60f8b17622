"""The releases of a box: bundles that were unpacked, which of them is current, and how it does."""
