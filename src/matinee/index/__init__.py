"""Nearest vectors by inner product: NumPy alone."""
