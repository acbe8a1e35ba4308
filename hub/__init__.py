"""Where it meets: the application, its engine, its commands and its operation."""
