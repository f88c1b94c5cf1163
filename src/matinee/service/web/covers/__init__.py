"""Covers drawn from a film's title, year and genres: the same film always gets the same poster."""

from matinee.service.web.covers.cover import draw_cover

__all__ = ["draw_cover"]
