"""This package changes things: one function a mutation, each in one transaction with its event and its access."""
