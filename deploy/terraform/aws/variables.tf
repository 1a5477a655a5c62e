# What: names, place, size

variable "project_name" {
  description = "Begins the name of every resource."
  type        = string
  default     = "data-platform"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.project_name))
    error_message = "project_name has 3 to 24 lower-case letters, digits and hyphens, begins with a letter and ends with none of the hyphens."
  }
}

variable "aws_region" {
  description = "Region of everything."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.aws_region))
    error_message = "aws_region is a region's code, such as us-east-1."
  }
}

variable "tags" {
  description = "Tags of every resource, beside Project and ManagedBy."
  type        = map(string)
  default     = {}
}

variable "protect_data" {
  description = "Refuse to destroy the database and buckets that hold objects. Set it to false, apply, then destroy."
  type        = bool
  default     = true
}

# Network

variable "vpc_cidr" {
  description = "Addresses of the VPC, at least a /20."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]), 32) <= 20
    error_message = "vpc_cidr is a block such as 10.0.0.0/16, no smaller than a /20."
  }
}

variable "availability_zones" {
  description = "Letters of the region's zones, in order: two are used, three with multi_az. Some accounts lack some letters."
  type        = list(string)
  default     = ["a", "b", "c"]

  validation {
    condition     = length(var.availability_zones) >= (var.multi_az ? 3 : 2) && alltrue([for letter in var.availability_zones : can(regex("^[a-z]$", letter))]) && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones are different letters such as a, b, c: two, or three with multi_az."
  }
}

variable "multi_az" {
  description = "Nodes, endpoints, gateways and the database in three zones instead of one. Dearer; survives a zone's loss."
  type        = bool
  default     = false
}

variable "enable_nat_gateway" {
  description = "Let private subnets reach the Internet. Not needed while images come from the project's own registry."
  type        = bool
  default     = false
}

variable "create_vpc_endpoints" {
  description = "Reach S3 and the AWS services that the cluster uses without leaving the VPC."
  type        = bool
  default     = true

  validation {
    condition     = var.create_vpc_endpoints || var.enable_nat_gateway
    error_message = "Nodes would reach neither the registry nor the cluster: set create_vpc_endpoints or enable_nat_gateway."
  }
}

variable "log_retention_days" {
  description = "How long flow logs and the control plane's logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "log_retention_days is one of CloudWatch's steps: 30, 60, 90, 120, 150, 180, 365, 400, 545, 731."
  }
}

# Cluster

variable "eks_version" {
  description = "Kubernetes of the cluster."
  type        = string
  default     = "1.33"

  validation {
    condition     = can(regex("^1\\.(2[89]|[3-9][0-9])$", var.eks_version))
    error_message = "eks_version is a minor version from 1.28 on, such as 1.33."
  }
}

variable "cluster_public_access_cidrs" {
  description = "Addresses from which the cluster's API is reached over the Internet; none makes it private."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.cluster_public_access_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "cluster_public_access_cidrs are blocks such as 203.0.113.7/32; the whole Internet is refused."
  }
}

variable "cluster_admin_role_arns" {
  description = "Roles that administer the cluster, beside the one that makes it."
  type        = list(string)
  default     = []
}

variable "node_size" {
  description = "Instance type of the spot nodes, on which executors and workers run."
  type        = string
  default     = "m6i.xlarge"
}

variable "node_max" {
  description = "Most spot nodes; there are none while nothing runs."
  type        = number
  default     = 10

  validation {
    condition     = var.node_max >= 1 && floor(var.node_max) == var.node_max
    error_message = "node_max is a whole number from 1 on."
  }
}

variable "sys_node_size" {
  description = "Instance type of the on-demand nodes, on which drivers, operators, the metastore and ClickHouse run."
  type        = string
  default     = "m6i.large"
}

variable "sys_node_max" {
  description = "Most on-demand nodes; there are two, or three with multi_az, from the start."
  type        = number
  default     = 5

  validation {
    condition     = var.sys_node_max >= 3 && floor(var.sys_node_max) == var.sys_node_max
    error_message = "sys_node_max is a whole number from 3 on."
  }
}

# Storage

variable "s3_raw_bucket_name" {
  description = "Bucket of the logs as they arrive. Named after project, account and region unless set."
  type        = string
  default     = null

  validation {
    condition     = var.s3_raw_bucket_name == null || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.s3_raw_bucket_name))
    error_message = "s3_raw_bucket_name has 3 to 63 lower-case letters, digits and hyphens."
  }
}

variable "s3_iceberg_bucket_name" {
  description = "Bucket of the lake. Named after project, account and region unless set."
  type        = string
  default     = null

  validation {
    condition     = var.s3_iceberg_bucket_name == null || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.s3_iceberg_bucket_name))
    error_message = "s3_iceberg_bucket_name has 3 to 63 lower-case letters, digits and hyphens."
  }
}

variable "raw_expiration_days" {
  description = "Remove raw logs after so many days; 0 keeps them. The lake's own retention is set in Logshed."
  type        = number
  default     = 0

  validation {
    condition     = var.raw_expiration_days == 0 || var.raw_expiration_days > 60
    error_message = "raw_expiration_days is 0, or above 60: infrequent access begins at 30 days and is billed for 30."
  }
}

variable "noncurrent_days" {
  description = "How long versions that were overwritten or deleted are kept. An erasure is complete after so many days."
  type        = number
  default     = 7

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "noncurrent_days is at least 1."
  }
}

# Catalog

variable "catalog" {
  description = "What lists the lake's tables: hive (a Hive Metastore on RDS MySQL) or glue (no database, no metastore)."
  type        = string
  default     = "hive"

  validation {
    condition     = contains(["hive", "glue"], var.catalog)
    error_message = "catalog is hive or glue."
  }
}

variable "db_name" {
  description = "Database of the Hive Metastore."
  type        = string
  default     = "hive_metastore"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,63}$", var.db_name))
    error_message = "db_name has at most 64 lower-case letters, digits and underscores, and begins with a letter."
  }
}

variable "db_username" {
  description = "The database's user. Its password is made by Secrets Manager and is in no state."
  type        = string
  default     = "hive"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,15}$", var.db_username)) && !contains(["admin", "mysql", "root", "rdsadmin"], var.db_username)
    error_message = "db_username has at most 16 lower-case letters, digits and underscores, and is none of admin, mysql, root, rdsadmin."
  }
}

variable "db_instance_class" {
  description = "Size of the database. A metastore asks little of it."
  type        = string
  default     = "db.t4g.micro"

  validation {
    condition     = startswith(var.db_instance_class, "db.")
    error_message = "db_instance_class is a class of RDS, such as db.t4g.micro."
  }
}

variable "db_allocated_storage" {
  description = "GiB of the database to begin with; it grows to five times that by itself."
  type        = number
  default     = 20

  validation {
    condition     = var.db_allocated_storage >= 20 && var.db_allocated_storage <= 1000
    error_message = "db_allocated_storage is 20 to 1000 GiB."
  }
}

# In the cluster

variable "spark_namespace" {
  description = "Namespace of the Spark jobs."
  type        = string
  default     = "spark"
}

variable "hive_namespace" {
  description = "Namespace of the Hive Metastore."
  type        = string
  default     = "hive"
}

variable "clickhouse_namespace" {
  description = "Namespace of ClickHouse."
  type        = string
  default     = "clickhouse"
}

variable "logshed_namespace" {
  description = "Namespace of Logshed's own pods and Ray jobs, as deploy/helm installs them."
  type        = string
  default     = "logshed"
}

variable "deploy_spark_jobs" {
  description = "Install the two SparkApplications. They need the images, so build those first."
  type        = bool
  default     = true
}

variable "spark_job_schedule" {
  description = "When the two jobs run, as cron writes it, such as 0 * * * *. Empty: once, when they are installed."
  type        = string
  default     = ""
}

variable "spark_executors" {
  description = "Executors of each job."
  type        = number
  default     = 2

  validation {
    condition     = var.spark_executors >= 1 && floor(var.spark_executors) == var.spark_executors
    error_message = "spark_executors is a whole number from 1 on."
  }
}

variable "raw_prefix" {
  description = "Where in the raw bucket the logs lie; ends with a slash."
  type        = string
  default     = "logs/"

  validation {
    condition     = can(regex("^[A-Za-z0-9_=./-]*/$", var.raw_prefix)) && !startswith(var.raw_prefix, "/")
    error_message = "raw_prefix is a prefix such as logs/, without a slash before it and with one at its end."
  }
}

variable "image_tag" {
  description = "Tag of the images that `make build-images` pushes."
  type        = string
  default     = "1.0.0"
}

variable "hive_metastore_image" {
  description = "Image of the Hive Metastore; what `make build-hive` pushes unless set."
  type        = string
  default     = null
}

variable "hive_metastore_replicas" {
  description = "Hive Metastores that answer."
  type        = number
  default     = 1

  validation {
    condition     = var.hive_metastore_replicas >= 1 && floor(var.hive_metastore_replicas) == var.hive_metastore_replicas
    error_message = "hive_metastore_replicas is a whole number from 1 on."
  }
}

variable "deploy_clickhouse" {
  description = "Install ClickHouse, which reads the lake and writes nothing in it."
  type        = bool
  default     = true
}

variable "clickhouse_storage" {
  description = "GiB of ClickHouse's own disk, for what it copies out of the lake."
  type        = number
  default     = 50

  validation {
    condition     = var.clickhouse_storage >= 10
    error_message = "clickhouse_storage is at least 10 GiB."
  }
}
