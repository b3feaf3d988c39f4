"""Files that are not one plain text table: workbooks, Parquet, archives, several files at once, wide files.

Each becomes either a text table with the reading that is known of it, so that the one text reader with its findings and
its account of lines does the rest, or a Parquet table that keeps its schema.
"""
