"""This package reads sister organisations' systems: wire shapes, and nothing of GraphQL types or principals."""
