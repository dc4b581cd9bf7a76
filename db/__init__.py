"""PostgreSQL: the pool, the migrations, and one module per table with its SQL."""
