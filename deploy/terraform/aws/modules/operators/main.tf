# Spark's and Ray's operators and External Secrets, as releases of Helm: chart, version, values. `kubernetes.sh` installs them.

variable "spark_namespace" {
  description = "Namespace whose SparkApplications are run."
  type        = string
}

variable "ray_namespace" {
  description = "Namespace whose Ray jobs are run."
  type        = string
}

variable "lake_role_arn" {
  description = "Role of the Spark jobs."
  type        = string
}

variable "external_secrets_role_arn" {
  description = "Role of External Secrets."
  type        = string
}

variable "images" {
  description = "Copies of the operators' images: repository and tag."
  type        = map(object({ repository = string, tag = string }))
}

locals {
  system = { workload = "system" }

  secrets_image = {
    repository = var.images["external-secrets"].repository
    tag        = var.images["external-secrets"].tag
  }
}

output "releases" {
  description = "Releases of Helm, in the order of installation."
  value = [
    {
      name       = "external-secrets"
      namespace  = "external-secrets"
      repository = "https://charts.external-secrets.io"
      chart      = "external-secrets"
      version    = "2.0.0"
      values = {
        installCRDs    = true
        image          = local.secrets_image
        nodeSelector   = local.system
        serviceAccount = { create = true, name = "external-secrets", annotations = { "eks.amazonaws.com/role-arn" = var.external_secrets_role_arn } }
        webhook        = { image = local.secrets_image, nodeSelector = local.system }
        certController = { image = local.secrets_image, nodeSelector = local.system }
      }
    },
    {
      name       = "spark-operator"
      namespace  = "spark-operator"
      repository = "https://kubeflow.github.io/spark-operator"
      chart      = "spark-operator"
      version    = "2.4.0"
      values = {
        image = {
          registry   = split("/", var.images["spark-operator"].repository)[0]
          repository = join("/", slice(split("/", var.images["spark-operator"].repository), 1, length(split("/", var.images["spark-operator"].repository))))
          tag        = var.images["spark-operator"].tag
        }
        controller = { nodeSelector = local.system }
        webhook    = { enable = true, nodeSelector = local.system }
        spark = {
          jobNamespaces  = [var.spark_namespace]
          serviceAccount = { create = true, name = "spark", annotations = { "eks.amazonaws.com/role-arn" = var.lake_role_arn } }
          rbac           = { create = true }
        }
      }
    },
    {
      name       = "kuberay-operator"
      namespace  = "ray-system"
      repository = "https://ray-project.github.io/kuberay-helm/"
      chart      = "kuberay-operator"
      version    = "1.5.2"
      values = {
        image                  = { repository = var.images["kuberay-operator"].repository, tag = var.images["kuberay-operator"].tag }
        nodeSelector           = local.system
        singleNamespaceInstall = true
        watchNamespace         = [var.ray_namespace]
      }
    },
  ]
}
