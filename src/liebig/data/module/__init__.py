"""A user's own network and data: what enters it, what it answers, which rows are sealed?"""
