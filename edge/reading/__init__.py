"""Characters found on an item become words, words a field; imported only when asked for."""
