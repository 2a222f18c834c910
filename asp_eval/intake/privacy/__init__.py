"""What identifies a person: found, refused, or made a pseudonym."""
