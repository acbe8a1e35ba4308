"""This package answers WHO asks: tokens, proofs of possession, clients, scopes. It knows no GraphQL and no case."""
