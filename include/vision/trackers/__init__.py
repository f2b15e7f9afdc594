"""The trackers behind `vision.tracking.make_tracker`, each a module."""
