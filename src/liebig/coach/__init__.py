"""What next? A pure policy (study -> next action), the loop that does it, and the seal."""
