"""Choosing a model's settings on validation ratings, by trials that survive a crash."""
