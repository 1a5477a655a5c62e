# The cluster autoscaler, as a release of Helm: it makes nodes when pods wait, and removes those that stand idle.

variable "cluster_name" {
  description = "Whose groups of nodes are scaled."
  type        = string
}

variable "region" {
  description = "Where they are."
  type        = string
}

variable "role_arn" {
  description = "Its role."
  type        = string
}

variable "image" {
  description = "Copy of its image."
  type        = object({ repository = string, tag = string })
}

output "release" {
  description = "Release of Helm."
  value = {
    name       = "cluster-autoscaler"
    namespace  = "kube-system"
    repository = "https://kubernetes.github.io/autoscaler"
    chart      = "cluster-autoscaler"
    version    = "9.50.1"
    values = {
      fullnameOverride = "cluster-autoscaler"
      cloudProvider    = "aws"
      awsRegion        = var.region
      autoDiscovery    = { clusterName = var.cluster_name }
      image            = { repository = var.image.repository, tag = var.image.tag }
      nodeSelector     = { workload = "system" }
      rbac = {
        create         = true
        serviceAccount = { create = true, name = "cluster-autoscaler", annotations = { "eks.amazonaws.com/role-arn" = var.role_arn } }
      }
      extraArgs = {
        expander                      = "least-waste"
        balance-similar-node-groups   = true
        skip-nodes-with-local-storage = false
        scale-down-unneeded-time      = "5m"
      }
    }
  }
}
