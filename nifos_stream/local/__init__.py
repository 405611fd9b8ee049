"""The whole stack on one machine: real Apache Kafka and real Redis on loopback, and sample posts."""
