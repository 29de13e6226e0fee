"""A Lambda function on this machine, for development: function URL, Invoke API, environments."""
