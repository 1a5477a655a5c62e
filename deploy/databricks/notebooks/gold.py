# Databricks notebook source
# MAGIC %md
# MAGIC # Gold: what each hour and day comes to
# MAGIC Only days with new records are computed. The tables are then put into the schema,
# MAGIC for dashboards and Databricks SQL.

# COMMAND ----------

dbutils.widgets.text("schema", "main.logs")
dbutils.widgets.text("exchange", "/Volumes/main/logs/exchange")

# COMMAND ----------

from job import published, run

run("aggregate")

# COMMAND ----------

import logshed as lakes

place = dbutils.widgets.get("schema"), dbutils.widgets.get("exchange")
for table, stored in lakes.open().stored().items():
    if stored.name.startswith("gold."):
        print(published(spark, table, *place))

# COMMAND ----------

# A question in DuckDB's dialect, as Logshed's own are, in Spark's.
import sqlglot

busiest = """
    SELECT collection, count(DISTINCT date_trunc('day', timestamp)) AS days, CAST(sum(requests) AS BIGINT) AS requests
    FROM traffic_hourly GROUP BY ALL ORDER BY requests DESC, collection LIMIT 10
"""
(in_spark,) = sqlglot.transpile(
    busiest.replace("traffic_hourly", f"{place[0]}.traffic_hourly"), read="duckdb", write="spark"
)
spark.sql(in_spark).show()
