"""What is a user's own network made of, and how can its parts be exchanged?"""
