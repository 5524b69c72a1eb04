"""Files in a bucket of object storage: whole or not there, checked end to end; the only place that knows boto3."""
