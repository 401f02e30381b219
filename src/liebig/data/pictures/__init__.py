"""Pictures: folders, archives and arrays of them, read once into one array of bytes."""
