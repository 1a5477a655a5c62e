"""The places that logs are pulled from, one file each: what there is to read, in which ranges, and the lines."""
