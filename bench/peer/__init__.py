"""What a team would write instead: Flask, Celery with a gevent pool over RabbitMQ, a lock in Redis per conversation."""
