"""The hot store on Redis: the newest lines of each collection in the order of their own time, counters, places."""
