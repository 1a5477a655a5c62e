# The modules of what is inside the cluster, with settings of tests; they need no provider.

module "metastore" {
  source            = "../../deploy/terraform/aws/modules/metastore"
  namespace         = "hive"
  labels            = { "app.kubernetes.io/part-of" = "data-platform" }
  image             = "registry/hive:1"
  replicas          = 2
  role_arn          = "arn:aws:iam::123456789012:role/metastore"
  region            = "us-east-1"
  warehouse         = "s3://lake/lake"
  database          = { address = "db", port = 3306, name = "hive_metastore", username = "hive" }
  secret_name       = "data-platform/catalog-db"
  secret_store      = "aws"
  client_namespaces = ["spark", "logshed"]
}

module "clickhouse" {
  source            = "../../deploy/terraform/aws/modules/clickhouse"
  namespace         = "clickhouse"
  labels            = { "app.kubernetes.io/part-of" = "data-platform" }
  image             = "registry/clickhouse:1"
  role_arn          = "arn:aws:iam::123456789012:role/clickhouse"
  region            = "us-east-1"
  bucket            = "lake"
  storage           = 50
  storage_class     = "gp3"
  secret_name       = "data-platform/clickhouse"
  secret_store      = "aws"
  client_namespaces = ["logshed"]
}

module "jobs" {
  for_each         = { once = "", hourly = "0 * * * *" }
  source           = "../../deploy/terraform/aws/modules/jobs"
  namespace        = "spark"
  labels           = { "app.kubernetes.io/part-of" = "data-platform" }
  images           = { spark-ingest = "registry/spark-ingest:1", spark-aggregate = "registry/spark-aggregate:1" }
  source_uri       = "s3://raw/logs/"
  environment      = { LOGSHED_STORAGE_WAREHOUSE = "s3://lake/lake" }
  keys_secret_name = "data-platform/pseudonym-keys"
  secret_store     = "aws"
  executors        = 2
  schedule         = each.value
  deploy           = true
}

output "objects" {
  value = {
    metastore  = module.metastore.objects
    clickhouse = module.clickhouse.objects
    once       = module.jobs["once"].objects
    hourly     = module.jobs["hourly"].objects
  }
}
