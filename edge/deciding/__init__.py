"""The decision's rules, one module each; their order is :func:`edge.deciding.judging.judge`."""
