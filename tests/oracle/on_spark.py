"""Answers statements on Spark with Iceberg's own runtime, in the environment that has PySpark. JSON in and out.

The runtime comes without Jackson, which it wants under its own names: PySpark's is given to it under them.
"""

from __future__ import annotations

import json
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyspark
import snowpark_connect_deps_iceberg as runtime
from pyspark.sql import SparkSession

SQLITE = Path("/usr/share/java/sqlite-jdbc.jar")
JACKSON, SHADED = b"com/fasterxml/jackson", b"org/apache/iceberg/shaded/com/fasterxml/jackson"
UTF8, LONG, DOUBLE = 1, 5, 6
SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
"""Bytes of what a class file's constants hold after their tag (The Java Virtual Machine Specification, 4.4)."""


def renamed(compiled: bytes) -> bytes:
    """A class file in which Jackson's packages have the names that the runtime gives them."""
    (count,) = struct.unpack_from(">H", compiled, 8)
    made, place, number = [compiled[:10]], 10, 1
    while number < count:
        tag = compiled[place]
        if tag == UTF8:
            (size,) = struct.unpack_from(">H", compiled, place + 1)
            text = compiled[place + 3 : place + 3 + size].replace(JACKSON, SHADED)
            text = text.replace(JACKSON.replace(b"/", b"."), SHADED.replace(b"/", b"."))
            made.append(struct.pack(">BH", tag, len(text)) + text)
            place += 3 + size
        else:
            made.append(compiled[place : place + 1 + SIZES[tag]])
            place += 1 + SIZES[tag]
        number += 2 if tag in {LONG, DOUBLE} else 1  # these two count twice
    return b"".join(made) + compiled[place:]


def jackson(target: Path) -> Path:
    """Make a jar of PySpark's Jackson under the runtime's names."""
    jars = Path(pyspark.__file__).parent / "jars"
    with zipfile.ZipFile(target, "w") as made:
        for part in ("core", "databind", "annotations"):
            (jar,) = jars.glob(f"jackson-{part}-2*.jar")
            with zipfile.ZipFile(jar) as source:
                for name in source.namelist():
                    if name.startswith("com/fasterxml/") and name.endswith(".class"):
                        made.writestr(name.replace(JACKSON.decode(), SHADED.decode()), renamed(source.read(name)))
    return target


def session(given: dict[str, Any]) -> SparkSession:
    """A Spark in this process, with the lake's catalog where its driver is installed."""
    (iceberg,) = Path(runtime.__file__).parent.glob("jars/iceberg-spark-runtime-3.5_2.12-*.jar")
    jars = [str(iceberg), str(jackson(Path(given["folder"]) / "jackson.jar"))]
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    if SQLITE.exists():
        jars.append(str(SQLITE))
        for key, value in {
            "": "org.apache.iceberg.spark.SparkCatalog",
            ".catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
            ".uri": f"jdbc:sqlite:{given['catalog']}",
            ".warehouse": given["warehouse"],
            ".jdbc.schema-version": "V1",
        }.items():
            builder = builder.config(f"spark.sql.catalog.{given['name']}{key}", value)
    for key, value in {
        "spark.driver.extraClassPath": ":".join(jars),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.memory": "1g",
    }.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def main() -> None:
    """Read ``{"folder", "catalog", "name", "warehouse", "metadata", "asked", "listed"}`` from standard input."""
    given = json.load(sys.stdin)
    spark = session(given)
    spark.sparkContext.setLogLevel("ERROR")
    for name, metadata in given["metadata"].items():
        spark.read.format("iceberg").load(metadata).createOrReplaceTempView(name)
    told: dict[str, Any] = {"spark": spark.version, "java": spark._jvm.java.lang.System.getProperty("java.version")}
    told["asked"] = [[list(row) for row in spark.sql(sql).collect()] for sql in given["asked"]]
    told["listed"] = None
    if SQLITE.exists():
        told["listed"] = [[list(row) for row in spark.sql(sql).collect()] for sql in given["listed"]]
    Path(given["answers"]).write_text(json.dumps(told))
    spark.stop()


if __name__ == "__main__":
    main()
