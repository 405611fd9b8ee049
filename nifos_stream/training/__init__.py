"""From labelled sentences to a model directory, and how good a model is. Knows nothing of Kafka or Redis."""
