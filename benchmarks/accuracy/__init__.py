"""Accuracy on public data with published results, through `core.workflows` alone: `make bench-accuracy`."""
