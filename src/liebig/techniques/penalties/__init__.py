"""What do large weights cost? One file for each way."""
