"""The fault benchmark: small trainings with one seeded fault each, healthy ones without, and what is said of them."""
