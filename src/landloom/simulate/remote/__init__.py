"""A remote archive on the loopback: the shape of a published one, with latency, bandwidth and faults as stated."""
