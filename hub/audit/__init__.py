"""This package keeps the audit log: one Merkle tree for each organisation, its signed heads, and the proofs that it is whole."""
