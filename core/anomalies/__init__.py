"""From scores to what a person reviews: scores → threshold → flags → events → verdicts."""
