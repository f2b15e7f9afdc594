"""Keep the tables small and quick, and never take away what a job still needs."""
