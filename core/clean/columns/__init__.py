"""Recipe steps that make, change, choose or leave out columns and rows: features, units, types, filters.

One file a family. Steps that look at neighbours give each column from one column alone; all others work row by row.
"""
