"""The resumable run: sessions, parts, tasks, threads, remote workers, shards and stream keys."""
