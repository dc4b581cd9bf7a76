"""Private RabbitMQ, PostgreSQL, Redis and S3 servers for the tests: real ones, free ports, data of their own."""
