locals {
  name       = var.project_name
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  hive       = var.catalog == "hive"

  # The control plane and the database want two zones, even where everything else stands in one.
  zones = [for letter in slice(var.availability_zones, 0, var.multi_az ? 3 : 2) : "${var.aws_region}${letter}"]

  raw_bucket     = coalesce(var.s3_raw_bucket_name, "${local.name}-raw-${local.account_id}-${var.aws_region}")
  iceberg_bucket = coalesce(var.s3_iceberg_bucket_name, "${local.name}-iceberg-${local.account_id}-${var.aws_region}")
  warehouse      = "s3://${module.storage.buckets["iceberg"]}/lake"

  namespaces = distinct(concat(
    [var.spark_namespace, var.logshed_namespace],
    local.hive ? [var.hive_namespace] : [],
    var.deploy_clickhouse ? [var.clickhouse_namespace] : [],
  ))

  labels = {
    "app.kubernetes.io/part-of"    = local.name
    "app.kubernetes.io/managed-by" = "terraform"
  }

  # Copies of others' images: what the cluster runs comes from the project's own registry alone.
  mirrored = merge({
    spark-operator     = { image = "ghcr.io/kubeflow/spark-operator/controller", tag = "2.4.0" }
    kuberay-operator   = { image = "quay.io/kuberay/operator", tag = "v1.5.2" }
    external-secrets   = { image = "ghcr.io/external-secrets/external-secrets", tag = "v2.0.0" }
    cluster-autoscaler = { image = "registry.k8s.io/autoscaling/cluster-autoscaler", tag = "v${var.eks_version}.0" }
    }, var.deploy_clickhouse ? {
    clickhouse-server = { image = "docker.io/clickhouse/clickhouse-server", tag = "25.8" }
  } : {})

  images = { for key, source in local.mirrored : key => { repository = module.registry.urls[key], tag = source.tag } }

  secret_store = "aws"

  settings = merge({
    LOGSHED_STORAGE_WAREHOUSE = local.warehouse
    LOGSHED_STORAGE_REGION    = var.aws_region
    LOGSHED_CATALOG_TYPE      = var.catalog
    }, local.hive ? {
    LOGSHED_CATALOG_URI = module.metastore[0].uri
    } : {
    LOGSHED_CATALOG_PROPERTIES = "glue.region=${var.aws_region}"
  })
}

module "keys" {
  source = "./modules/keys"

  name       = local.name
  region     = var.aws_region
  account_id = local.account_id
  partition  = local.partition
}

module "network" {
  source = "./modules/network"

  name                 = local.name
  region               = var.aws_region
  cidr                 = var.vpc_cidr
  zones                = local.zones
  multi_az             = var.multi_az
  enable_nat_gateway   = var.enable_nat_gateway
  create_vpc_endpoints = var.create_vpc_endpoints
  own_account          = local.account_id
  kms_key_arn          = module.keys.arn
  log_retention_days   = var.log_retention_days

  services = setunion(
    ["autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "logs", "secretsmanager", "sts"],
    local.hive ? [] : ["glue"],
  )
  readable_buckets = ["arn:${local.partition}:s3:::prod-${var.aws_region}-starport-layer-bucket"]
}

module "storage" {
  source = "./modules/storage"

  raw_bucket          = local.raw_bucket
  iceberg_bucket      = local.iceberg_bucket
  access_log_bucket   = "${local.name}-access-${local.account_id}-${var.aws_region}"
  raw_expiration_days = var.raw_expiration_days
  noncurrent_days     = var.noncurrent_days
  access_log_days     = 90
  force_destroy       = !var.protect_data
  account_id          = local.account_id
}

module "registry" {
  source = "./modules/registry"

  name         = local.name
  own          = setunion(["spark-ingest", "spark-aggregate"], local.hive ? ["hive-metastore"] : [])
  mirrored     = local.mirrored
  force_delete = !var.protect_data
}

module "secrets" {
  source = "./modules/secrets"

  name          = local.name
  kms_key_arn   = module.keys.arn
  recovery_days = var.protect_data ? 30 : 0
  passwords = merge(
    local.hive ? { catalog-db = "Password of the Hive Metastore's database" } : {},
    var.deploy_clickhouse ? { clickhouse = "Password of ClickHouse's user logshed" } : {},
  )
  keys = { pseudonym-keys = "Keys of Logshed's pseudonyms" }
}

module "cluster" {
  source = "./modules/cluster"

  name                   = "${local.name}-eks"
  kubernetes_version     = var.eks_version
  partition              = local.partition
  control_subnet_ids     = module.network.private_subnet_ids
  node_subnets           = zipmap(slice(local.zones, 0, var.multi_az ? 3 : 1), module.network.node_subnet_ids)
  public_access_cidrs    = var.cluster_public_access_cidrs
  admin_role_arns        = toset(var.cluster_admin_role_arns)
  kms_key_arn            = module.keys.arn
  log_retention_days     = var.log_retention_days
  system_instance_type   = var.sys_node_size
  system_max             = var.sys_node_max
  executor_instance_type = var.node_size
  executor_max           = var.node_max
}

module "catalog" {
  source = "./modules/catalog"
  count  = local.hive ? 1 : 0

  name                     = local.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  client_security_group_id = module.cluster.security_group_id
  multi_az                 = var.multi_az
  zone                     = var.multi_az ? null : local.zones[0]
  db_name                  = var.db_name
  db_username              = var.db_username
  secret_arn               = module.secrets.arns["catalog-db"]
  instance_class           = var.db_instance_class
  allocated_storage        = var.db_allocated_storage
  kms_key_arn              = module.keys.arn
  protect                  = var.protect_data
}

module "roles" {
  source = "./modules/roles"

  name              = local.name
  partition         = local.partition
  region            = var.aws_region
  account_id        = local.account_id
  cluster_name      = module.cluster.name
  oidc_provider_arn = module.cluster.oidc_provider_arn
  oidc_issuer       = module.cluster.oidc_issuer
  bucket_arns       = module.storage.arns
  kms_key_arn       = module.keys.arn
  secret_arns       = values(module.secrets.arns)
  glue              = !local.hive
  # The second and third are the Helm chart's, of a release called logshed.
  lake_accounts      = ["${var.spark_namespace}:spark", "${var.logshed_namespace}:logshed", "${var.logshed_namespace}:logshed-spark"]
  reader_accounts    = var.deploy_clickhouse ? ["${var.clickhouse_namespace}:clickhouse"] : []
  metastore_accounts = local.hive ? ["${var.hive_namespace}:hive-metastore"] : []
}

# In the cluster: nothing below speaks to it. What is to be there is an output, and `kubernetes.sh` brings it there.

module "operators" {
  source = "./modules/operators"

  spark_namespace           = var.spark_namespace
  ray_namespace             = var.logshed_namespace
  lake_role_arn             = module.roles.arns["lake"]
  external_secrets_role_arn = module.roles.arns["external-secrets"]
  images                    = local.images
}

module "autoscaler" {
  source = "./modules/autoscaler"

  cluster_name = module.cluster.name
  region       = var.aws_region
  role_arn     = module.roles.arns["autoscaler"]
  image        = local.images["cluster-autoscaler"]
}

module "metastore" {
  source = "./modules/metastore"
  count  = local.hive ? 1 : 0

  namespace         = var.hive_namespace
  labels            = local.labels
  image             = coalesce(var.hive_metastore_image, "${module.registry.urls["hive-metastore"]}:${var.image_tag}")
  replicas          = var.hive_metastore_replicas
  role_arn          = module.roles.arns["metastore"]
  region            = var.aws_region
  warehouse         = local.warehouse
  database          = { address = module.catalog[0].address, port = module.catalog[0].port, name = var.db_name, username = var.db_username }
  secret_name       = module.secrets.names["catalog-db"]
  secret_store      = local.secret_store
  client_namespaces = [var.spark_namespace, var.logshed_namespace, var.clickhouse_namespace]
}

module "clickhouse" {
  source = "./modules/clickhouse"
  count  = var.deploy_clickhouse ? 1 : 0

  namespace         = var.clickhouse_namespace
  labels            = local.labels
  image             = "${local.images["clickhouse-server"].repository}:${local.images["clickhouse-server"].tag}"
  role_arn          = module.roles.arns["clickhouse"]
  region            = var.aws_region
  bucket            = module.storage.buckets["iceberg"]
  storage           = var.clickhouse_storage
  storage_class     = "gp3"
  secret_name       = module.secrets.names["clickhouse"]
  secret_store      = local.secret_store
  client_namespaces = [var.logshed_namespace]
}

module "jobs" {
  source = "./modules/jobs"

  namespace        = var.spark_namespace
  labels           = local.labels
  images           = { for name in ["spark-ingest", "spark-aggregate"] : name => "${module.registry.urls[name]}:${var.image_tag}" }
  source_uri       = "s3://${module.storage.buckets["raw"]}/${var.raw_prefix}"
  environment      = local.settings
  keys_secret_name = module.secrets.names["pseudonym-keys"]
  secret_store     = local.secret_store
  executors        = var.spark_executors
  schedule         = var.spark_job_schedule
  deploy           = var.deploy_spark_jobs
}
