output "arns" {
  description = "Roles by what they are for: lake, external-secrets, autoscaler, and clickhouse and metastore where there are such."
  value       = { for key, role in module.role : key => role.arn }
}
