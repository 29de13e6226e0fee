"""Logs in DynamoDB: one item for what is known of a stream, one for each batch.

Items of a stream share the partition key ``stream#ID``. Sort key 0 is the meta record, with the
pulse and the viewers; 1, 2, 3, … are the batches. Each is put on condition that its place is
free: that is the fence. A process that ends the log of another one takes the place that the
producer would take next.

A write costs by the kilobyte, so batches are compressed, and written a few times a second and
not for every token. Reads poll, fast while there is something to read. DynamoDB deletes expired
items when it finds the time; ``expires_at`` is therefore checked here too.
"""
