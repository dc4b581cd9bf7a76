"""The HTTP that both providers are called with: connections, origins, files."""
