"""From candidates to predicted stars."""
