"""What the review store costs: the index made from a long journal, and each of its queries."""
