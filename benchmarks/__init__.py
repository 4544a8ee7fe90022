"""How fast the local AWS is, side by side with its peers in one run. ``make bench`` runs it and prints the tables."""
