"""What every request needs: who asks, limits, errors, what the process holds."""
