# ClickHouse on the lake, as objects of Kubernetes: it reads S3 by its role, and keeps copies on a disk of its own.

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

variable "role_arn" {
  description = "Its role."
  type        = string
}

variable "region" {
  description = "Region of the lake."
  type        = string
}

variable "bucket" {
  description = "Bucket of the lake."
  type        = string
}

variable "storage" {
  description = "GiB of its disk."
  type        = number
}

variable "storage_class" {
  description = "Class of its disk."
  type        = string
}

variable "secret_name" {
  description = "Secret of Secrets Manager that holds the password of its user."
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
  name     = "clickhouse"
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
    metadata   = merge(local.metadata, { name = "${local.name}-user" })
    spec = {
      refreshInterval = "1h"
      secretStoreRef  = { kind = "ClusterSecretStore", name = var.secret_store }
      target          = { name = "${local.name}-user" }
      data            = [{ secretKey = "password", remoteRef = { key = var.secret_name } }]
    }
  }

  configuration = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = local.metadata
    data = {
      "server.xml" = templatefile("${path.module}/server.xml.tftpl", { bucket = var.bucket, region = var.region })
      "users.xml"  = file("${path.module}/users.xml")
    }
  }

  server = {
    apiVersion = "apps/v1"
    kind       = "StatefulSet"
    metadata   = local.metadata
    spec = {
      replicas    = 1
      serviceName = local.name
      selector    = { matchLabels = local.selector }
      template = {
        # A changed configuration begins a new pod.
        metadata = { labels = local.labels, annotations = { "logshed/configuration" = sha256(jsonencode(local.configuration.data)) } }
        spec = {
          serviceAccountName           = local.name
          automountServiceAccountToken = false
          nodeSelector                 = { workload = "system" }
          securityContext              = { runAsNonRoot = true, runAsUser = 101, runAsGroup = 101, fsGroup = 101, fsGroupChangePolicy = "OnRootMismatch", seccompProfile = { type = "RuntimeDefault" } }
          containers = [{
            name    = "clickhouse"
            image   = var.image
            command = ["clickhouse-server", "--config-file=/etc/clickhouse-server/config.xml"]
            ports   = [{ name = "http", containerPort = 8123 }, { name = "native", containerPort = 9000 }]
            env = [
              { name = "CLICKHOUSE_PASSWORD", valueFrom = { secretKeyRef = { name = "${local.name}-user", key = "password" } } },
              { name = "AWS_REGION", value = var.region },
            ]
            resources       = { requests = { cpu = "500m", memory = "2Gi" }, limits = { memory = "4Gi" } }
            securityContext = { allowPrivilegeEscalation = false, readOnlyRootFilesystem = true, capabilities = { drop = ["ALL"] } }
            startupProbe    = { httpGet = { path = "/ping", port = "http" }, periodSeconds = 5, failureThreshold = 60 }
            readinessProbe  = { httpGet = { path = "/ping", port = "http" }, periodSeconds = 10 }
            livenessProbe   = { httpGet = { path = "/ping", port = "http" }, periodSeconds = 20, failureThreshold = 6 }
            volumeMounts = [
              { name = "data", mountPath = "/var/lib/clickhouse" },
              { name = "logs", mountPath = "/var/log/clickhouse-server" },
              { name = "scratch", mountPath = "/tmp" },
              { name = "configuration", mountPath = "/etc/clickhouse-server/config.d/logshed.xml", subPath = "server.xml", readOnly = true },
              { name = "configuration", mountPath = "/etc/clickhouse-server/users.d/logshed.xml", subPath = "users.xml", readOnly = true },
            ]
          }]
          volumes = [
            { name = "logs", emptyDir = { sizeLimit = "1Gi" } },
            { name = "scratch", emptyDir = { sizeLimit = "1Gi" } },
            { name = "configuration", configMap = { name = local.name } },
          ]
        }
      }
      volumeClaimTemplates = [{
        metadata = { name = "data", labels = local.labels }
        spec = {
          accessModes      = ["ReadWriteOnce"]
          storageClassName = var.storage_class
          resources        = { requests = { storage = "${var.storage}Gi" } }
        }
      }]
    }
  }

  service = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = local.metadata
    spec = {
      selector = local.selector
      ports    = [{ name = "http", port = 8123, targetPort = "http" }, { name = "native", port = 9000, targetPort = "native" }]
    }
  }

  policy = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata   = local.metadata
    spec = {
      podSelector = { matchLabels = local.selector }
      policyTypes = ["Ingress"]
      ingress = [{
        from  = [for namespace in var.client_namespaces : { namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = namespace } } }]
        ports = [{ protocol = "TCP", port = 8123 }, { protocol = "TCP", port = 9000 }]
      }]
    }
  }
}

output "objects" {
  description = "Objects of Kubernetes, as JSON."
  value = [
    jsonencode(local.account), jsonencode(local.password), jsonencode(local.configuration),
    jsonencode(local.server), jsonencode(local.service), jsonencode(local.policy),
  ]
}
