"""What happens to gradients before the step? One file for each way."""
