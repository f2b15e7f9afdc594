"""What docker-compose.yaml, its images and Grafana's dashboards promise, as far as files tell."""
