"""Several cameras from one `cameras.yaml`, one process each: `vision.cameras.command`."""
