"""What the tables must hold, computed from the JSONL alone by code of its own."""
