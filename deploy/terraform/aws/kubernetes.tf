# What belongs to no module: the namespaces, the class of disks, the store of secrets.

locals {
  # Spark's own pods are given a strict context by the operator's webhook; a missing one is refused where it matters most.
  pod_security = { (var.spark_namespace) = "baseline" }

  namespace_objects = [for namespace in local.namespaces : jsonencode({
    apiVersion = "v1"
    kind       = "Namespace"
    metadata = {
      name = namespace
      labels = merge(local.labels, {
        "pod-security.kubernetes.io/enforce" = lookup(local.pod_security, namespace, "restricted")
        "pod-security.kubernetes.io/warn"    = "restricted"
      })
    }
  })]

  shared_objects = [
    jsonencode({
      apiVersion           = "storage.k8s.io/v1"
      kind                 = "StorageClass"
      metadata             = { name = "gp3", labels = local.labels, annotations = { "storageclass.kubernetes.io/is-default-class" = "true" } }
      provisioner          = "ebs.csi.aws.com"
      parameters           = { type = "gp3", encrypted = "true" }
      reclaimPolicy        = "Delete"
      allowVolumeExpansion = true
      volumeBindingMode    = "WaitForFirstConsumer"
    }),
    jsonencode({
      apiVersion = "external-secrets.io/v1"
      kind       = "ClusterSecretStore"
      metadata   = { name = local.secret_store, labels = local.labels }
      spec = {
        provider   = { aws = { service = "SecretsManager", region = var.aws_region } }
        conditions = [{ namespaces = local.namespaces }]
      }
    }),
  ]

  objects = concat(
    local.shared_objects,
    flatten(module.metastore[*].objects),
    flatten(module.clickhouse[*].objects),
    module.jobs.objects,
  )
}
