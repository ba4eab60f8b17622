"""The review page: what a browser sees of a shift, and how people's judgements come in."""
