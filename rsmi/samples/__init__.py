"""Typed views of samples, rule and flow files, windows, and the checks of samples."""
