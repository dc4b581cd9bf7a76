"""PostgreSQL: the pool, the migrations, and all SQL, in a module for each thing that is asked or written."""
