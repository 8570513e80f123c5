"""Characters and readings: the lowest layer under `portal.core.text` and `portal.core.regions`."""
