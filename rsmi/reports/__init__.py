"""What a file says, as numbers for programs and as text for people."""
