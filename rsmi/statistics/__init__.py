"""Binning, autocorrelation, jackknife and fits."""
