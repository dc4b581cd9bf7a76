"""What is sent to the phone: fitting.py cuts it, render.py writes it."""
