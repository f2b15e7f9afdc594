"""What the two DAGs share about this pipeline: its settings, its Flink jobs, a run's inputs."""
