"""From the posts topic to the labelled topic, exactly once."""
