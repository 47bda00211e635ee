"""Real-space mutual information renormalization group: functions on arrays beneath the ``rsmi``
command."""

__version__ = "0.5.0"
