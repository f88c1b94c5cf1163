"""What the retrieval and the ranking model share: the framework, id embeddings, batches."""
