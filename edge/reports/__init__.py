"""The journal for people: the log in the terminal, tables, and the report of a shift."""
