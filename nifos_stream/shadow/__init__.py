"""A second model on a share of the posts, whose labels nobody sees: what would change with it."""
