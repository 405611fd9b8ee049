"""Label a Kafka stream of Korean posts negative, neutral or positive, and keep live counts in Redis."""

__version__ = "0.1.0"
