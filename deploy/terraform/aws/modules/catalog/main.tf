# The database of the Hive Metastore: MySQL that only nodes reach, over TLS.

variable "name" {
  description = "Begins every name."
  type        = string
}

variable "vpc_id" {
  description = "Where it stands."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, in two zones at least."
  type        = list(string)
}

variable "client_security_group_id" {
  description = "Group whose members may connect."
  type        = string
}

variable "multi_az" {
  description = "Keep a second database in another zone."
  type        = bool
}

variable "zone" {
  description = "Zone of the only database; null with multi_az."
  type        = string
}

variable "db_name" {
  description = "Name of the database."
  type        = string
}

variable "db_username" {
  description = "Its user."
  type        = string
}

variable "secret_arn" {
  description = "Secret that holds its password."
  type        = string
}

variable "instance_class" {
  description = "Its size."
  type        = string
}

variable "allocated_storage" {
  description = "GiB to begin with."
  type        = number
}

variable "kms_key_arn" {
  description = "Key of its volumes and logs."
  type        = string
}

variable "protect" {
  description = "Refuse to destroy it, and take a last snapshot when it is."
  type        = bool
}

ephemeral "aws_secretsmanager_secret_version" "password" {
  secret_id = var.secret_arn
}

resource "aws_db_subnet_group" "this" {
  name       = "${var.name}-catalog"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-catalog"
  description = "MySQL from the nodes to the catalog"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-catalog" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  security_group_id            = aws_security_group.this.id
  description                  = "MySQL from the nodes"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-catalog-"
  family      = "mysql8.4"
  description = "TLS only"

  parameter {
    name  = "require_secure_transport"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_118:enhanced monitoring is billed by the log; a metastore's database is watched by the free metrics
  #checkov:skip=CKV_AWS_353:the small classes of MySQL have no performance insights
  #checkov:skip=CKV_AWS_161:the Hive Metastore logs in by password; it is random, in Secrets Manager alone
  #checkov:skip=CKV_AWS_157:multi_az is a switch; one zone is the default because it costs half
  identifier     = "${var.name}-catalog"
  engine         = "mysql"
  engine_version = "8.4"
  instance_class = var.instance_class

  db_name             = var.db_name
  username            = var.db_username
  password_wo         = ephemeral.aws_secretsmanager_secret_version.password.secret_string
  password_wo_version = 1

  allocated_storage     = var.allocated_storage
  max_allocated_storage = var.allocated_storage * 5
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  parameter_group_name   = aws_db_parameter_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false
  multi_az               = var.multi_az
  availability_zone      = var.zone

  backup_retention_period         = 7
  copy_tags_to_snapshot           = true
  deletion_protection             = var.protect
  skip_final_snapshot             = !var.protect
  final_snapshot_identifier       = var.protect ? "${var.name}-catalog-last" : null
  auto_minor_version_upgrade      = true
  enabled_cloudwatch_logs_exports = ["error", "slowquery"]
}

output "address" {
  description = "Where it answers."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "Its port."
  value       = aws_db_instance.this.port
}
