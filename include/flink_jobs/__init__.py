"""The Flink jobs that turn messages into Bronze, Silver and Gold."""
