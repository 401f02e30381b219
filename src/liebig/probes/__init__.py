"""What can be seen? One file for each kind of measurement: looks in, evidence out."""
