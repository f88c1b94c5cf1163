"""The routes under `/v1`, and those for whoever runs the service."""
