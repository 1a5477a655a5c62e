# Databricks notebook source
# MAGIC %md
# MAGIC # Silver: is every line accounted for, and what do rules see in the records?
# MAGIC The job stops here where `logshed audit` finds a line lost or doubled.

# COMMAND ----------

dbutils.widgets.text("schema", "main.logs")
dbutils.widgets.text("exchange", "/Volumes/main/logs/exchange")

# COMMAND ----------

from job import published, run

run("audit")
run("detect")

# COMMAND ----------

import logshed as lakes

place = dbutils.widgets.get("schema"), dbutils.widgets.get("exchange")
for table, stored in lakes.open().stored().items():
    if stored.name.startswith("security."):
        print(published(spark, table, *place))
