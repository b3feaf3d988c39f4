"""What several screens share: words, state, notices, figures and forms."""
