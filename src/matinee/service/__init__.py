"""The service: recommendations by HTTP, and ratings that are kept."""
