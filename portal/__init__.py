"""Customer management portal: the core that every plugin stands on."""

__version__ = "0.1.0"
