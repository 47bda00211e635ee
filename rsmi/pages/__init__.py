"""The page of ``rsmi report``: a whole study in one HTML file that needs no network."""
