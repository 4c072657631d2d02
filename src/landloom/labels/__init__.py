"""Label data: crosswalks, claims, fractions, guess labels."""
