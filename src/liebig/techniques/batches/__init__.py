"""How is a batch altered before it is trained on? One file for each way."""
