"""One folder per model, and what all models have in common."""
