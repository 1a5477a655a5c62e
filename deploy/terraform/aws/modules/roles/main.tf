# Who may do what, one role for each kind of pod. Nobody has more than the statements here.

locals {
  raw     = var.bucket_arns["raw"]
  iceberg = var.bucket_arns["iceberg"]

  # Logshed's namespaces: bronze, silver, gold, security, ops, each perhaps with the prefix of a lake. `logshed doctor` makes one to try.
  glue_arns = [
    "arn:${var.partition}:glue:${var.region}:${var.account_id}:catalog",
    "arn:${var.partition}:glue:${var.region}:${var.account_id}:database/*",
    "arn:${var.partition}:glue:${var.region}:${var.account_id}:table/*/*",
  ]
}

# Spark jobs and Logshed's own pods: read what arrived, keep the lake.
data "aws_iam_policy_document" "lake" {
  statement {
    sid       = "ListBuckets"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
    resources = [local.raw, local.iceberg]
  }

  statement {
    sid       = "ReadRaw"
    actions   = ["s3:GetObject"]
    resources = ["${local.raw}/*"]
  }

  statement {
    sid       = "KeepLake"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = ["${local.iceberg}/*"]
  }

  dynamic "statement" {
    for_each = var.glue ? [1] : []

    content {
      sid = "KeepTables"
      actions = [
        "glue:GetDatabase", "glue:GetDatabases", "glue:CreateDatabase", "glue:DeleteDatabase",
        "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable",
      ]
      resources = local.glue_arns
    }
  }
}

# ClickHouse reads the lake, but not the secret that marks names of files.
data "aws_iam_policy_document" "reader" {
  statement {
    sid       = "ListLake"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
    resources = [local.iceberg]
  }

  statement {
    sid       = "ReadLake"
    actions   = ["s3:GetObject"]
    resources = ["${local.iceberg}/*"]
  }

  statement {
    sid       = "NotItsSecret"
    effect    = "Deny"
    actions   = ["s3:GetObject"]
    resources = ["${local.iceberg}/*names.key"]
  }

  dynamic "statement" {
    for_each = var.glue ? [1] : []

    content {
      sid       = "ReadTables"
      actions   = ["glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables"]
      resources = local.glue_arns
    }
  }
}

# The metastore looks whether a table's place is there, and makes the marker of a folder.
data "aws_iam_policy_document" "metastore" {
  statement {
    sid       = "ListLake"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
    resources = [local.iceberg]
  }

  statement {
    sid       = "Places"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.iceberg}/*"]
  }
}

data "aws_iam_policy_document" "secrets" {
  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = var.secret_arns
  }

  statement {
    sid       = "DecryptSecrets"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "autoscaler" {
  #checkov:skip=CKV_AWS_356:these actions only describe, and AWS knows no resource for them
  statement {
    sid = "Look"
    actions = [
      "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances",
      "autoscaling:DescribeLaunchConfigurations", "autoscaling:DescribeScalingActivities", "autoscaling:DescribeTags",
      "ec2:DescribeImages", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplateVersions", "ec2:GetInstanceTypesFromInstanceRequirements",
    ]
    resources = ["*"]
  }

  statement {
    sid       = "LookAtGroups"
    actions   = ["eks:DescribeNodegroup"]
    resources = ["arn:${var.partition}:eks:${var.region}:${var.account_id}:nodegroup/${var.cluster_name}/*/*"]
  }

  statement {
    sid       = "Scale"
    actions   = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    resources = ["arn:${var.partition}:autoscaling:${var.region}:${var.account_id}:autoScalingGroup:*:autoScalingGroupName/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/k8s.io/cluster-autoscaler/${var.cluster_name}"
      values   = ["owned"]
    }
  }
}

locals {
  roles = merge({
    lake             = { accounts = var.lake_accounts, policy = data.aws_iam_policy_document.lake.json }
    external-secrets = { accounts = ["external-secrets:external-secrets"], policy = data.aws_iam_policy_document.secrets.json }
    autoscaler       = { accounts = ["kube-system:cluster-autoscaler"], policy = data.aws_iam_policy_document.autoscaler.json }
    }, length(var.reader_accounts) > 0 ? {
    clickhouse = { accounts = var.reader_accounts, policy = data.aws_iam_policy_document.reader.json }
    } : {}, length(var.metastore_accounts) > 0 ? {
    metastore = { accounts = var.metastore_accounts, policy = data.aws_iam_policy_document.metastore.json }
  } : {})
}

module "role" {
  source   = "../irsa"
  for_each = local.roles

  name              = "${var.name}-${each.key}"
  oidc_provider_arn = var.oidc_provider_arn
  oidc_issuer       = var.oidc_issuer
  service_accounts  = each.value.accounts
  policies          = { rights = each.value.policy }
}
