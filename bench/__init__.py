"""The benchmark: the real server on 200,000 customers, beside the floor of a bare Flask view in the same run."""
