"""How right vision is: its tracks against ground truth."""
