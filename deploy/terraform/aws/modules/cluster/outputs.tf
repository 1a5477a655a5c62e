output "name" {
  description = "The cluster."
  value       = aws_eks_cluster.this.name
}

output "arn" {
  description = "Its ARN."
  value       = aws_eks_cluster.this.arn
}

output "endpoint" {
  description = "Address of the API."
  value       = aws_eks_cluster.this.endpoint
}

output "security_group_id" {
  description = "Group of nodes and control plane, made by EKS."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "oidc_provider_arn" {
  description = "Provider that pods' roles trust."
  value       = aws_iam_openid_connect_provider.this.arn
}

output "oidc_issuer" {
  description = "Issuer of pods' tokens."
  value       = aws_eks_cluster.this.identity[0].oidc[0].issuer
}
