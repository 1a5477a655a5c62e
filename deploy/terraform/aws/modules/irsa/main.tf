# A role that the named service accounts of the cluster take, and nobody else.

variable "name" {
  description = "Name of the role."
  type        = string
}

variable "oidc_provider_arn" {
  description = "Provider of the cluster's tokens."
  type        = string
}

variable "oidc_issuer" {
  description = "Issuer of the cluster's tokens, an https address."
  type        = string
}

variable "service_accounts" {
  description = "Who takes it, as namespace:name."
  type        = list(string)

  validation {
    condition     = alltrue([for account in var.service_accounts : can(regex("^[a-z0-9-]+:[a-z0-9-]+$", account))]) && length(var.service_accounts) > 0
    error_message = "Service accounts are written namespace:name, without wildcards."
  }
}

variable "policies" {
  description = "What it may do: policies as JSON, by a name of one's own."
  type        = map(string)
  default     = {}
}

variable "managed_policies" {
  description = "Policies of AWS, by a name of one's own."
  type        = map(string)
  default     = {}
}

locals {
  issuer = trimprefix(var.oidc_issuer, "https://")
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = [for account in var.service_accounts : "system:serviceaccount:${account}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "this" {
  for_each = var.policies

  name   = each.key
  role   = aws_iam_role.this.id
  policy = each.value
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = var.managed_policies

  role       = aws_iam_role.this.name
  policy_arn = each.value
}

output "arn" {
  description = "The role, for the annotation eks.amazonaws.com/role-arn."
  value       = aws_iam_role.this.arn
}
