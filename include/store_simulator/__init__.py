"""Stores with known truth: shoppers, what cameras see of them, frames, noise by dial."""
