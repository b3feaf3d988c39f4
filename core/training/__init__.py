"""Fitting networks: settings, data feeding, the loop with its events, checkpoints, export and diagnosis."""
