"""The second stage for lists: candidates in the order in which people will rate them next."""
