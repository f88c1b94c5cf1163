"""An evaluation as one page to read: tables, figures, lists and a map, in one file."""
