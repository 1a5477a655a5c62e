variable "raw_bucket" {
  description = "Name of the bucket of raw logs."
  type        = string
}

variable "iceberg_bucket" {
  description = "Name of the bucket of the lake."
  type        = string
}

variable "access_log_bucket" {
  description = "Name of the bucket of the others' access logs."
  type        = string
}

variable "raw_expiration_days" {
  description = "Remove raw logs after so many days; 0 keeps them."
  type        = number
}

variable "noncurrent_days" {
  description = "How long versions that were overwritten or deleted are kept."
  type        = number
}

variable "access_log_days" {
  description = "How long access logs are kept."
  type        = number
}

variable "force_destroy" {
  description = "Let buckets be destroyed with what is in them."
  type        = bool
}

variable "account_id" {
  description = "Account that owns the buckets."
  type        = string
}
