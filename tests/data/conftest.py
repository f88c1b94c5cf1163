from hypothesis import settings

# A slow or busy machine is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
