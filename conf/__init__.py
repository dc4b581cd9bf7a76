"""Configuration: settings, logging and gunicorn. Imports nothing of ours."""
