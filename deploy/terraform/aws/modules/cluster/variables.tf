variable "name" {
  description = "Name of the cluster, and beginning of every other."
  type        = string
}

variable "kubernetes_version" {
  description = "Kubernetes of the cluster."
  type        = string
}

variable "partition" {
  description = "Partition of ARNs."
  type        = string
}

variable "control_subnet_ids" {
  description = "Subnets where the control plane has its interfaces, in two zones at least."
  type        = list(string)
}

variable "node_subnets" {
  description = "Subnets where nodes stand, by zone."
  type        = map(string)
}

variable "public_access_cidrs" {
  description = "Addresses from which the API is reached over the Internet; none makes it private."
  type        = list(string)
}

variable "admin_role_arns" {
  description = "Roles that administer the cluster, beside the one that makes it."
  type        = set(string)
}

variable "kms_key_arn" {
  description = "Key of secrets and logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long the control plane's logs are kept."
  type        = number
}

variable "system_instance_type" {
  description = "Instance type of the on-demand nodes."
  type        = string
}

variable "system_max" {
  description = "Most on-demand nodes."
  type        = number
}

variable "executor_instance_type" {
  description = "Instance type of the spot nodes."
  type        = string
}

variable "executor_max" {
  description = "Most spot nodes."
  type        = number
}
