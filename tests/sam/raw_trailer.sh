#!/bin/sh
# AWS_LAMBDA_EXEC_WRAPPER: in place of a runtime, the raw one with a trailer of 5 KB.
exec "$1" "$(dirname "$0")/raw_trailer.py" 5120
