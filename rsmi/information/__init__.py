"""RBMs, the RSMI objectives and mutual information."""
