# The two Spark jobs: one takes what arrived into the lake, one brings the gold tables up to date.

variable "namespace" {
  description = "Where they run."
  type        = string
}

variable "labels" {
  description = "Labels of every object."
  type        = map(string)
}

variable "images" {
  description = "Images of the jobs: spark-ingest and spark-aggregate."
  type        = map(string)
}

variable "source_uri" {
  description = "Where the logs arrive, such as s3://bucket/logs/."
  type        = string
}

variable "environment" {
  description = "Settings of Logshed, by variable."
  type        = map(string)
}

variable "keys_secret_name" {
  description = "Secret of Secrets Manager that holds the keys of pseudonyms."
  type        = string
}

variable "secret_store" {
  description = "Store of External Secrets."
  type        = string
}

variable "executors" {
  description = "Executors of each job."
  type        = number
}

variable "schedule" {
  description = "When they run, as cron writes it; empty for once."
  type        = string
}

variable "deploy" {
  description = "Whether the jobs are installed, beside what they need."
  type        = bool
}

locals {
  secret = "logshed-keys"

  jobs = {
    ingest-logs-spark351-prod = {
      image     = var.images["spark-ingest"]
      arguments = ["ingest", var.source_uri, "--engine", "spark", "--lake", "/var/lib/logshed"]
    }
    aggregate-logs-spark351-prod = {
      image     = var.images["spark-aggregate"]
      arguments = ["aggregate", "--engine", "spark", "--lake", "/var/lib/logshed"]
    }
  }

  environment = concat(
    [for name, value in var.environment : { name = name, value = value }],
    [{ name = "LOGSHED_KEYS", value = "env:PSEUDONYM_KEYS" }],
  )
  secret_environment = [{ name = "PSEUDONYM_KEYS", valueFrom = { secretKeyRef = { name = local.secret, key = "keys" } } }]

  pod_security       = { runAsNonRoot = true, runAsUser = 10001, runAsGroup = 10001, fsGroup = 10001, seccompProfile = { type = "RuntimeDefault" } }
  container_security = { allowPrivilegeEscalation = false, readOnlyRootFilesystem = true, capabilities = { drop = ["ALL"] } }

  specs = { for name, job in local.jobs : name => {
    type                = "Python"
    pythonVersion       = "3"
    mode                = "cluster"
    image               = job.image
    imagePullPolicy     = "IfNotPresent"
    mainApplicationFile = "local:///opt/logshed/job.py"
    arguments           = job.arguments
    sparkVersion        = "4.3.0"
    # A run that broke off leaves orphan files and no rows, so the next takes the same anew: retrying doubles nothing.
    restartPolicy = { type = "OnFailure", onFailureRetries = 3, onFailureRetryInterval = 60, onSubmissionFailureRetries = 3, onSubmissionFailureRetryInterval = 60 }
    sparkConf = {
      "spark.kubernetes.executor.deleteOnTermination" = "true"
      "spark.kubernetes.local.dirs.tmpfs"             = "false"
      "spark.network.crypto.enabled"                  = "true"
      "spark.authenticate"                            = "true"
    }
    volumes = [
      { name = "scratch", emptyDir = {} },
      { name = "state", emptyDir = {} },
    ]
    driver = {
      cores              = 1
      memory             = "2g"
      memoryOverhead     = "2g"
      serviceAccount     = "spark"
      labels             = merge(var.labels, { "app.kubernetes.io/name" = name })
      nodeSelector       = { workload = "system" }
      env                = concat(local.environment, local.secret_environment)
      podSecurityContext = local.pod_security
      securityContext    = local.container_security
      volumeMounts       = [{ name = "scratch", mountPath = "/tmp" }, { name = "state", mountPath = "/var/lib/logshed" }]
    }
    # Most of an executor's memory is Python's, beside the heap.
    executor = {
      cores              = 3
      instances          = var.executors
      memory             = "2g"
      memoryOverhead     = "8g"
      serviceAccount     = "spark"
      labels             = merge(var.labels, { "app.kubernetes.io/name" = name })
      nodeSelector       = { workload = "executors" }
      tolerations        = [{ key = "workload", operator = "Equal", value = "executors", effect = "NoSchedule" }]
      env                = concat(local.environment, local.secret_environment)
      podSecurityContext = local.pod_security
      securityContext    = local.container_security
      volumeMounts       = [{ name = "scratch", mountPath = "/tmp" }, { name = "state", mountPath = "/var/lib/logshed" }]
    }
  } }

  once = [for name, spec in local.specs : jsonencode({
    apiVersion = "sparkoperator.k8s.io/v1beta2"
    kind       = "SparkApplication"
    metadata   = { name = name, namespace = var.namespace, labels = merge(var.labels, { "app.kubernetes.io/name" = name }) }
    spec       = spec
  })]

  scheduled = [for name, spec in local.specs : jsonencode({
    apiVersion = "sparkoperator.k8s.io/v1beta2"
    kind       = "ScheduledSparkApplication"
    metadata   = { name = name, namespace = var.namespace, labels = merge(var.labels, { "app.kubernetes.io/name" = name }) }
    spec = {
      schedule                  = var.schedule
      concurrencyPolicy         = "Forbid"
      successfulRunHistoryLimit = 3
      failedRunHistoryLimit     = 5
      template                  = spec
    }
  })]

  keys = {
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata   = { name = local.secret, namespace = var.namespace, labels = var.labels }
    spec = {
      refreshInterval = "1h"
      secretStoreRef  = { kind = "ClusterSecretStore", name = var.secret_store }
      target          = { name = local.secret }
      data            = [{ secretKey = "keys", remoteRef = { key = var.keys_secret_name } }]
    }
  }

  # Drivers and executors talk to each other, and nobody else to them.
  policy = {
    apiVersion = "networking.k8s.io/v1"
    kind       = "NetworkPolicy"
    metadata   = { name = "jobs", namespace = var.namespace, labels = var.labels }
    spec = {
      podSelector = {}
      policyTypes = ["Ingress"]
      ingress     = [{ from = [{ podSelector = {} }] }]
    }
  }
}

output "objects" {
  description = "Objects of Kubernetes, as JSON."
  value = concat(
    [jsonencode(local.keys), jsonencode(local.policy)],
    var.deploy ? (var.schedule == "" ? local.once : local.scheduled) : [],
  )
}
