"""The frozen judge, judge-v1: cases with known truth that development is not tuned on."""
