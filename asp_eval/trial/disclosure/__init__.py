"""What may be printed about a few people without telling what one of them answered."""
