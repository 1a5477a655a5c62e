output "project_name" {
  description = "Beginning of the names."
  value       = local.name
}

output "region" {
  description = "Region of everything."
  value       = var.aws_region
}

output "cluster_name" {
  description = "The cluster."
  value       = module.cluster.name
}

output "cluster_arn" {
  description = "ARN of the cluster, which is also what `make kubeconfig` calls its context."
  value       = module.cluster.arn
}

output "cluster_endpoint" {
  description = "Address of the cluster's API."
  value       = module.cluster.endpoint
}

output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}

output "private_subnet_ids" {
  description = "Private subnets."
  value       = module.network.private_subnet_ids
}

output "vpc_endpoint_ids" {
  description = "Endpoints by service."
  value       = module.network.endpoint_ids
}

output "nat_public_ips" {
  description = "Addresses that the Internet sees; none without gateways."
  value       = module.network.nat_public_ips
}

output "raw_bucket" {
  description = "Where logs are put."
  value       = module.storage.buckets["raw"]
}

output "iceberg_bucket" {
  description = "Where the lake lies."
  value       = module.storage.buckets["iceberg"]
}

output "warehouse" {
  description = "The lake's address, for [storage] warehouse."
  value       = local.warehouse
}

output "logshed_settings" {
  description = "The lake's settings, as variables of the environment."
  value       = local.settings
}

output "catalog_address" {
  description = "Address of the metastore's database; null with Glue."
  value       = one(module.catalog[*].address)
}

output "metastore_uri" {
  description = "Address of the Hive Metastore in the cluster; null with Glue."
  value       = one(module.metastore[*].uri)
}

output "registry" {
  description = "Address of the registry."
  value       = split("/", module.registry.urls["spark-ingest"])[0]
}

output "repositories" {
  description = "Repositories by image."
  value       = module.registry.urls
}

output "image_tag" {
  description = "Tag of the images that are built."
  value       = var.image_tag
}

output "mirrored_images" {
  description = "Images of others and where their copies go; `make mirror-images` makes them."
  value       = module.registry.mirrored
}

output "role_arns" {
  description = "Roles of the pods."
  value       = module.roles.arns
}

output "secret_names" {
  description = "Secrets in Secrets Manager."
  value       = module.secrets.names
}

output "namespaces" {
  description = "Namespaces, a List of Kubernetes as JSON."
  value       = jsonencode({ apiVersion = "v1", kind = "List", items = [for object in local.namespace_objects : jsondecode(object)] })
}

output "releases" {
  description = "Releases of Helm, in the order of installation, as JSON."
  value       = jsonencode(concat(module.operators.releases, [module.autoscaler.release]))
}

output "objects" {
  description = "Everything else in the cluster, a List of Kubernetes as JSON."
  value       = jsonencode({ apiVersion = "v1", kind = "List", items = [for object in local.objects : jsondecode(object)] })
}
