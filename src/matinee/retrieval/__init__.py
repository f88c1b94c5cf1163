"""From a query to candidates out of the whole catalogue."""
