# The Hive Metastore (Thrift, port 9083), as objects of Kubernetes.

variable "namespace" {
  description = "Where it runs."
  type        = string
}

variable "labels" {
  description = "Labels of every object."
  type        = map(string)
}

variable "image" {
  description = "Its image."
  type        = string
}

variable "replicas" {
  description = "How many answer."
  type        = number
}

variable "role_arn" {
  description = "Its role."
  type        = string
}

variable "region" {
  description = "Region of the lake."
  type        = string
}

variable "warehouse" {
  description = "Where tables without a place of their own would lie."
  type        = string
}

variable "database" {
  description = "Its database: address, port, name, user."
  type        = object({ address = string, port = number, name = string, username = string })
}

variable "secret_name" {
  description = "Secret of Secrets Manager that holds the database's password."
  type        = string
}

variable "secret_store" {
  description = "Store of External Secrets."
  type        = string
}

variable "client_namespaces" {
  description = "Namespaces that may connect."
  type        = list(string)
}

locals {
  name     = "hive-metastore"
  port     = 9083
  selector = { "app.kubernetes.io/name" = local.name }
  labels   = merge(var.labels, local.selector)
  metadata = { name = local.name, namespace = var.namespace, labels = local.labels }

  account = {
    apiVersion = "v1"
    kind       = "ServiceAccount"
    metadata   = merge(local.metadata, { annotations = { "eks.amazonaws.com/role-arn" = var.role_arn } })
  }

  password = {
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata   = merge(local.metadata, { name = "${local.name}-db" })
    spec = {
      refreshInterval = "1h"
      secretStoreRef  = { kind = "ClusterSecretStore", name = var.secret_store }
      target          = { name = "${local.name}-db" }
      data            = [{ secretKey = "password", remoteRef = { key = var.secret_name } }]
    }
  }

  deployment = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = local.metadata
    spec = {
      replicas = var.replicas
      selector = { matchLabels = local.selector }
      strategy = { type = "RollingUpdate", rollingUpdate = { maxUnavailable = 0, maxSurge = 1 } }
      template = {
        metadata = { labels = local.labels }
        spec = {
          serviceAccountName           = local.name
          automountServiceAccountToken = false
          nodeSelector                 = { workload = "system" }
          securityContext              = { runAsNonRoot = true, runAsUser = 1000, runAsGroup = 1000, fsGroup = 1000, seccompProfile = { type = "RuntimeDefault" } }
          topologySpreadConstraints = [{
            maxSkew           = 1
            topologyKey       = "topology.kubernetes.io/zone"
            whenUnsatisfiable = "ScheduleAnyway"
            labelSelector     = { matchLabels = local.selector }
          }]
          containers = [{
            name  = "metastore"
            image = var.image
            ports = [{ name = "thrift", containerPort = local.port }]
            env = [
              { name = "METASTORE_DB_HOST", value = var.database.address },
              { name = "METASTORE_DB_PORT", value = tostring(var.database.port) },
              { name = "METASTORE_DB_NAME", value = var.database.name },
              { name = "METASTORE_DB_USER", value = var.database.username },
              { name = "METASTORE_DB_PASSWORD", valueFrom = { secretKeyRef = { name = "${local.name}-db", key = "password" } } },
              { name = "METASTORE_WAREHOUSE", value = var.warehouse },
              { name = "METASTORE_PORT", value = tostring(local.port) },
              { name = "AWS_REGION", value = var.region },
            ]
            resources       = { requests = { cpu = "250m", memory = "1Gi" }, limits = { memory = "2Gi" } }
            securityContext = { allowPrivilegeEscalation = false, readOnlyRootFilesystem = true, capabilities = { drop = ["ALL"] } }
            startupProbe    = { tcpSocket = { port = "thrift" }, periodSeconds = 5, failureThreshold = 60 }
            readinessProbe  = { tcpSocket = { port = "thrift" }, periodSeconds = 10 }
            livenessProbe   = { tcpSocket = { port = "thrift" }, periodSeconds = 20, failureThreshold = 6 }
            volumeMounts    = [{ name = "scratch", mountPath = "/tmp" }]
          }]
          volumes = [{ name = "scratch", emptyDir = { sizeLimit = "1Gi" } }]
        }
      }
    }
  }

  service = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = local.metadata
    spec = {
      selector = local.selector
      ports    = [{ name = "thrift", port = local.port, targetPort = "thrift" }]
    }
  }

  # Thrift asks nobody who they are, so the network does.
  policy = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata   = local.metadata
    spec = {
      podSelector = { matchLabels = local.selector }
      policyTypes = ["Ingress"]
      ingress = [{
        from  = [for namespace in var.client_namespaces : { namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = namespace } } }]
        ports = [{ protocol = "TCP", port = local.port }]
      }]
    }
  }

  budget = {
    apiVersion = "policy/v1"
    kind       = "PodDisruptionBudget"
    metadata   = local.metadata
    spec       = { minAvailable = 1, selector = { matchLabels = local.selector } }
  }
}

output "objects" {
  description = "Objects of Kubernetes, as JSON."
  value = [for object in concat(
    [jsonencode(local.account), jsonencode(local.password), jsonencode(local.deployment), jsonencode(local.service), jsonencode(local.policy)],
    # With a single one a budget would only hold up the draining of its node.
    var.replicas > 1 ? [jsonencode(local.budget)] : [],
  ) : object]
}

output "uri" {
  description = "Where it answers, in the cluster."
  value       = "thrift://${local.name}.${var.namespace}.svc.cluster.local:${local.port}"
}
