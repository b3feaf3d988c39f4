"""Statistical process control: control charts, multivariate limits, gage and agreement studies, and columns described. Computes, never draws."""
