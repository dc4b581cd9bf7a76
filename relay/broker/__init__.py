"""RabbitMQ (or, for trying out, Redis) behind Kombu: topology, publisher, consumer. Kombu lives here only."""
