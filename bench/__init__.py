"""What `make bench` measures: the real `pulumi` command, ours and other candidates, against one sandbox with one latency."""
