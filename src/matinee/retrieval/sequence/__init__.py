"""The next-film model: a query tower that reads a history by self-attention (SASRec family)."""
