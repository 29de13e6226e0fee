"""``make deploy``: deploy the stack to AWS in one conversation, or with flags alone in CI."""
