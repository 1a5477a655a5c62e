# Random secrets, made by Secrets Manager. Terraform passes them on as they are made: they are in no plan and in no state.

variable "name" {
  description = "Begins every name."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of the secrets."
  type        = string
}

variable "passwords" {
  description = "Secrets that hold one password, and what each is for."
  type        = map(string)
}

variable "keys" {
  description = "Secrets that hold a key of pseudonyms, as Logshed writes it, and what each is for."
  type        = map(string)
}

variable "recovery_days" {
  description = "How long a destroyed secret can be brought back; 0 removes it at once."
  type        = number
}

ephemeral "aws_secretsmanager_random_password" "password" {
  for_each = var.passwords

  password_length     = 32
  exclude_punctuation = true
}

# 64 digits of base 16.
ephemeral "aws_secretsmanager_random_password" "key" {
  for_each = var.keys

  password_length            = 64
  exclude_punctuation        = true
  exclude_uppercase          = true
  exclude_characters         = "ghijklmnopqrstuvwxyz"
  require_each_included_type = false
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:a new password needs a restart of who holds it, a new key of pseudonyms parts old from new: both are deliberate, see docs/aws.md
  for_each = merge(var.passwords, var.keys)

  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days
}

resource "aws_secretsmanager_secret_version" "password" {
  for_each = var.passwords

  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.password[each.key].random_password
  secret_string_wo_version = 1
}

resource "aws_secretsmanager_secret_version" "key" {
  for_each = var.keys

  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = "k1:${ephemeral.aws_secretsmanager_random_password.key[each.key].random_password}"
  secret_string_wo_version = 1
}

output "arns" {
  description = "The secrets."
  value       = { for key, secret in aws_secretsmanager_secret.this : key => secret.arn }

  depends_on = [aws_secretsmanager_secret_version.password, aws_secretsmanager_secret_version.key]
}

output "names" {
  description = "Names of the secrets."
  value       = { for key, secret in aws_secretsmanager_secret.this : key => secret.name }
}
