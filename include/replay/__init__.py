"""Frame metadata (JSONL) to Pulsar, each frame once: `replay.publish.replay_file`."""
