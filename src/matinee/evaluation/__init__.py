"""Measuring models by what they return, whatever they are."""
