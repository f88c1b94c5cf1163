"""Recipes that Matinee ships."""
