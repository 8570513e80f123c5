"""People, departments, roles, delegation of duties."""
