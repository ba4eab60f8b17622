"""The review store: an index over the journal, the audit log of what people say, and the people."""
