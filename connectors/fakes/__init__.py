"""This package is sister organisations that do not exist: real servers, invented people, and faults on demand."""
