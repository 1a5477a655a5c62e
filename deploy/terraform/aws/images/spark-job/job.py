"""The driver of a Spark job: one Logshed command, its words being the job's arguments.

The session is that of spark-submit, which knows the cluster; the engine finds it and makes none of its own.
"""

from pyspark.sql import SparkSession

from logshed.cli import main

if __name__ == "__main__":
    session = SparkSession.builder.appName("logshed").getOrCreate()
    try:
        main()
    finally:
        session.stop()
