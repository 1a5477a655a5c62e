output "buckets" {
  description = "Names of the buckets: raw, iceberg, access_logs."
  value       = { for key, bucket in aws_s3_bucket.this : key => bucket.id }
}

output "arns" {
  description = "ARNs of the buckets: raw, iceberg, access_logs."
  value       = { for key, bucket in aws_s3_bucket.this : key => bucket.arn }
}
