"""Tables: files and dataframes to a task, an encoder, a feed."""
