"""How do K members lie in one tensor? Values that nets, techniques, probes and train share; torch is known from here up."""
