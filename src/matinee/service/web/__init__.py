"""The web page: HTML from templates, covers drawn here, one stylesheet, nothing from elsewhere."""
