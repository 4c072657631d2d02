"""Truth: crosswalks, claims, fractions, guess labels."""
