"""This package is the demonstration: an invented world, two sister systems, and a story told against the running hub."""
