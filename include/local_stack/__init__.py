"""The embedded servers: what they are made of, how they are started, asked and stopped."""
