"""This package turns one GraphQL operation into one SQL statement and its answer into bytes."""
