"""How fast Usher delivers, and how fast others do: `make bench`. README.md beside this file has the last results."""
