"""Stars by a Bayesian factorization machine with an ordinal output: Gibbs sampling, then tables."""
