"""Statistical process control: control charts and multivariate limits. Computes, never draws."""
