"""What reviewers have said of items, made into labelled photographs to train on."""
