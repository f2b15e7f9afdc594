"""The quarantine, worked: what stands in it and why, and its messages published again."""
