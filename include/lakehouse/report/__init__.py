"""What a run, or a camera on a day, left in the layers: for a person at a terminal."""
