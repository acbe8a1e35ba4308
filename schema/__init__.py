"""What exists and who may see it: the GraphQL types by noun, their sources, the tables and row policies."""
