"""The driver of a Spark job: one Logshed command, its words being the job's arguments.

The engine begins the session, on the cluster that spark-submit has named.
"""

from logshed.cli import main

if __name__ == "__main__":
    main()
