"""One file per pipeline step, and the resumable runner they share."""
