"""This package measures: the hub beside the limit it could reach, in one run, on one machine, round by round."""
