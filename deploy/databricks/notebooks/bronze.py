# Databricks notebook source
# MAGIC %md
# MAGIC # Bronze: raw files into the lake
# MAGIC One parse fills `bronze.lines` and `silver.logs`, redacted before anything rests.
# MAGIC What the lake has is not read again.

# COMMAND ----------

dbutils.widgets.text("source", "/Volumes/main/logs/raw")
dbutils.widgets.text("collection", "default")
dbutils.widgets.text("engine", "spark")

# COMMAND ----------

from job import run

given = {name: dbutils.widgets.get(name) for name in ("source", "collection", "engine")}
engine = [] if given["engine"] == "local" else ["--engine", given["engine"]]
run("ingest", *given["source"].split(), "--collection", given["collection"], *engine)
