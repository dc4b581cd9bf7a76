"""Everything on one machine, for trying out: the embedded services, the product, the stand-ins."""
