"""What is in these sequences? Arrays and long tables to a task: series of many steps, one answer for each."""
