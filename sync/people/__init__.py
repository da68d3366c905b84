"""What is known of one person: who is meant, all that is kept, why it is so, what is asked, and forgetting it."""
