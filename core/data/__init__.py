"""Data: files to datasets, what columns mean, and which rows train, validate and test."""
