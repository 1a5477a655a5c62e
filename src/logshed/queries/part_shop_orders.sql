/*
description = """
Orders: records that are the step purchase, of visitors or not. Records with one order id in a collection are one order,
with the first's time and the greatest value; a record without an order id is an order of its own. An id that redaction
took counts as none.
"""
uses = ["shop_list"]
*/
SELECT
    min(timestamp) AS timestamp,
    max(value) AS value
FROM shop_records
WHERE place IN (SELECT place FROM shop_list WHERE shop = $shop AND step = 'purchase')
GROUP BY
    collection,
    coalesce(order_id, concat('record ', source, ' ', CAST("offset" AS VARCHAR), ' ', CAST(item AS VARCHAR))),
    order_id IS NULL
