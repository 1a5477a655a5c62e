# What the defaults and the switches come to, planned by the real provider without a word to AWS: `terraform test`.

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

# These two ask Secrets Manager as soon as something is planned; tests/deploy plans and applies them against a stand-in.
override_module {
  target = module.secrets
  outputs = {
    arns  = { catalog-db = "arn:catalog-db", clickhouse = "arn:clickhouse", pseudonym-keys = "arn:pseudonym-keys" }
    names = { catalog-db = "catalog-db", clickhouse = "clickhouse", pseudonym-keys = "pseudonym-keys" }
  }
}

override_module {
  target = module.catalog
  outputs = {
    address = "catalog.internal"
    port    = 3306
  }
}

run "defaults" {
  command = plan

  assert {
    condition     = length(output.nat_public_ips) == 0
    error_message = "There is a gateway to the Internet."
  }

  assert {
    condition = toset(keys(output.vpc_endpoint_ids)) == toset([
      "autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "logs", "s3", "secretsmanager", "sts",
    ])
    error_message = "The endpoints are others than the nodes need."
  }

  assert {
    condition     = length(output.private_subnet_ids) == 2 && length(module.network.served_zones) == 1
    error_message = "Two zones for the control plane, one for what is billed by the zone."
  }

  assert {
    condition     = toset(keys(output.role_arns)) == toset(["autoscaler", "clickhouse", "external-secrets", "lake", "metastore"])
    error_message = "There is a role too many or too few."
  }

  assert {
    condition     = output.metastore_uri == "thrift://hive-metastore.hive.svc.cluster.local:9083"
    error_message = "The metastore is elsewhere."
  }

  assert {
    condition     = toset(keys(output.repositories)) == setunion(["hive-metastore", "spark-aggregate", "spark-ingest"], keys(output.mirrored_images))
    error_message = "An image has no repository."
  }
}

run "three_zones_and_gateways" {
  command = plan

  variables {
    multi_az           = true
    enable_nat_gateway = true
  }

  assert {
    condition     = length(output.nat_public_ips) == 3
    error_message = "Each zone has its gateway."
  }

  assert {
    condition     = join(" ", module.network.served_zones) == "us-east-1a us-east-1b us-east-1c"
    error_message = "Nodes and endpoints stand in three zones."
  }
}

run "gateways_instead_of_endpoints" {
  command = plan

  variables {
    enable_nat_gateway   = true
    create_vpc_endpoints = false
  }

  assert {
    condition     = length(output.nat_public_ips) == 1 && length(output.vpc_endpoint_ids) == 0
    error_message = "One gateway and no endpoint."
  }
}

run "glue_without_hive_and_clickhouse" {
  command = plan

  variables {
    catalog           = "glue"
    deploy_clickhouse = false
  }

  assert {
    condition     = output.metastore_uri == null && output.catalog_address == null && contains(keys(output.vpc_endpoint_ids), "glue")
    error_message = "Glue wants its endpoint, and neither metastore nor database."
  }

  assert {
    condition     = toset(keys(output.role_arns)) == toset(["autoscaler", "external-secrets", "lake"])
    error_message = "Roles of what is not there are left."
  }
}

run "refuses_what_cannot_be" {
  command = plan

  variables {
    project_name                = "Data_Platform"
    aws_region                  = "virginia"
    create_vpc_endpoints        = false
    cluster_public_access_cidrs = ["0.0.0.0/0"]
    availability_zones          = ["a", "a"]
    vpc_cidr                    = "10.0.0.0/24"
    raw_expiration_days         = 10
    raw_prefix                  = "/logs"
    catalog                     = "nessie"
    db_username                 = "root"
    db_allocated_storage        = 5
    hive_metastore_replicas     = 0
    s3_raw_bucket_name          = "My.Bucket"
  }

  expect_failures = [
    var.project_name, var.aws_region, var.create_vpc_endpoints, var.cluster_public_access_cidrs, var.availability_zones, var.vpc_cidr,
    var.raw_expiration_days, var.raw_prefix, var.catalog, var.db_username, var.db_allocated_storage, var.hive_metastore_replicas, var.s3_raw_bucket_name,
  ]
}
