"""The recorded faults, played again: a row says in words what its upstream did, and those words start the same upstream here."""
