variable "name" {
  description = "Begins every name."
  type        = string
}

variable "region" {
  description = "Region, for the names of services."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC."
  type        = string
}

variable "zones" {
  description = "Zones with subnets, two at least: the control plane and the database want two."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2
    error_message = "Two zones at least."
  }
}

variable "multi_az" {
  description = "Gateways and endpoints in every zone instead of the first."
  type        = bool
}

variable "enable_nat_gateway" {
  description = "Make gateways to the Internet."
  type        = bool
}

variable "create_vpc_endpoints" {
  description = "Make endpoints."
  type        = bool
}

variable "services" {
  description = "Services that get an interface endpoint."
  type        = set(string)
}

variable "readable_buckets" {
  description = "Buckets of others, by ARN, that the S3 endpoint lets through for reading."
  type        = list(string)
}

variable "own_account" {
  description = "Account whose buckets the S3 endpoint lets through."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of the flow logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
}
