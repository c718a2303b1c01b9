"""Numbers as few bits: small integers and the range of real numbers they stand for."""
