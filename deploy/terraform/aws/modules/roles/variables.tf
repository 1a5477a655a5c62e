variable "name" {
  description = "Begins every name."
  type        = string
}

variable "partition" {
  description = "Partition of ARNs."
  type        = string
}

variable "region" {
  description = "Region of what the roles reach."
  type        = string
}

variable "account_id" {
  description = "Account of what the roles reach."
  type        = string
}

variable "cluster_name" {
  description = "The cluster, whose groups of nodes are scaled."
  type        = string
}

variable "oidc_provider_arn" {
  description = "Provider that the roles trust."
  type        = string
}

variable "oidc_issuer" {
  description = "Issuer that the roles trust."
  type        = string
}

variable "bucket_arns" {
  description = "Buckets: raw and iceberg."
  type        = map(string)
}

variable "kms_key_arn" {
  description = "Key of the secrets."
  type        = string
}

variable "secret_arns" {
  description = "Secrets that the cluster gets."
  type        = list(string)
}

variable "glue" {
  description = "Whether tables are listed by Glue."
  type        = bool
}

variable "lake_accounts" {
  description = "Service accounts that write the lake, as namespace:name."
  type        = list(string)
}

variable "reader_accounts" {
  description = "Service accounts that read the lake."
  type        = list(string)
}

variable "metastore_accounts" {
  description = "Service accounts of the Hive Metastore; none without one."
  type        = list(string)
}
