# One key for what AES-256 by the service's own key does not suffice: secrets, logs of the cluster, volumes of the database.

variable "name" {
  description = "Begins every name."
  type        = string
}

variable "region" {
  description = "Region of the logs that the key is for."
  type        = string
}

variable "account_id" {
  description = "Account that owns the key."
  type        = string
}

variable "partition" {
  description = "Partition of ARNs."
  type        = string
}

data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_109:a key's policy names the key itself by "*", and without the account's own statement nobody could change it
  #checkov:skip=CKV_AWS_111:the same: "*" in a key's policy is this key
  #checkov:skip=CKV_AWS_356:the same: "*" in a key's policy is this key
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${var.partition}:iam::${var.account_id}:root"]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:*"]
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Secrets, logs and volumes of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.this.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

output "arn" {
  description = "The key."
  value       = aws_kms_key.this.arn
}
